import Tensor

/// A value of a PyTorch checkpoint with all of its structure: lists within dictionaries, in the order of the file.
///
/// `TorchFile.names` and `values` flatten a checkpoint to what models are made of; this is for files that hold more
/// than a state dictionary, and for writing one (`TorchWriter`).
package enum PythonObject: Sendable, Equatable {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case bytes([UInt8])
  /// A list, a tuple or a set.
  case list([PythonObject])
  case dictionary([Pair])
  /// A tensor, whose elements `TorchFile` reads by name.
  case tensor
  /// Anything else, by its kind.
  case other(String)

  /// A key and its value.
  package struct Pair: Sendable, Equatable {
    /// The key.
    package var key: PythonObject
    /// The value.
    package var value: PythonObject

    /// A pair by its parts.
    package init(_ key: PythonObject, _ value: PythonObject) { (self.key, self.value) = (key, value) }
  }

  /// The value under a key of a dictionary, the last one if it was set twice; `nil` for other objects.
  package subscript(_ key: String) -> PythonObject? { pairs?.last { $0.key == .string(key) }?.value }

  /// The pairs of a dictionary.
  package var pairs: [Pair]? { if case .dictionary(let pairs) = self { pairs } else { nil } }
  /// The items of a list, a tuple or a set.
  package var items: [PythonObject]? { if case .list(let items) = self { items } else { nil } }
  /// An integer.
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// A string.
  package var string: String? { if case .string(let value) = self { value } else { nil } }

  /// Its kind, for errors.
  package var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .list(let items): "a list of \(items.count)"
    case .dictionary(let pairs): "a dictionary of \(pairs.count)"
    case .tensor: "a tensor"
    case .other(let kind): kind
    }
  }
}

/// The objects of a pickle as trees, in which shared ones are copied: their number and depth are limited.
struct PythonObjects {
  private let graph: PickleGraph
  private var budget: PickleBudget
  private static let depthLimit = 64

  init(_ graph: PickleGraph, _ budget: PickleBudget) { (self.graph, self.budget) = (graph, budget) }

  mutating func object(_ value: PickleValue, depth: Int = 0) throws(FormatProblem) -> PythonObject {
    // As an item that grows by doubling, and its container if it is one.
    try budget.charge(2 * MemoryLayout<PythonObject.Pair>.stride + PickleBudget.container)
    guard depth < Self.depthLimit else {
      throw FormatProblem(expected: "at most \(Self.depthLimit) nested objects", found: "more")
    }
    switch value {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let value): return .string(value)
    case .bytes(let value):
      // Copies share their storage, so that they cost no more than an object.
      return .bytes(value)
    case .tensor: return .tensor
    case .list(let place), .tuple(let place), .set(let place):
      var items: [PythonObject] = []
      for item in graph.items[place] { items.append(try object(item, depth: depth + 1)) }
      return .list(items)
    case .dictionary(let place):
      var pairs: [PythonObject.Pair] = []
      for pair in graph.pairs[place] {
        pairs.append(.init(try object(pair.key, depth: depth + 1), try object(pair.value, depth: depth + 1)))
      }
      return .dictionary(pairs)
    case .object, .storage, .global, .largeInteger: return .other(value.kind)
    }
  }
}
