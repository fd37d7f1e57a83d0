import Formats
import Foundation
import Tensor

/// Which classes of an image are shown: the likeliest, or all that are likely enough.
struct ClassChoice {
  /// The largest number of classes; `nil` for the default.
  let top: Int?
  /// The least probability of a class; `nil` for the default.
  let threshold: Double?
  /// Whether each class has a probability of its own.
  var isMultiLabel: Bool

  /// Softmax of each row, or sigmoids.
  func probabilities(_ logits: Tensor) -> [[Double]] {
    let width = logits.shape.width
    let values =
      isMultiLabel
      ? logits.values.map { 1 / (1 + exp(-Double($0))) } : Variable(logits).softmax().value.values.map { Double($0) }
    return (0..<logits.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }

  /// The classes of an image, the likeliest first and equally likely ones in their order.
  func prediction(_ picture: String, _ probabilities: [Double], _ names: [String]) -> PictureAnswer {
    let ranked = probabilities.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
      .map { PictureAnswer.Class(name: names[$0.offset], probability: $0.element) }
    guard let least = threshold ?? (isMultiLabel ? 0.5 : nil) else {
      return PictureAnswer(picture: picture, classes: Array(ranked.prefix(top ?? 5)), best: nil)
    }
    let likely = ranked.filter { $0.probability >= least }
    return PictureAnswer(
      picture: picture, classes: Array(likely.prefix(top ?? (isMultiLabel ? likely.count : 5))), best: ranked.first)
  }
}

/// The classes of one image.
struct PictureAnswer: Encodable {
  struct Class: Encodable {
    let name: String
    let probability: Double
  }

  let picture: String
  /// Those that are shown, the likeliest first.
  let classes: [Class]
  /// The likeliest of all, where a threshold decides; `nil` without one.
  let best: Class?

  static let none = "none"

  private enum CodingKeys: String, CodingKey { case picture, classes, answer }

  /// With a threshold, `answer` is the likeliest class or `none`.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(picture, forKey: .picture)
    try container.encode(classes, forKey: .classes)
    if best != nil { try container.encode(classes.first?.name ?? Self.none, forKey: .answer) }
  }

  /// One line of text.
  var line: String {
    let shown = classes.map(Self.text)
    guard shown.isEmpty, let best else { return "\(FileName.shown(picture)): \(shown.joined(separator: ", "))" }
    return "\(FileName.shown(picture)): \(Self.none) (likeliest \(Self.text(best)))"
  }

  private static func text(_ shown: Class) -> String { "\(shown.name) \(percent(100 * shown.probability)) %" }

  /// The first line of a table.
  static let heading = "picture,rank,class,probability"

  /// One line of the table per class; without any, one that says none, without a probability.
  var rows: [String] {
    let name = Self.field(picture)
    guard !classes.isEmpty else { return ["\(name),1,\(Self.none),"] }
    return classes.enumerated().map { "\(name),\($0 + 1),\(Self.field($1.name)),\($1.probability)" }
  }

  /// A field of CSV, in quotation marks where it needs them (RFC 4180).
  private static func field(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }
}
