import Models
import Tensor

/// The head half of a method, by its name.
package protocol HeadMethod: Sendable {
  /// The name as it is typed: `linear`.
  var name: String { get }
  /// Whether it learns anything from the training images: by steps, or in closed form.
  var isTrained: Bool { get }
  /// True if it is made of text features.
  var needsText: Bool { get }
  /// True if it takes the text features as given, so that rows of another classifier can be in their place.
  var takesTextRows: Bool { get }
  /// True if it is made of features of the training images by the frozen encoder.
  var needsExamples: Bool { get }
  /// True if it is fitted to features of the frozen encoder without steps of the trainer, and so by itself only.
  var isFitted: Bool { get }
  /// The protocol of its published runs.
  var trainingProtocol: TrainingProtocol { get }
  /// The settings it reads beside those of every run.
  var options: [MethodOption] { get }
  /// The rule that combines the text features of several templates.
  var ensembling: TextEnsembling { get }
  /// What tables say of it.
  var card: MethodCard { get }
  /// The numbers of its formulas, by what a trace shows: `gradient`, `forward/logits`.
  var equations: [String: String] { get }

  /// What produced the published numbers, with a frozen encoder.
  func recipe(_ setting: PublishedSetting) -> Recipe

  /// The prompts' templates on a dataset.
  func templates(_ benchmark: Benchmark?) -> [String]

  /// Whether underscores of class names stay in the prompts.
  func keepsUnderscores(_ fidelity: Fidelity) -> Bool

  /// The head at its start.
  ///
  /// - Throws: `RunError` for examples that no such head can be made of.
  func head(_ setting: MethodSetting) throws -> any Head

  /// Writes what of the recipe a delta's reader needs.
  func describe(_ recipe: Recipe, in description: inout Delta.Description)

  /// Refuses settings that do not fit each other, or the encoder half.
  func check(_ recipe: Recipe, with encoder: any EncoderMethod) throws(SettingError)

  /// The recipe of a training of the same method that comes first and whose values the head is made with
  /// (`MethodSetting.base`); `nil` for most.
  func base(of recipe: Recipe) -> Recipe?

  /// Whether what is learned with it can be used with classes that were not seen in training: not where the head has
  /// trained rows of its own, one per class.
  func meetsNewClasses(_ recipe: Recipe) -> Bool

  /// The reason why rows of an earlier run's classifier cannot be in the place of its text features; `nil` if they can.
  func rowRefusal(_ recipe: Recipe) -> String?

  /// Whether it is made of the prompts themselves (`MethodSetting.texts`).
  func readsTexts(_ recipe: Recipe) -> Bool

  /// What tells a recipe from the published ones, so that its figures are compared with none of theirs; `nil` for most.
  func mark(_ recipe: Recipe) -> String?
}

extension HeadMethod {
  /// Most heads train something.
  package var isTrained: Bool { true }
  /// Most heads are made of text features.
  package var needsText: Bool { true }
  /// Those made of text features do.
  package var takesTextRows: Bool { needsText }
  /// Most heads begin without a look at the images.
  package var needsExamples: Bool { false }
  /// Most heads are trained step by step.
  package var isFitted: Bool { false }
  /// Most heads belong to their classes.
  package func meetsNewClasses(_ recipe: Recipe) -> Bool { false }
  /// That of the CLIP literature, unless a head says otherwise.
  package var trainingProtocol: TrainingProtocol { .fewShot }
  /// None, unless a head says otherwise.
  package var options: [MethodOption] { [] }
  /// None, unless a head says otherwise.
  package var equations: [String: String] { [:] }
  /// The mean of raw features, unless a head says otherwise.
  package var ensembling: TextEnsembling { .rawMean }
  /// The usual template of a dataset.
  package func templates(_ benchmark: Benchmark?) -> [String] {
    [benchmark?.template ?? Benchmark.standardTemplate]
  }
  /// Nothing, unless a head says otherwise.
  package func describe(_ recipe: Recipe, in description: inout Delta.Description) {}
  /// Nothing is refused, unless a head says otherwise.
  package func check(_ recipe: Recipe, with encoder: any EncoderMethod) throws(SettingError) {}
  /// None, unless a head says otherwise.
  package func base(of recipe: Recipe) -> Recipe? { nil }
  /// That it is no head of text features, unless a head says otherwise.
  package func rowRefusal(_ recipe: Recipe) -> String? { takesTextRows ? nil : "\(name) would take its place" }
  /// Text features are enough, unless a head says otherwise.
  package func readsTexts(_ recipe: Recipe) -> Bool { false }
  /// None, unless a head says otherwise.
  package func mark(_ recipe: Recipe) -> String? { nil }
  /// No, unless a head says otherwise.
  package func keepsUnderscores(_ fidelity: Fidelity) -> Bool { false }
}

extension MethodSetting {
  /// T and the scale of the model; traps for a model without text, which runs refuse before.
  func textFeatures(for name: String) -> (features: Tensor, logitScale: Parameter) {
    guard let text else { trap("Method: expected text features for \(name), found none") }
    return text
  }

  /// The features that a head is made of.
  ///
  /// - Throws: `RunError` where there are none.
  func examples(for name: String) throws(RunError) -> HeadExamples {
    guard let examples else { throw RunError("\(name): expected training images to learn from, found none") }
    return examples
  }
}
