import Datasets
import Formats
import Foundation
import Models
import Tensor

/// Everything that decides the bits of a run: `config.json` of its folder.
public struct RunConfiguration: Sendable, Codable, Equatable {
  /// The epoch whose values become the delta.
  public enum Selection: String, Sendable, Codable, CaseIterable {
    /// Those after the last epoch, as in the published runs.
    case last
    /// Those after the epoch with the highest accuracy on the validation split, the first of several.
    case validation = "val"
    /// Those after the epoch with the highest accuracy on the test split: what some released code reports. It breaks
    /// the seal of the split, so it is asked for by name and stamped on the result.
    case test = "test-max"

    /// Whether the values after an epoch, counted from 1, are judged.
    ///
    /// On the test split, as published runs did that report its maximum: they count epochs from 0 and judge each tenth
    /// and the last ten, of 100 those after epochs 1, 11, …, 81 and 91 to 100 of ours.
    func judges(epoch: Int, of epochs: Int) -> Bool {
      switch self {
      case .last: false
      case .validation: true
      case .test: (epoch - 1) % 10 == 0 || epoch > epochs - 10
      }
    }
  }

  /// The images that are trained on.
  public enum Splits: String, Sendable, Codable, CaseIterable {
    /// The training split.
    case train
    /// The training split followed by the validation split, which then selects nothing.
    case trainAndValidation = "train+val"
  }

  /// The split that a run ends with.
  public enum EvaluatedSplit: String, Sendable, Codable, CaseIterable {
    /// The test split, in `result.json`.
    case test
    /// The validation split, in `validation.json`: a candidate for the settings of other runs. No test image is read.
    case validation = "val"
  }

  /// The model by path and content.
  public struct Model: Sendable, Codable, Equatable {
    /// The directory, as given.
    public var path: String
    /// The SHA-256 of its weights.
    public var sha256: String
    /// The attention heads and the image size of a classifier, if stated by the user.
    public var heads, imageSize: Int?
    /// The preparation of a classifier's images, where its files state one.
    public var images: ImageSettings?

    /// A directory, the digest of its weights, what its files do not state, and what they state about images.
    package init(
      path: String, sha256: String, _ hints: BackboneHints = BackboneHints(), images: ImageSettings? = nil
    ) {
      (self.path, self.sha256, heads, imageSize) = (path, sha256, hints.heads, hints.imageSize)
      self.images = images
    }

    /// Settings that the files of the model do not state.
    public var hints: BackboneHints { BackboneHints(imageSize: imageSize, heads: heads) }
  }

  /// The data by path and content.
  public struct Data: Sendable, Codable, Equatable {
    /// The folder, as given.
    public var path: String
    /// The names of the classes as used in the prompts.
    public var classes: [String]
    /// The names of the classes used only after training, whose labels follow; `nil` if there are none.
    public var newClasses: [String]?
    /// The SHA-256 of the names and labels of the training and validation images, after few-shot sampling.
    public var sha256: String
    /// The SHA-256 of the names and labels of the test images; `nil` in older runs.
    package var testSHA256: String?
    /// The list of images, as given; `nil` if folders divide them.
    public var list: String?
    /// How the splits were drawn; `nil` if the data has its own.
    public var split: DrawnSplit?

    /// A folder, its classes and the digest of the images used.
    package init(
      path: String, classes: [String], newClasses: [String]? = nil, sha256: String, testSHA256: String? = nil,
      list: String? = nil, split: DrawnSplit? = nil
    ) {
      (self.path, self.classes, self.newClasses, self.sha256) = (path, classes, newClasses, sha256)
      (self.testSHA256, self.list, self.split) = (testSHA256, list, split)
    }

    private enum CodingKeys: String, CodingKey {
      case path, classes, newClasses, sha256
      case testSHA256 = "testSha256"
      case list, split
    }
  }

  /// The version of frugal.
  public var version: String
  /// The method's name.
  public var method: String
  /// The source to follow where paper and code differ.
  public var fidelity: Fidelity
  /// The published dataset the data is, if any.
  public var benchmark: Benchmark?
  /// Images per class; `nil` for all.
  public var shots: Int?
  /// The seed of sampling, order, crops and random rules.
  public var seed: Int
  /// The model.
  public var model: Model
  /// The data.
  public var data: Data
  /// The prompts' templates.
  public var templates: [String]
  /// The rule that combines several templates into one classifier.
  public var ensembling: TextEnsembling
  /// The text cleaning before tokenization.
  public var cleaning: String
  /// True if prompts that are too long are truncated.
  public var truncates: Bool
  /// The normalisation constants of images; `nil` if the model's own files state them.
  public var normalization: Normalization?
  /// The treatment of photos that do not stand upright; `nil`, as in older runs, for `ignore`.
  public var exif: EXIFRotation?
  /// Every setting of the method.
  public var recipe: Recipe
  /// The epoch whose values become the delta.
  public var selection: Selection
  /// The images that are trained on; `nil`, as in older runs, for the training split.
  public var splits: Splits?
  /// The budgets, ascending, of which the best on the validation split is selected (`BudgetSearch`); `nil` for one.
  public var budgets: [Int]?
  /// The classes that are trained on, `base`; `nil` for all.
  public var classes: ClassPart?
  /// The split that it ends with; `nil` for the test split.
  public var evaluation: EvaluatedSplit?
  /// The run on top of whose result it is trained; `nil` for the pretrained model.
  public var on: EarlierRun?
  /// True if unreadable images are skipped.
  public var skipsUnreadable: Bool
  /// The element type of tensors.
  public var precision: String
  /// True if products and sums are fused, which decides the last bits.
  public var isFused: Bool

  /// The settings of a run of this build.
  package init(
    method: MethodName, fidelity: Fidelity, benchmark: Benchmark?, shots: Int?, seed: Int, model: Model, data: Data,
    templates: [String], ensembling: TextEnsembling, cleaning: String, truncates: Bool, recipe: Recipe,
    selection: Selection, skipsUnreadable: Bool, normalization: Normalization? = nil, splits: Splits? = nil,
    budgets: [Int]? = nil, classes: ClassPart? = nil, exif: EXIFRotation = .ignore,
    evaluation: EvaluatedSplit = .test
  ) {
    version = frugalVersion
    self.method = method.description
    (self.fidelity, self.benchmark, self.shots, self.seed) = (fidelity, benchmark, shots, seed)
    (self.model, self.data, self.templates, self.ensembling) = (model, data, templates, ensembling)
    (self.cleaning, self.truncates, self.recipe) = (cleaning, truncates, recipe)
    (self.selection, self.skipsUnreadable, self.normalization) = (selection, skipsUnreadable, normalization)
    (self.splits, self.budgets, self.classes) = (splits, budgets, classes)
    self.exif = exif == .ignore ? nil : exif
    self.evaluation = evaluation == .test ? nil : evaluation
    precision = "\(Real.self)"
    isFused = hasFusedMultiplyAdd
  }

  private enum CodingKeys: String, CodingKey {
    case version, method, fidelity, benchmark, shots, seed, model, data, templates, ensembling, cleaning, truncates
    case normalization = "normalisation"
    case exif, recipe, selection, splits, budgets, classes, evaluation, on, skipsUnreadable, precision, isFused
  }

  /// The method, with those on top of whose results it is trained: `A on B`.
  public var methodTitle: String { on.map { "\(method) on \($0.method)" } ?? method }

  /// Whether the classifier is that of the method: not where an earlier run has one and the method trains none.
  private var needsText: Bool {
    guard let name = MethodName(method) else { return true }
    return name.head.needsText && !(on?.hasHead ?? false && !name.head.isTrained)
  }

  /// The method as tables name it: with what tells its recipe from the published ones.
  package var title: String {
    [methodTitle, MethodName(method)?.head.mark(recipe)].compactMap(\.self).joined(separator: ", ")
  }

  /// The first setting out of range, as settings may come from a file: expected and found, by key.
  var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "\(key): expected \(expected), found \(found)"
    }
    if let shots, shots < 1 { return wrong("shots", "1 or more", shots) }
    if seed < 0 { return wrong("seed", "0 or more", seed) }
    if let problem = model.hints.problem { return wrong("model.\(problem.key)", problem.expected, problem.found) }
    if let split = data.split {
      let shares = [split.train, split.validation, split.test]
      guard DrawnSplit(shares: shares, seed: split.seed) != nil, split.seed >= 0 else {
        return wrong("data.split", "shares with the sum 1 and a seed of 0 or more", "\(shares) and \(split.seed)")
      }
    }
    if data.classes.isEmpty { return wrong("data.classes", "names", "none") }
    if let refusal = MethodName(method)?.refusal(recipe) {
      return wrong("method", "\(refusal.alone) alone, as \(refusal.reason)", method)
    }
    if let problem = on?.problem { return problem }
    if templates.isEmpty, needsText {
      return wrong("templates", "at least one", "none")
    }
    switch classes {
    case nil: break
    case .all, .new: return wrong("classes", "base, or nothing for all", classes?.rawValue ?? "")
    case .base:
      guard MethodName(method)?.head.meetsNewClasses(recipe) ?? true else {
        return wrong("classes", "all, as \(method) learns only the classes it is trained on", "base")
      }
      guard data.newClasses?.isEmpty == false else {
        return wrong("data.newClasses", "names with base classes", "none")
      }
    }
    if splits == .trainAndValidation, selection == .validation {
      return wrong("selection", "\(Selection.last.rawValue), as the validation split is trained on", selection.rawValue)
    }
    if let budgets {
      guard budgets.count > 1, Set(budgets).sorted() == budgets, budgets[0] > 0,
        MethodName(method)?.encoder.budget(of: recipe) != nil
      else {
        return wrong("budgets", "ascending budgets of a method that has one", budgets)
      }
      guard splits == .trainAndValidation, selection == .last else {
        return wrong("budgets", "splits train+val and selection last with them", "others")
      }
    }
    if evaluation == .validation, splits == .trainAndValidation || selection == .test {
      return wrong("evaluation", "test, as val is trained on or test selects the epoch", "val")
    }
    if let problem = recipe.problem { return problem }
    guard let name = MethodName(method) else { return nil }
    do { try name.head.check(recipe, with: name.encoder) } catch { return "recipe: \(error)" }
    return nil
  }

  /// The SHA-256 of all settings but the paths of model, data and an earlier run, which may move between a run and its
  /// resuming.
  package var fingerprint: String {
    get throws {
      var settings = self
      (settings.model.path, settings.data.path) = ("", "")
      if settings.data.list != nil { settings.data.list = "" }
      settings.on?.path = ""
      return SHA256.digest(of: Array(try JSON.encoded(settings))).description
    }
  }
}
