// The values of calls of listed globals, instances of listed classes and persistent ids, made of their
// arguments. PyTorch's names and argument orders are those of torch/_utils.py and torch/serialization.py.

extension PickleInterpreter {
  /// The result of REDUCE.
  mutating func call(_ global: PickleGlobal, _ arguments: [PickleValue]) throws(FormatProblem) -> PickleValue {
    func wrong(_ expected: String) -> FormatProblem {
      FormatProblem(
        expected: "\(global.name) of \(expected)",
        found: arguments.isEmpty ? "nothing" : arguments.prefix(9).map(\.kind).joined(separator: ", "))
    }
    switch global {
    case .orderedDictionary:
      guard let first = arguments.first else { return .dictionary(try newPairs([])) }
      guard arguments.count == 1, case .list(let node) = first else { throw wrong("a list of pairs") }
      // The pairs of a list can be shared, and so can the list: both are charged before they are copied.
      try budget.charge(graph.items[node].count, of: PickleBudget.pair)
      var pairs: [(key: PickleValue, value: PickleValue)] = []
      pairs.reserveCapacity(graph.items[node].count)
      for item in graph.items[node] {
        guard let pair = items(of: item), pair.count == 2 else { throw wrong("a list of pairs") }
        pairs.append((pair[0], pair[1]))
      }
      return .dictionary(try newPairs(pairs))
    case .set:
      guard let first = arguments.first else { return .set(try newItems([])) }
      guard arguments.count == 1, let items = items(of: first) else { throw wrong("a list") }
      return .set(try newItems(items))
    case .bytes:
      guard let first = arguments.first else { return .bytes([]) }
      guard arguments.count == 1, case .bytes = first else { throw wrong("bytes") }
      return first
    case .encode:
      guard arguments.count == 2, case .string(let text) = arguments[0], case .string(let encoding) = arguments[1],
        ["latin1", "latin-1", "iso-8859-1"].contains(encoding)
      else { throw wrong("a string in latin1") }
      try budget.charge(PickleBudget.container + text.utf8.count)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.utf8.count)
      for scalar in text.unicodeScalars {
        guard let byte = UInt8(exactly: scalar.value) else { throw wrong("characters below U+0100") }
        bytes.append(byte)
      }
      return .bytes(bytes)
    case .size:
      guard arguments.count == 1, let items = items(of: arguments[0]) else { throw wrong("a tuple") }
      return .tuple(try newItems(items))
    case .numPyScalar: return try numPyScalar(arguments)
    case .numPyType: return try numPyType(arguments)
    case .device:
      guard case .string? = arguments.first, arguments.count <= 2 else { throw wrong("a name and a number") }
      return .object(try newObject(global.name, .tuple(try newItems(arguments))))
    case .rebuildTensor(let version): return .tensor(try tensor(arguments, version))
    case .rebuildParameter:
      // The data, whether they need a gradient, and hooks.
      guard arguments.count == 3, case .tensor = arguments[0] else { throw wrong("a tensor, a truth value and hooks") }
      return arguments[0]
    case .scriptList:
      guard arguments.count == 1, case .list = arguments[0] else { throw wrong("a list") }
      return arguments[0]
    case .scriptTag:
      guard arguments.count == 2, case .string = arguments[1] else { throw wrong("a value and a type") }
      return arguments[0]
    case .storage, .untypedStorage, .type, .bag:
      throw FormatProblem(expected: "a global that may be called", found: global.name)
    }
  }

  /// The result of NEWOBJ: a dictionary, or an object without attributes yet.
  mutating func instance(of global: PickleGlobal, _ arguments: [PickleValue]) throws(FormatProblem) -> PickleValue {
    switch global {
    case .orderedDictionary: return .dictionary(try newPairs([]))
    case .bag(let name) where arguments.isEmpty: return .object(try newObject(name, .none))
    default: throw FormatProblem(expected: "a class of attributes, without arguments", found: global.name)
    }
  }

  /// BUILD: the attributes of a bag. Those of a dictionary (`_metadata` of a state dictionary) are dropped.
  mutating func build(_ value: PickleValue, _ state: PickleValue) throws(FormatProblem) {
    switch value {
    case .dictionary: return
    case .object(let node): graph.objects[node].state = state
    default: throw FormatProblem(expected: "an object to give attributes", found: value.kind)
    }
  }

  /// A persistent id: ("storage", type, key, location, count) and, in files before version 1.6, a view or None.
  mutating func storage(_ id: [PickleValue]) throws(FormatProblem) -> PickleValue {
    guard id.count == 5 || id.count == 6, case .string("storage") = id[0], case .global(let global) = id[1],
      case .string(let key) = id[2], case .string = id[3], case .integer(let count) = id[4], count >= 0
    else {
      throw FormatProblem(
        expected: "a storage's type, key, location and count as a persistent id",
        found: id.prefix(9).map(\.kind).joined(separator: ", "))
    }
    let type: ElementType?
    switch global {
    case .storage(let stored): type = stored
    case .untypedStorage: type = nil
    default: throw FormatProblem(expected: "the type of a storage", found: global.name)
    }
    var view: Range<Int>?
    if id.count == 6, case .tuple(let node) = id[5] {
      // The key of the view, its first element and its count.
      let parts = graph.items[node]
      guard parts.count == 3, case .integer(let start) = parts[1], case .integer(let length) = parts[2],
        (0...count).contains(start), (0...(count - start)).contains(length)
      else { throw FormatProblem(expected: "a view within \(count) elements", found: "another one") }
      view = start..<start + length
    }
    // In the graph, and among the ranges of the older format.
    try budget.charge(3 * MemoryLayout<PickleGraph.Storage>.stride)
    graph.storages.append(.init(key: key, type: type, count: count, view: view))
    return .storage(graph.storages.count - 1)
  }

  /// (storage, offset, size, stride) and, after gradient and hooks, a type in the third form.
  private mutating func tensor(
    _ arguments: [PickleValue], _ version: PickleGlobal.Version
  ) throws(FormatProblem) -> PickleGraph.Node {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
      let extents = try integers(of: arguments[2]), let strides = try integers(of: arguments[3])
    else {
      throw FormatProblem(
        expected: "a tensor of storage, offset, size and stride",
        found: arguments.prefix(9).map(\.kind).joined(separator: ", "))
    }
    try budget.charge(2 * MemoryLayout<PickleGraph.Tensor>.stride)
    var type = graph.storages[storage].type
    if version == .third {
      guard arguments.count >= 7, case .global(.type(let stated)) = arguments[6] else {
        throw FormatProblem(expected: "a tensor's type", found: "none")
      }
      type = stated
    }
    guard let type else { throw FormatProblem(expected: "a storage with a type", found: "one without") }
    graph.tensors.append(.init(storage: storage, type: type, offset: offset, extents: extents, strides: strides))
    return graph.tensors.count - 1
  }

  private mutating func newObject(_ name: String, _ state: PickleValue) throws(FormatProblem) -> PickleGraph.Node {
    try budget.charge(2 * MemoryLayout<PickleGraph.Object>.stride)
    graph.objects.append(.init(name: name, state: state))
    return graph.objects.count - 1
  }

  private func items(of value: PickleValue) -> [PickleValue]? {
    switch value {
    case .list(let node), .tuple(let node), .set(let node): graph.items[node]
    default: nil
    }
  }

  /// Extents or strides. They come from tuples of the pickle, which can be shared by any number of tensors.
  private mutating func integers(of value: PickleValue) throws(FormatProblem) -> [Int]? {
    guard let items = items(of: value) else { return nil }
    guard items.count <= PickleBudget.rankLimit else {
      throw FormatProblem(expected: "at most \(PickleBudget.rankLimit) dimensions", found: "\(items.count)")
    }
    try budget.charge(PickleBudget.container + 2 * items.count * MemoryLayout<Int>.stride)
    let integers = items.compactMap { if case .integer(let integer) = $0 { integer } else { nil } }
    return integers.count == items.count ? integers : nil
  }
}
