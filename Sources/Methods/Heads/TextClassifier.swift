import Models
import Tensor

/// The rule that combines the text features of several templates into one classifier row per class.
public enum TextEnsembling: String, Sendable, CaseIterable, Codable {
  /// The mean of the raw features, as the papers of this project do (TaskRes (a)).
  case rawMean = "raw-mean"
  /// The mean of the features of length 1, scaled to length 1: CLIP's prompt ensembling (Radford et al. 2021,
  /// section 3.1.4).
  case unitMean = "unit-mean"

  /// One row per class: [classes, templates, embedding] → [classes, embedding].
  ///
  /// One template gives its raw features either way: logits see directions only, and scaling a row twice would change
  /// their last bits.
  public func classifier(_ features: Tensor) -> Tensor {
    let (classes, templates, width) = (features.shape[0], features.shape[1], features.shape[2])
    guard templates > 1 else { return features.reshaped(to: [classes, width]) }
    let rows = self == .unitMean ? Variable(features).l2Normalized().value : features
    let mean = Tensor.read(rows) { x in
      Tensor([classes, width]) { y in
        for index in 0..<classes * width {
          let start = index / width * templates * width + index % width
          y[index] = (0..<templates).reduce(0) { $0 + x[start + $1 * width] } / Real(templates)
        }
      }
    }
    return self == .unitMean ? Variable(mean).l2Normalized().value : mean
  }
}

/// The text side of a classifier: class names in templates.
public struct Prompts: Sendable, Equatable {
  /// The names of the classes, as used in the prompts.
  public let classes: [String]
  /// Sentences with `{}` for the name.
  public let templates: [String]

  /// The bytes of the longest prompt, far beyond the context of any text tower.
  private static let longest = 16_384

  /// The most prompts: those of ImageNet-21k's classes in CLIP's 80 templates, and a fifth more.
  private static let most = 1 << 21
  /// The bytes of all prompts: 64 for each of so many.
  private static let mostBytes = 64 * most

  /// Class names and templates.
  ///
  /// - Throws: `SettingError` for a template without `{}` or with a prompt beyond `longest`, no template, or more than
  ///   `most` prompts or `mostBytes` in all.
  public init(classes: [String], templates: [String] = [Benchmark.standardTemplate]) throws(SettingError) {
    guard !templates.isEmpty else { throw SettingError("template", expected: "at least one", found: "none") }
    for template in templates where !template.contains("{}") {
      let lists = TemplateList.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingError(
        "template", expected: "{} where the class name goes, or the name of a list (\(lists))",
        found: "\"\(template)\"")
    }
    // Told before names take the places of many `{}`.
    let name = classes.map(\.utf8.count).max() ?? 0
    for template in templates {
      let places = template.ranges(of: "{}").count
      let (bytes, isTooMuch) = places.multipliedReportingOverflow(by: name)
      guard !isTooMuch, bytes <= Self.longest, template.utf8.count - 2 * places + bytes <= Self.longest else {
        throw SettingError(
          "template", expected: "prompts of at most \(Self.longest) bytes",
          found: "\(places) times a class name of \(name) bytes in a template of \(template.utf8.count)")
      }
    }
    let count = classes.count.multipliedReportingOverflow(by: templates.count)
    guard !count.overflow, count.partialValue <= Self.most else {
      throw SettingError(
        "template", expected: "at most \(Self.most) prompts",
        found: "\(templates.count) templates for each of \(classes.count) classes")
    }
    // No product overflows: there are at most 2²¹ prompts of 2¹⁴ bytes.
    let names = classes.reduce(0) { $0 + $1.utf8.count }
    let bytes = templates.reduce(0) { sum, template in
      let places = template.ranges(of: "{}").count
      return sum + places * names + classes.count * (template.utf8.count - 2 * places)
    }
    guard bytes <= Self.mostBytes else {
      throw SettingError("template", expected: "prompts of at most \(Self.mostBytes) bytes in all", found: "\(bytes)")
    }
    (self.classes, self.templates) = (classes, templates)
  }

  /// All prompts, class by class.
  public var texts: [String] {
    classes.flatMap { name in templates.map { $0.replacing("{}", with: name) } }
  }

  /// The classifier: [classes, embedding], raw or of unit rows as `ensembling` has it.
  ///
  /// - Throws: `TokenizerError` for a prompt that is too long, unless `truncate` cuts it.
  public func classifier(
    of directory: CLIPDirectory, ensembling: TextEnsembling = .rawMean, truncate: Bool = false
  ) throws -> Tensor {
    try classifier(of: directory, ensembling: ensembling, truncate: truncate, Pass())
  }

  /// The same by a text tower that a delta tuned.
  package func classifier(
    of directory: CLIPDirectory, ensembling: TextEnsembling, truncate: Bool, _ pass: Pass
  ) throws -> Tensor {
    classifier(of: try directory.textFeatures(texts, truncate: truncate, pass), ensembling: ensembling)
  }

  /// The same of the features of `texts`, [classes · templates, embedding].
  func classifier(of features: Tensor, ensembling: TextEnsembling) -> Tensor {
    ensembling.classifier(features.reshaped(to: [classes.count, templates.count, features.shape.width]))
  }
}
