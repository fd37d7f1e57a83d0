/// An interpreter of the opcodes of Python's pickles that data need: protocols 2 to 5, as PyTorch writes them
/// (Python's `pickletools` describes every opcode).
///
/// Nothing is ever executed. A global outside the list of `PickleGlobal` is refused by name as soon as it is mentioned;
/// the values of listed ones are made in `PickleCalls.swift`. One opcode makes at most one value, copies of
/// values are counted, and both are bounded, so that neither memory nor time outgrows the file by much.
struct PickleInterpreter {
  /// The maximal number of opcodes of a pickle. A checkpoint needs about forty per tensor.
  static let opcodeLimit = 1 << 22
  /// The maximal number of items and bytes that calls and paths may copy.
  static let copyLimit = 1 << 28

  var graph = PickleGraph()
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var copied = 0
  private var reader: ByteReader

  /// A pickle that begins at `position`.
  init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) { reader = ByteReader(bytes, from: position) }

  /// The position after the pickle.
  var position: Int { reader.position }

  /// The value of one pickle.
  mutating func run() throws(FormatProblem) -> PickleValue {
    guard try reader.integer(UInt8.self, "a pickle") == Opcode.protocolVersion.rawValue else {
      throw FormatProblem(expected: "a pickle of protocol 2 to 5", found: "other bytes")
    }
    let version = try reader.integer(UInt8.self, "a protocol")
    guard (2...5).contains(version) else {
      throw FormatProblem(expected: "a pickle of protocol 2 to 5", found: "protocol \(version)")
    }
    (stack, marks, memo) = ([], [], [:])
    for _ in 0..<Self.opcodeLimit {
      let code = try reader.integer(UInt8.self, "an opcode of the pickle")
      guard let opcode = Opcode(rawValue: code) else {
        throw FormatProblem(
          expected: "an opcode that tensors need", found: "opcode \(code) at byte \(reader.position - 1) of the pickle")
      }
      if opcode == .stop { return try pop() }
      do throws(FormatProblem) { try execute(opcode) } catch {
        guard error.global == nil else { throw error }
        throw FormatProblem(
          expected: error.expected,
          found: "\(error.found), at opcode \(opcode) before byte \(reader.position) of the pickle")
      }
    }
    throw FormatProblem(expected: "at most \(Self.opcodeLimit) opcodes in a pickle", found: "more")
  }

  private mutating func execute(_ opcode: Opcode) throws(FormatProblem) {
    switch opcode {
    case .protocolVersion: _ = try reader.integer(UInt8.self, "a protocol")
    case .frame: _ = try reader.integer(UInt64.self, "the length of a frame")
    case .stop: break
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popMarked()
    case .duplicate: stack.append(try top())
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .binInt1: stack.append(.integer(Int(try reader.integer(UInt8.self, "an integer"))))
    case .binInt2: stack.append(.integer(Int(try reader.integer(UInt16.self, "an integer"))))
    case .binInt: stack.append(.integer(Int(try reader.integer(Int32.self, "an integer"))))
    case .long1: try pushLong(try reader.integer(UInt8.self, "a length"))
    case .long4: try pushLong(try reader.integer(UInt32.self, "a length"))
    case .binFloat:
      let bits = try reader.integer(UInt64.self, "a number")
      stack.append(.number(Double(bitPattern: bits.byteSwapped)))
    case .shortBinUnicode: try pushString(try reader.integer(UInt8.self, "a length"))
    case .binUnicode: try pushString(try reader.integer(UInt32.self, "a length"))
    case .binUnicode8: try pushString(try reader.integer(UInt64.self, "a length"))
    case .shortBinString: try pushString(try reader.integer(UInt8.self, "a length"))
    case .binString: try pushString(try reader.integer(UInt32.self, "a length"))
    case .shortBinBytes: try pushBytes(try reader.integer(UInt8.self, "a length"))
    case .binBytes: try pushBytes(try reader.integer(UInt32.self, "a length"))
    case .binBytes8, .byteArray8: try pushBytes(try reader.integer(UInt64.self, "a length"))
    case .emptyList: stack.append(.list(newItems([])))
    case .emptyTuple: stack.append(.tuple(newItems([])))
    case .emptySet: stack.append(.set(newItems([])))
    case .emptyDictionary: stack.append(.dictionary(newPairs([])))
    case .list: stack.append(.list(newItems(try popMarked())))
    case .tuple: stack.append(.tuple(newItems(try popMarked())))
    case .frozenSet: stack.append(.set(newItems(try popMarked())))
    case .tuple1: try pushTuple(of: 1)
    case .tuple2: try pushTuple(of: 2)
    case .tuple3: try pushTuple(of: 3)
    case .dictionary:
      let values = try popMarked()
      stack.append(.dictionary(newPairs(try paired(values))))
    case .append: try append([try pop()])
    case .appends, .addItems: try append(try popMarked())
    case .setItem:
      let value = try pop()
      try set([(try pop(), value)])
    case .setItems:
      let values = try popMarked()
      try set(try paired(values))
    case .global:
      let module = try line()
      try pushGlobal(module, try line())
    case .stackGlobal:
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw FormatProblem(expected: "the module and the name of a global", found: "other values")
      }
      try pushGlobal(module, name)
    case .reduce:
      let arguments = try popTuple("the arguments of a call")
      guard case .global(let global) = try pop() else {
        throw FormatProblem(expected: "a global to call", found: "another value")
      }
      stack.append(try call(global, arguments))
    case .newObject:
      let arguments = try popTuple("the arguments of a class")
      guard case .global(let global) = try pop() else {
        throw FormatProblem(expected: "a class", found: "another value")
      }
      stack.append(try instance(of: global, arguments))
    case .build:
      let state = try pop()
      try build(try top(), state)
    case .persistentID:
      stack.append(try storage(try popTuple("a persistent id")))
    case .binGet: try get(Int(try reader.integer(UInt8.self, "an index in the memo")))
    case .longBinGet: try get(Int(try reader.integer(UInt32.self, "an index in the memo")))
    case .binPut: memo[Int(try reader.integer(UInt8.self, "an index in the memo"))] = try top()
    case .longBinPut: memo[Int(try reader.integer(UInt32.self, "an index in the memo"))] = try top()
    case .memoize: memo[memo.count] = try top()
    }
  }
}

// The machine.
extension PickleInterpreter {
  /// Accounts for items or bytes that are copied.
  mutating func charge(_ amount: Int) throws(FormatProblem) {
    copied += amount
    guard copied <= Self.copyLimit else {
      throw FormatProblem(expected: "at most \(Self.copyLimit) copied bytes and items in a pickle", found: "more")
    }
  }

  mutating func newItems(_ items: [PickleValue]) -> PickleGraph.Node {
    graph.items.append(items)
    return graph.items.count - 1
  }

  mutating func newPairs(_ pairs: [(key: PickleValue, value: PickleValue)]) -> PickleGraph.Node {
    graph.pairs.append(pairs)
    return graph.pairs.count - 1
  }

  /// The number of values above the last mark.
  private var height: Int { stack.count - (marks.last ?? 0) }

  private mutating func pop() throws(FormatProblem) -> PickleValue {
    guard height > 0, let value = stack.popLast() else {
      throw FormatProblem(expected: "a value on the stack", found: "none")
    }
    return value
  }

  private func top() throws(FormatProblem) -> PickleValue {
    guard height > 0, let value = stack.last else {
      throw FormatProblem(expected: "a value on the stack", found: "none")
    }
    return value
  }

  private mutating func popMarked() throws(FormatProblem) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw FormatProblem(expected: "a mark on the stack", found: "none") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func popTuple(_ what: String) throws(FormatProblem) -> [PickleValue] {
    let value = try pop()
    guard case .tuple(let node) = value else { throw FormatProblem(expected: "\(what) in a tuple", found: value.kind) }
    return graph.items[node]
  }

  private mutating func pushTuple(of count: Int) throws(FormatProblem) {
    guard height >= count else { throw FormatProblem(expected: "\(count) values on the stack", found: "\(height)") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    stack.append(.tuple(newItems(items)))
  }

  private mutating func pushLong(_ length: some BinaryInteger) throws(FormatProblem) {
    let bytes = try reader.take(length, "an integer")
    guard bytes.count > 8 else {
      var value = bytes.last.map { $0 >= 0x80 ? -1 : 0 } ?? 0
      for byte in bytes.reversed() { value = value << 8 | Int(byte) }
      stack.append(.integer(value))
      return
    }
    // No integer of a checkpoint comes near; writing one out takes time quadratic in its length.
    guard bytes.count <= 256 else {
      throw FormatProblem(expected: "an integer of at most 256 bytes", found: "\(bytes.count)")
    }
    stack.append(.largeInteger(Array(bytes)))
  }

  private mutating func pushString(_ length: some BinaryInteger) throws(FormatProblem) {
    let bytes = try reader.take(length, "a string")
    // Python lets halves of surrogate pairs and the 8-bit strings of Python 2 pass; here they are repaired.
    stack.append(.string(String(decoding: bytes, as: UTF8.self)))
  }

  private mutating func pushBytes(_ length: some BinaryInteger) throws(FormatProblem) {
    stack.append(.bytes(Array(try reader.take(length, "bytes"))))
  }

  private mutating func append(_ values: [PickleValue]) throws(FormatProblem) {
    switch try top() {
    case .list(let node), .set(let node): graph.items[node] += values
    case let other: throw FormatProblem(expected: "a list or a set to append to", found: other.kind)
    }
  }

  private mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(FormatProblem) {
    guard case .dictionary(let node) = try top() else {
      throw FormatProblem(expected: "a dictionary to set items of", found: try top().kind)
    }
    graph.pairs[node] += pairs
  }

  private func paired(_ values: [PickleValue]) throws(FormatProblem) -> [(key: PickleValue, value: PickleValue)] {
    guard values.count % 2 == 0 else { throw FormatProblem(expected: "keys with values", found: "a key without one") }
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  private mutating func get(_ index: Int) throws(FormatProblem) {
    guard let value = memo[index] else { throw FormatProblem(expected: "entry \(index) of the memo", found: "none") }
    stack.append(value)
  }

  /// The bytes up to the next newline.
  private mutating func line() throws(FormatProblem) -> String {
    var bytes: [UInt8] = []
    while true {
      let byte = try reader.integer(UInt8.self, "the end of a global's name")
      if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(FormatProblem) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw FormatProblem(
        expected: "a global that tensors need", found: quoted("\(module).\(name)"), global: "\(module).\(name)")
    }
    stack.append(.global(global))
  }
}
