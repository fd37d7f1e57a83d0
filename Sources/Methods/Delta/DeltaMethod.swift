import Models
import Tensor

extension Delta {
  /// Every training of it by itself, the first one first.
  var trainings: [Delta] {
    var last = self
    last.earlier = []
    (last.description.on, last.description.format) = (nil, 1)
    return earlier + [last]
  }

  /// Whether this training, without those before it, made a classifier of its own.
  var hasOwnHead: Bool { tensors.keys.contains { DeltaEntry($0).isOfHead } }

  /// Whether this training, without those before it, changed anything before the head.
  var changesEncoder: Bool { !masks.isEmpty || tensors.keys.contains { !DeltaEntry($0).isOfHead } }

  /// True if it has a classifier for its own classes.
  package var tunesHead: Bool { trainings.contains(where: \.hasOwnHead) }

  /// Whether it has a linear head, which needs no text.
  package var hasLinearHead: Bool {
    trainings.last(where: \.hasOwnHead)?.tensors[DeltaEntry.headWeight.name] != nil
  }

  /// The tuned model: the delta's tensors in place of the frozen ones or added to them, and its head.
  ///
  /// - text: the text features of the delta's own classes, templates and ensembling, [classes, embedding], and the
  ///   scale of their model; `nil` for a model without text, whose delta has a linear head.
  /// - own: the head of the model, for a delta without one.
  public func method(
    on tower: any ImageTower, text: (features: Tensor, logitScale: Parameter)?, own: (any Head)? = nil
  ) -> Method {
    let stacked = PriorTunings(of: earlier, on: tower).tower(tower)
    return Method(encoder: TunedEncoder(self, stacked), head: head(text, own), tower: stacked)
  }

  /// A run of both towers as the delta tuned them, for features of new texts.
  package func pass(on towers: any ImageTower) -> Pass {
    let prior = PriorTunings(of: earlier, on: towers)
    return Pass(tunings: TunedEncoder(self, prior.tower(towers)).tunings([])).over(prior)
  }

  private func head(_ text: (features: Tensor, logitScale: Parameter)?, _ own: (any Head)?) -> any Head {
    if let tuned = Self.head(of: trainings, text: text) { return tuned }
    if let own { return own }
    guard let text else { trap("Delta: expected a linear head for a model without text, found none") }
    return ZeroShot(textFeatures: text.features, logitScale: text.logitScale)
  }

  /// The head of the last training that made one; `nil` where none did.
  ///
  /// The text features of a training on top of a classifier of text rows are these rows.
  static func head(
    of trainings: [Delta], text: (features: Tensor, logitScale: Parameter)?
  ) -> (any Head)? {
    var (text, head) = (text, (any Head)?.none)
    for delta in trainings {
      // A linear head, listed last, goes before a residual: it needs no text.
      let own = MethodList.deltaParts.reversed().lazy.compactMap { $0.head(of: delta, text: text) }.first
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
