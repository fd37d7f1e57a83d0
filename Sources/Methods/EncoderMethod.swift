import Datasets
import Models
import Tensor

/// The situation that a method's published settings depend on.
package struct PublishedSetting: Sendable {
  /// The dataset, if it is one of the published ones; other data is treated as most of them are.
  package let benchmark: Benchmark?
  /// Images per class; `nil` for all.
  package let shots: Int?
  /// Whether the authors' code or the paper is followed.
  package let fidelity: Fidelity
  /// The classes that are trained on: `base` in the runs from base to new classes, which have settings of their own.
  package let classes: ClassPart

  /// A situation by its parts.
  package init(benchmark: Benchmark?, shots: Int?, fidelity: Fidelity, classes: ClassPart = .all) {
    (self.benchmark, self.shots, self.fidelity, self.classes) = (benchmark, shots, fidelity, classes)
  }
}

/// The protocol of the runs that a method was published with, which decides the defaults of what a user leaves open.
package enum TrainingProtocol: Sendable {
  /// CoOp's: 16 images per class, the last epoch.
  case fewShot
  /// VTAB-1k's: all images, the best epoch on the validation split.
  case allImages
}

/// The encoder half of a method, by its name: everything that a run needs to know of it before it trains.
///
/// A method that chooses what to tune does so in `tuning`, which may look at the training images first.
package protocol EncoderMethod: Sendable {
  /// The name as it is typed: `lora`.
  var name: String { get }
  /// Whether it tunes anything.
  var isTrained: Bool { get }
  /// The protocol of its published runs.
  var trainingProtocol: TrainingProtocol { get }
  /// The settings it reads beside those of every run.
  var options: [MethodOption] { get }
  /// True if it tunes the text tower too, whose features are then encoded in every step, whatever its settings.
  var tunesText: Bool { get }
  /// Whether it does with these settings.
  func tunesText(_ recipe: Recipe) -> Bool
  /// The reason, for a message, why no other classifier goes with it where it tunes the text tower: what it does.
  var classifierReason: String { get }
  /// The classifier of a method that tunes the text tower.
  ///
  /// - texts: the prompts of the classes; text: their features by the frozen tower, and the scale of the model.
  func head(_ texts: ClassTexts, _ text: (features: Tensor, logitScale: Parameter)) -> any Head
  /// True if it tunes nothing before the projection and takes its steps on what that reads, computed once.
  var readsTrunk: Bool { get }
  /// The prompts' templates of its published runs with the zero-shot classifier; `nil` for those of the head.
  func templates(_ benchmark: Benchmark?) -> [String]?
  /// The rule of its published runs that combines several templates; `nil` for that of the head.
  var ensembling: TextEnsembling? { get }
  /// What tables say of it.
  var card: MethodCard { get }
  /// The numbers of its formulas, by what a trace shows: a role, `gradient`, one tensor of it, `loss/ce`, or all of a
  /// kind, `gradient/branch`, `draw/dropout`, `draw/choice`.
  var equations: [String: String] { get }

  /// What produced the published numbers.
  func recipe(_ setting: PublishedSetting) -> Recipe

  /// The recipe of a new run with what the files say that it names.
  ///
  /// - budgets: those that are asked for, if any.
  func completed(_ recipe: Recipe, budgets: [Int], on model: any PretrainedModel) throws -> Recipe

  /// Refuses settings that would break what the method promises.
  func check(_ recipe: Recipe) throws(SettingError)

  /// Refuses a tower that has nothing to tune, and settings that do not fit it.
  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError)

  /// The tuning of a tower, after a look at the training images where the method chooses by them.
  ///
  /// - choosing: the images; a method that needs them throws `RunError` without.
  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning

  /// The budget of a recipe, where the method has one.
  func budget(of recipe: Recipe) -> Int?

  /// A recipe with another budget.
  func recipe(_ recipe: Recipe, budget: Int) -> Recipe

  /// The number of training images that are looked at to choose what to tune, and of those at a time; `nil` for a
  /// method that does not look.
  func survey(_ recipe: Recipe) -> (images: Int, batch: Int)?

  /// A recipe that looks at so many images instead.
  func recipe(_ recipe: Recipe, surveying images: Int, batch: Int) -> Recipe
}

extension EncoderMethod {
  /// Most methods train something.
  package var isTrained: Bool { true }
  /// Most methods tune the image tower alone.
  package var tunesText: Bool { false }
  /// As it does whatever its settings, unless a method says otherwise.
  package func tunesText(_ recipe: Recipe) -> Bool { tunesText }
  /// Its classifier is made by the tuned text tower, unless a method says otherwise.
  package var classifierReason: String { "tunes the text tower, whose features are the classifier" }
  /// The features of the tuned text tower, unless a method says otherwise.
  package func head(_ texts: ClassTexts, _ text: (features: Tensor, logitScale: Parameter)) -> any Head {
    EncodedTexts(texts: texts, logitScale: text.logitScale)
  }
  /// Most methods tune more than the projection.
  package var readsTrunk: Bool { false }
  /// Those of the head, unless a method says otherwise.
  package func templates(_ benchmark: Benchmark?) -> [String]? { nil }
  /// That of the head, unless a method says otherwise.
  package var ensembling: TextEnsembling? { nil }
  /// None, unless a method says otherwise.
  package var options: [MethodOption] { [] }
  /// None, unless a method says otherwise.
  package var equations: [String: String] { [:] }
  /// The recipe as it is, unless a method's settings name files.
  package func completed(_ recipe: Recipe, budgets: [Int], on model: any PretrainedModel) throws -> Recipe { recipe }
  /// Nothing is refused, unless a method says otherwise.
  package func check(_ recipe: Recipe) throws(SettingError) {}
  /// Nothing is refused, unless a method says otherwise.
  package func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {}
  /// None, unless a method has one.
  package func budget(of recipe: Recipe) -> Int? { nil }
  /// The recipe as it is, unless a method has a budget.
  package func recipe(_ recipe: Recipe, budget: Int) -> Recipe { recipe }
  /// Most methods do not look.
  package func survey(_ recipe: Recipe) -> (images: Int, batch: Int)? { nil }
  /// The recipe as it is, unless a method looks at images.
  package func recipe(_ recipe: Recipe, surveying images: Int, batch: Int) -> Recipe { recipe }
}

/// What a method is made of: a tower, classes, settings.
package struct MethodSetting: Sendable {
  /// The frozen image tower.
  package var tower: any ImageTower
  /// T, [classes, embedding], and the scale of the model; `nil` for a model without text.
  package var text: (features: Tensor, logitScale: Parameter)?
  /// The number of classes.
  package var classes: Int
  /// Every setting of the method.
  package var recipe: Recipe
  /// Whether the authors' code or the paper is followed.
  package var fidelity: Fidelity
  /// The seed of initial values.
  package var seed: UInt64
  /// Features of the training images, for a head that is made of them.
  package var examples: HeadExamples?
  /// The prompts of the classes, for an encoder method that tunes the text tower and a head that reads them.
  package var texts: ClassTexts?
  /// The values at the end of the training that comes first, for a head that has one (`HeadMethod.base`).
  package var base: [Tensor]?
  /// What the projection reads of the training images, for an encoder method that reads it.
  package var trunk: HeadExamples?
  /// The text tower and the names of the classes, for a head that learns prompts.
  package var prompts: PromptEncoder?
  /// The classifier of an earlier run, which stays unless a head is trained; `nil` without one.
  var earlierHead: (any Head)?

  /// A setting by its parts.
  package init(
    tower: any ImageTower, text: (features: Tensor, logitScale: Parameter)?, classes: Int, recipe: Recipe,
    fidelity: Fidelity, seed: UInt64, examples: HeadExamples? = nil, prompts: PromptEncoder? = nil
  ) {
    (self.tower, self.text, self.classes) = (tower, text, classes)
    (self.recipe, self.fidelity, self.seed, self.examples) = (recipe, fidelity, seed, examples)
    self.prompts = prompts
  }
}

/// The images that a method may look at before it is trained: to choose what to tune, or to make a head of.
package struct ChoiceData {
  /// The images of the training split, whatever is trained on later.
  package let images: ImageSet
  /// The loader of images as they are evaluated.
  package let loader: ImageLoader
  /// The images that are trained on, and their loader, which may crop at random.
  package let training: (images: ImageSet, loader: ImageLoader)
  /// Called with the number of images seen so far, and of how many; throws to stop.
  package let progress: (_ done: Int, _ of: Int) throws -> Void
  /// Those who see the choice and may replace it, if there are any.
  let draws: RunDraws?
  /// Known features of the frozen encoder.
  var features: FeatureShelf?

  /// Images and how they are loaded.
  ///
  /// - training: those that are trained on; the same without.
  package init(
    _ images: ImageSet, _ loader: ImageLoader, training: (images: ImageSet, loader: ImageLoader)? = nil,
    draws: RunDraws? = nil, progress: @escaping (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) {
    (self.images, self.loader, self.draws, self.progress) = (images, loader, draws, progress)
    self.training = training ?? (images, loader)
  }
}

extension ChoiceData? {
  /// The images, for a method that chooses by them.
  ///
  /// - Throws: `RunError` where there are none.
  func required(by name: String) throws(RunError) -> ChoiceData {
    guard let self else { throw RunError("\(name): expected training images to choose by, found none") }
    return self
  }
}
