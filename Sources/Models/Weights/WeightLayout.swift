import Tensor

/// The names and forms under which one family of checkpoints stores the tensors of a model: a table.
public struct WeightLayout: Sendable {
  /// The name of the layout.
  public let name: String
  let rules: [Rule]
  /// Stored names that carry no weights of the model; a star stands for any beginning or any end.
  let ignored: [String]
  /// Other contents of a checkpoint that are not part of the model and not loaded, with a notice.
  var leftAside: [Part]
  /// The `model_type` of the `config.json` next to the checkpoint, if it is one of Hugging Face's.
  package var modelType: String?
  /// True if the classifier of these names has a head for each of two tokens, of which it takes the mean.
  package var hasTwoHeads = false
  /// The stored names of a checkpoint with its own prefix (`StrippedSource`).
  var fullNames: [String: String] = [:]

  /// A part of a checkpoint that belongs to its pretraining alone.
  struct Part: Sendable {
    /// Its name in messages: "the decoder of MAE's pretraining".
    let name: String
    /// Its stored names, with stars as in `ignored`.
    let patterns: [String]
  }

  /// One row of the table. `{i}` is the index of a block on both sides.
  struct Rule: Sendable {
    let canonical: String
    let stored: String
    let form: Form

    init(_ canonical: String, _ stored: String, _ form: Form = .same) {
      (self.canonical, self.stored, self.form) = (canonical, stored, form)
    }
  }

  init(name: String, rules: [Rule]..., ignored: [String], leftAside: [Part] = []) {
    (self.name, self.ignored, self.leftAside) = (name, ignored, leftAside)
    self.rules = Array(rules.joined())
  }

  /// The names of this library, everything stored as it is used.
  package static let canonical = WeightLayout(name: "frugal", rules: [], ignored: [])

  /// The stored name and form of a canonical name.
  func rule(for canonical: String) -> (name: String, form: Form)? {
    if rules.isEmpty { return (canonical, .same) }
    let parts = canonical.split(separator: ".", omittingEmptySubsequences: false)
    let number = parts.first { Int($0) != nil }.map(String.init)
    let pattern = parts.map { Int($0) == nil ? String($0) : "{i}" }.joined(separator: ".")
    guard let rule = rules.first(where: { $0.canonical == pattern }) else { return nil }
    let name = rule.stored.replacing("{i}", with: number ?? "")
    return (fullNames[name] ?? name, rule.form)
  }

  func isIgnored(_ stored: String) -> Bool {
    Self.matches(stored, ignored) || leftAside.contains { Self.matches(stored, $0.patterns) }
  }

  /// One line per part of a checkpoint that is not loaded.
  func notes(about names: [String]) -> [String] {
    leftAside.compactMap { part in
      let count = names.count { Self.matches($0, part.patterns) }
      return count == 0 ? nil : "\(part.name) not loaded (\(count) \(count == 1 ? "tensor" : "tensors"))"
    }
  }

  private static func matches(_ stored: String, _ patterns: [String]) -> Bool {
    patterns.contains { pattern in
      if pattern.hasPrefix("*") { return stored.hasSuffix(pattern.dropFirst()) }
      return pattern.hasSuffix("*") ? stored.hasPrefix(pattern.dropLast()) : stored == pattern
    }
  }

  /// One list: sums of many lists take the compiler's type checker minutes.
  static func joined(_ rules: [Rule]...) -> [Rule] { Array(rules.joined()) }

  /// The rules of one block of a tower, whose names differ from the other tower's only in the prefix.
  static func block(_ canonical: String, _ stored: String, _ rules: [Rule]...) -> [Rule] {
    rules.joined().map { Rule("\(canonical).\($0.canonical)", "\(stored).\($0.stored)", $0.form) }
  }

  /// Scale and shift of a norm.
  static func norm(_ canonical: String, _ stored: String) -> [Rule] {
    [Rule("\(canonical).scale", "\(stored).weight"), Rule("\(canonical).shift", "\(stored).bias")]
  }

  /// Scale, shift and statistics of a batch norm.
  static func batchNorm(_ canonical: String, _ stored: String) -> [Rule] {
    norm(canonical, stored) + [
      Rule("\(canonical).mean", "\(stored).running_mean"), Rule("\(canonical).variance", "\(stored).running_var"),
    ]
  }

  /// Weight and bias of a linear map.
  static func linear(_ canonical: String, _ stored: String) -> [Rule] {
    [Rule(canonical, "\(stored).weight"), Rule("\(canonical).bias", "\(stored).bias")]
  }

  /// Weight and bias of two linear maps, stacked.
  static func stackedPair(_ first: String, _ second: String, _ stored: String) -> [Rule] {
    [first, second].enumerated().flatMap { part, name in
      [
        Rule(name, "\(stored).weight", .half(part)), Rule("\(name).bias", "\(stored).bias", .half(part)),
      ]
    }
  }

  /// Weight and bias of a linear map that is stored as a 1 × 1 convolution.
  static func pixelwise(_ canonical: String, _ stored: String) -> [Rule] {
    [Rule(canonical, "\(stored).weight", .trailing(2)), Rule("\(canonical).bias", "\(stored).bias")]
  }

  /// Weights of query, key and value, stacked.
  static func stackedWeights(_ canonical: String, _ weight: String) -> [Rule] {
    ["query", "key", "value"].enumerated().map { Rule("\(canonical).\($1)", weight, .third($0)) }
  }

  /// Weights and biases of query, key and value, stacked.
  static func stackedAttention(_ canonical: String, _ weight: String, bias: String) -> [Rule] {
    stackedWeights(canonical, weight)
      + ["query", "key", "value"].enumerated().map { Rule("\(canonical).\($1).bias", bias, .third($0)) }
  }
}
