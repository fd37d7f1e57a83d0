import Tensor

/// A method by name: an encoder tuning, a head, or both with a plus between them.
///
/// A half that is not named is the frozen encoder or the zero-shot classifier: `lora`, `linear`, `lora+linear`.
public struct MethodName: Sendable, Equatable, CustomStringConvertible {
  /// The encoder half.
  package let encoder: any EncoderMethod
  /// The classifier half.
  package let head: any HeadMethod

  /// A pair of halves.
  package init(_ encoder: any EncoderMethod, _ head: any HeadMethod) { (self.encoder, self.head) = (encoder, head) }

  /// A name as typed; `nil` if a part is unknown or a half is named twice.
  public init?(_ text: String) {
    func encoder(_ name: Substring) -> (any EncoderMethod)? { MethodList.encoders.first { $0.name == name } }
    func head(_ name: Substring) -> (any HeadMethod)? { MethodList.heads.first { $0.name == name } }
    // A name may have a plus of its own, so each of them may be the one between the halves.
    let pairs = text.indices.filter { text[$0] == "+" }.lazy.compactMap { plus -> MethodName? in
      let (first, second) = (text[..<plus], text[text.index(after: plus)...])
      if let own = encoder(first), let other = head(second) { return MethodName(own, other) }
      if let own = encoder(second), let other = head(first) { return MethodName(own, other) }
      return nil
    }
    let frozen = MethodName(MethodList.encoders[0], MethodList.heads[0])
    guard
      let found = encoder(text[...]).map({ MethodName($0, frozen.head) })
        ?? head(text[...]).map({ MethodName(frozen.encoder, $0) }) ?? pairs.first
    else { return nil }
    self = found
  }

  /// The method on a model without text, where a linear head stands in for the zero-shot classifier.
  package var withoutText: MethodName {
    isNamed(head, MethodList.heads[0]) ? MethodName(encoder, LinearMethod()) : self
  }

  /// The reason why the halves do not go together, whatever their settings; `nil` if they may.
  package var refusal: (alone: String, reason: String)? {
    if encoder.isTrained, head.isFitted {
      return (head.name, "it is fitted to the features of an encoder that stays frozen")
    }
    return encoder.tunesText ? textRefusal : nil
  }

  /// The reason why the halves do not go together with these settings; `nil` if they do.
  package func refusal(_ recipe: Recipe) -> (alone: String, reason: String)? {
    refusal ?? (encoder.tunesText(recipe) ? textRefusal : nil)
  }

  /// The reason why the halves do not go together with their published settings; `nil` if they do.
  package var publishedRefusal: (alone: String, reason: String)? {
    refusal(recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official)))
  }

  private var textRefusal: (alone: String, reason: String)? {
    isNamed(head, MethodList.heads[0]) ? nil : (encoder.name, "it \(encoder.classifierReason)")
  }

  /// Refuses settings that would break what a half promises, or that do not fit the other one.
  package func check(_ recipe: Recipe) throws(SettingError) {
    try encoder.check(recipe)
    try head.check(recipe, with: encoder)
    guard let refusal = refusal(recipe) else { return }
    throw SettingError("method", expected: "\(refusal.alone) alone, as \(refusal.reason)", found: "\"\(self)\"")
  }

  /// The head at its start: that of the name, that of an earlier run, or the tuned text tower.
  ///
  /// - Throws: what `HeadMethod.head` throws; `RunError` where there are no texts to tune with.
  package func head(_ setting: MethodSetting) throws -> any Head {
    if !head.isTrained, let earlier = setting.earlierHead { return FixedHead(head: earlier, values: []) }
    guard encoder.tunesText(setting.recipe) else { return try head.head(setting) }
    guard let texts = setting.texts, let text = setting.text else {
      throw RunError("\(encoder.name): expected class names and a text tower to tune, found none")
    }
    return encoder.head(texts, text)
  }

  /// True if anything is trained.
  public var isTrained: Bool { encoder.isTrained || head.isTrained }

  /// The protocol of the published runs: that of all images where either half has it.
  package var trainingProtocol: TrainingProtocol {
    (encoder.isTrained && encoder.trainingProtocol == .allImages) || head.trainingProtocol == .allImages
      ? .allImages : .fewShot
  }

  /// The options that one of the halves reads.
  package var options: [MethodOption] { encoder.options + head.options }

  /// True if one of the halves is made of features of the training images, or trained on what the projection reads.
  var needsExamples: Bool { head.needsExamples || encoder.readsTrunk }

  /// The prompts' templates on a dataset.
  package func templates(_ benchmark: Benchmark?) -> [String] {
    (head.isTrained ? nil : encoder.templates(benchmark)) ?? head.templates(benchmark)
  }

  /// The rule that combines the text features of several templates.
  package var ensembling: TextEnsembling { (head.isTrained ? nil : encoder.ensembling) ?? head.ensembling }

  /// True if one optimiser trains both halves, as in the published runs of encoder tunings with a linear head.
  package var sharesOptimizer: Bool {
    encoder.isTrained && encoder.trainingProtocol == .allImages && isNamed(head, LinearMethod())
  }

  /// What produced the published numbers of the method: the encoder's recipe with the head's settings, and with its
  /// optimiser unless the encoder's trains both.
  package func recipe(_ setting: PublishedSetting) -> Recipe {
    let own = head.recipe(setting)
    guard encoder.isTrained else { return own }
    var recipe = encoder.recipe(setting)
    if head.isTrained { recipe.adoptHead(of: own) }
    if sharesOptimizer { recipe.head = recipe.encoder }
    return recipe
  }

  /// Changes the optimiser of the encoder, or that of the head where nothing else is trained: what a learning rate
  /// means that names no half.
  package func changeOptimizer(of recipe: inout Recipe, _ change: (inout OptimizerRecipe) -> Void) {
    change(&recipe.encoder)
    if !encoder.isTrained { change(&recipe.head) }
  }

  /// Whether two names are of the same halves.
  public static func == (a: MethodName, b: MethodName) -> Bool { a.description == b.description }

  /// The name as it is typed.
  public var description: String {
    if !encoder.isTrained { return head.name }
    return head.isTrained ? "\(encoder.name)+\(head.name)" : encoder.name
  }

  private func isNamed(_ a: any HeadMethod, _ b: any HeadMethod) -> Bool { a.name == b.name }
}

extension Method {
  /// The method of a name, after the look at the training images that its encoder half may need.
  ///
  /// - choosing: the training images, for a method that chooses by them or makes its head of them.
  /// - Throws: `SettingError` for settings that fit no such model, `RunError` for a method that needs images without
  ///   any; an error of the images or of `choosing`.
  package init(_ name: MethodName, _ setting: MethodSetting, choosing: ChoiceData? = nil) throws {
    var setting = setting
    if name.head.needsExamples, setting.examples == nil {
      setting.examples = try HeadExamples(of: choosing.required(by: name.head.name), setting)
    }
    if name.encoder.readsTrunk, setting.trunk == nil, let choosing {
      setting.trunk = try HeadExamples(trunkOf: choosing, setting)
    }
    let head = try name.head(setting)
    self.init(
      encoder: try name.encoder.tuning(setting, head: head, choosing: choosing), head: head, tower: setting.tower,
      stochasticDepth: Real(setting.recipe.stochasticDepth ?? 0))
  }
}
