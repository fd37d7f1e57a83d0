/// What tables say of one half of a method: the paper, what is tuned, how much of it, and where its defaults come from.
package struct MethodCard: Sendable, Equatable {
  /// Authors and title.
  package let paper: String
  /// The year of the paper.
  package let year: Int
  /// What of the model is tuned.
  package let tunes: String
  /// The number of parameters that are learned for ViT-B/16: of the vision transformer, or of a CLIP with C classes.
  package let count: String
  /// The source of its defaults.
  package let defaults: String

  init(_ paper: String, _ year: Int, tunes: String, count: String, defaults: String) {
    (self.paper, self.year, self.tunes, self.count, self.defaults) = (paper, year, tunes, count, defaults)
  }

  /// The cards of all halves that learn something, by their names: encoder tunings first.
  package static let all: [(name: String, isHead: Bool, card: MethodCard)] =
    MethodList.encoders.filter(\.isTrained).map { ($0.name, false, $0.card) }
    + MethodList.heads.filter(\.isTrained).map { ($0.name, true, $0.card) }
}
