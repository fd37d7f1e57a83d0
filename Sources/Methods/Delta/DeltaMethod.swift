import Models
import Tensor

extension Delta {
  /// The most trainings one on top of another: each is a pass through all weights when the delta is read.
  static let mostTrainings = 64

  /// Every training of it by itself, the first one first.
  var trainings: [Delta] {
    var last = self
    last.earlier = []
    (last.description.on, last.description.format) = (nil, 1)
    return earlier + [last]
  }

  /// Whether this training, without those before it, made a classifier of its own.
  var hasOwnHead: Bool { tensors.keys.contains { DeltaEntry($0).isOfHead } }

  /// Whether it has a classifier of its own.
  var hasAnyHead: Bool { trainings.contains(where: \.hasOwnHead) }

  /// Whether this training, without those before it, changed anything before the head.
  var changesEncoder: Bool { !masks.isEmpty || tensors.keys.contains { !DeltaEntry($0).isOfHead } }

  /// True if it has a classifier for its own classes.
  package var tunesHead: Bool { trainings.contains { $0.tensors.keys.contains { DeltaEntry($0).isOfClasses } } }

  /// True if it has prompts for whatever classes.
  private var hasContext: Bool {
    trainings.contains { $0.tensors.keys.contains { DeltaEntry($0).isOfHead && !DeltaEntry($0).isOfClasses } }
  }

  /// Whether it has a linear head, which needs no text.
  package var hasLinearHead: Bool {
    trainings.last(where: \.hasOwnHead)?.tensors[DeltaEntry.headWeight.name] != nil
  }

  /// The features of texts, [classes, embedding], and the scale of their model.
  public typealias Text = (features: Tensor, logitScale: Parameter)

  /// The tuned model: the delta's tensors in place of the frozen ones or added to them, and its head.
  ///
  /// - text: that of the delta's own classes, templates and ensembling; `nil` for a model without text, whose delta has
  ///   a linear head. Traps for prompts that depend on the image, which need more than features.
  /// - own: the head of the model, for a delta without one.
  public func method(on tower: any ImageTower, text: Text?, own: (any Head)? = nil) -> Method {
    require(
      !hasContext, "Delta: expected names of classes and a text tower for prompts that depend on the image, found none")
    return method(on: tower, head: Self.head(of: trainings, text: text) { _, _ in nil }, text, own)
  }

  /// The tuned model for classes whose prompts its head may encode itself.
  ///
  /// - text: as above, of the classes; prompts: their names and the text tower, as the delta tuned it.
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  public func method(
    on tower: any ImageTower, text: Text, prompts: PromptEncoder
  ) throws(SettingError) -> Method {
    method(on: tower, head: try Self.head(of: trainings, text: text, prompts: prompts), text, nil)
  }

  private func method(on tower: any ImageTower, head: (any Head)?, _ text: Text?, _ own: (any Head)?) -> Method {
    let stacked = PriorTunings(of: earlier, on: tower).tower(tower)
    let zeroShot = text.map { ZeroShot(textFeatures: $0.features, logitScale: $0.logitScale) }
    guard let head = head ?? own ?? zeroShot else {
      trap("Delta: expected a linear head for a model without text, found none")
    }
    return Method(encoder: TunedEncoder(self, stacked), head: head, tower: stacked)
  }

  /// A run of both towers as the delta tuned them, for features of new texts.
  package func pass(on towers: any ImageTower) -> Pass {
    let prior = PriorTunings(of: earlier, on: towers)
    return Pass(tunings: TunedEncoder(self, prior.tower(towers)).tunings([])).over(prior)
  }

  /// The text tower of a pair as the delta tuned it.
  package func text(_ text: TextTransformer, of towers: any ImageTower) -> TextTransformer {
    text.over(PriorTunings(of: trainings, on: towers))
  }

  /// The head of the last training that made one; `nil` where none did.
  ///
  /// - prompts: for a head that encodes prompts of the classes itself.
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  static func head(
    of trainings: [Delta], text: Text?, prompts: PromptEncoder?
  ) throws(SettingError) -> (any Head)? {
    try head(of: trainings, text: text) { (delta, text) throws(SettingError) in
      guard let prompts else { return nil }
      for part in MethodList.deltaParts {
        if let head = try part.head(of: delta, text: text, prompts: prompts) { return head }
      }
      return nil
    }
  }

  /// The text features of a training on top of a classifier of text rows are these rows.
  ///
  /// - prompted: the head of a delta that features of texts do not suffice for.
  private static func head<Failure: Error>(
    of trainings: [Delta], text: Text?, prompted: (Delta, Text) throws(Failure) -> (any Head)?
  ) throws(Failure) -> (any Head)? {
    var (text, head) = (text, (any Head)?.none)
    for delta in trainings {
      // A linear head, listed last, goes before a residual: it needs no text.
      var own = MethodList.deltaParts.reversed().lazy.compactMap { $0.head(of: delta, text: text) }.first
      if own == nil, let text { own = try prompted(delta, text) }
      guard let own else { continue }
      head = own
      if let rows = own.rows([]), let scale = text?.logitScale { text = (rows, scale) }
    }
    return head
  }
}

/// An encoder with fixed tunings.
private struct TunedEncoder: EncoderTuning {
  private let stored: [Site: StoredTuning]

  init(_ delta: Delta, _ tower: any ImageTower) {
    var stored: [Site: StoredTuning] = [:]
    for parameter in tower.parameters {
      for part in MethodList.deltaParts {
        if let tuning = part.tuning(of: parameter, in: delta) { stored[parameter.site] = tuning }
      }
    }
    for part in MethodList.deltaParts { stored.merge(part.added(to: tower, from: delta)) { _, new in new } }
    self.stored = stored
  }

  var trainables: [Trainable] { [] }

  func tunings(_ values: [Variable]) -> [Site: Tuning] { stored.mapValues(\.tuning) }
}
