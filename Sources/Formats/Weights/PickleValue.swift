import Tensor

/// A value on the stack of a pickle: data, never code.
///
/// Containers are indices into a `PickleGraph`, so that any nesting, sharing and cycle costs one entry each, and
/// releasing it needs no recursion.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer that does not fit in 64 bits: two's complement, the lowest byte first.
  case largeInteger([UInt8])
  case number(Double)
  case string(String)
  case bytes([UInt8])
  case list(PickleGraph.Node)
  case tuple(PickleGraph.Node)
  case set(PickleGraph.Node)
  case dictionary(PickleGraph.Node)
  case object(PickleGraph.Node)
  case storage(PickleGraph.Node)
  case tensor(PickleGraph.Node)
  case global(PickleGlobal)

  /// Its kind, for errors.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .integer, .largeInteger: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .list: "a list"
    case .tuple: "a tuple"
    case .set: "a set"
    case .dictionary: "a dictionary"
    case .object: "an object"
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .global(let global): "the global \(global.name)"
    }
  }
}

/// The containers, storages and tensors of a pickle.
struct PickleGraph {
  typealias Node = Int

  /// A run of elements that tensors share.
  struct Storage {
    /// Its key in the file.
    let key: String
    /// The type of its elements; `nil` for an untyped storage, whose tensors have types.
    let type: ElementType?
    /// The number of elements.
    let count: Int
    /// The range of a view; `nil` for all (only files from before PyTorch 0.4 have such views).
    let view: Range<Int>?
  }

  /// A tensor as the file describes it, not checked.
  struct Tensor {
    let storage: Node
    let type: ElementType
    let offset: Int
    let extents: [Int]
    let strides: [Int]
  }

  /// An instance of a class that is a bag of attributes here.
  struct Object {
    let name: String
    var state: PickleValue
  }

  /// The items of lists, tuples and sets.
  var items: [[PickleValue]] = []
  /// The pairs of dictionaries, in the order in which they were set.
  var pairs: [[(key: PickleValue, value: PickleValue)]] = []
  var objects: [Object] = []
  var storages: [Storage] = []
  var tensors: [Tensor] = []
}
