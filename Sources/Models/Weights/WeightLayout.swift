import Tensor

/// The names and forms under which one family of checkpoints stores the tensors of a model: a table.
public struct WeightLayout: Sendable {
  /// What the layout is called.
  public let name: String
  let rules: [Rule]
  /// Stored names that carry no weights; those that begin with a star are the ends of names.
  let ignored: [String]

  /// One line of the table. `{i}` stands for the number of a block on both sides.
  struct Rule: Sendable {
    let canonical: String
    let stored: String
    let form: Form

    init(_ canonical: String, _ stored: String, _ form: Form = .same) {
      (self.canonical, self.stored, self.form) = (canonical, stored, form)
    }
  }

  /// How a tensor is stored.
  enum Form: Sendable {
    /// As it is used.
    case same
    /// A matrix with rows and columns exchanged.
    case transposed
    /// One of three tensors stacked along the first dimension.
    case third(Int)
    /// With so many extents of 1 in front.
    case nested(Int)

    func storedShape(of shape: Shape) -> Shape {
      switch self {
      case .same: shape
      case .transposed: Shape(shape.extents.reversed())
      case .third: Shape([3 * shape[0]] + shape.extents.dropFirst())
      case .nested(let ones): Shape(Array(repeating: 1, count: ones) + shape.extents)
      }
    }

    /// The shape of the tensor that is stored in another; `nil` where none of this form can be.
    func canonicalShape(of stored: Shape) -> Shape? {
      let shape: Shape? =
        switch self {
        case .same: stored
        case .transposed: Shape(stored.extents.reversed())
        case .third: stored.rank == 0 ? nil : Shape([stored[0] / 3] + stored.extents.dropFirst())
        case .nested(let ones): stored.rank < ones ? nil : Shape(Array(stored.extents.dropFirst(ones)))
        }
      return shape.flatMap { storedShape(of: $0) == stored ? $0 : nil }
    }

    func canonical(_ stored: Tensor, _ shape: Shape) -> Tensor {
      switch self {
      case .same, .nested: stored.reshaped(to: shape)
      case .transposed: stored.transposed()
      case .third(let part):
        Tensor.read(stored) { from in
          Tensor(shape) { $0.update(from: from + part * shape.count, count: shape.count) }
        }
      }
    }
  }

  /// The stored name and form of a canonical name.
  func rule(for canonical: String) -> (name: String, form: Form)? {
    let parts = canonical.split(separator: ".", omittingEmptySubsequences: false)
    let number = parts.first { Int($0) != nil }.map(String.init)
    let pattern = parts.map { Int($0) == nil ? String($0) : "{i}" }.joined(separator: ".")
    guard let rule = rules.first(where: { $0.canonical == pattern }) else { return nil }
    return (rule.stored.replacing("{i}", with: number ?? ""), rule.form)
  }

  func isIgnored(_ stored: String) -> Bool {
    ignored.contains { $0.hasPrefix("*") ? stored.hasSuffix($0.dropFirst()) : stored == $0 }
  }

  /// The rules of one block of a tower, whose halves of the names differ from the other tower's only in front.
  static func block(_ canonical: String, _ stored: String, _ rules: [Rule]) -> [Rule] {
    rules.map { Rule("\(canonical).\($0.canonical)", "\(stored).\($0.stored)", $0.form) }
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

  /// Weights and biases of query, key and value, stacked.
  static func stackedAttention(_ canonical: String, _ weight: String, bias: String) -> [Rule] {
    ["query", "key", "value"].enumerated().flatMap { part, name in
      [
        Rule("\(canonical).\(name)", weight, .third(part)),
        Rule("\(canonical).\(name).bias", bias, .third(part)),
      ]
    }
  }
}
