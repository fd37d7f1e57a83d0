/// An interpreter of the opcodes of Python's pickles that data need: protocols 2 to 5, as PyTorch writes them
/// (Python's `pickletools` describes every opcode).
///
/// Nothing is ever executed. A global outside the list of `PickleGlobal` is refused by name as soon as it is mentioned;
/// the values of listed ones are made in `PickleCalls.swift`. One opcode makes at most one value, and every value,
/// item and copy is charged in bytes to a `PickleBudget`: neither memory nor time outgrows the file by much.
struct PickleInterpreter {
  /// The maximal number of opcodes of a pickle. A checkpoint needs about forty per tensor.
  static let opcodeLimit = 1 << 22
  /// The maximal number of bytes of a global's module and name.
  private static let nameLimit = 1 << 10

  var graph = PickleGraph()
  /// What may still be made.
  var budget: PickleBudget
  private var stack: [PickleValue] = []
  /// The highest numbers of values and marks so far, for which memory is charged.
  private var (stackPeak, markPeak) = (0, 0)
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var reader: ByteReader

  /// A pickle that begins at `position`.
  init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0, budget: PickleBudget) {
    (reader, self.budget) = (ByteReader(bytes, from: position), budget)
  }

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
    case .mark: try mark()
    case .pop: _ = try pop()
    case .popMark: _ = try popMarked()
    case .duplicate: try push(try top())
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .binInt1: try push(.integer(Int(try reader.integer(UInt8.self, "an integer"))))
    case .binInt2: try push(.integer(Int(try reader.integer(UInt16.self, "an integer"))))
    case .binInt: try push(.integer(Int(try reader.integer(Int32.self, "an integer"))))
    case .long1: try pushLong(try reader.integer(UInt8.self, "a length"))
    case .long4: try pushLong(try reader.integer(UInt32.self, "a length"))
    case .binFloat:
      let bits = try reader.integer(UInt64.self, "a number")
      try push(.number(Double(bitPattern: bits.byteSwapped)))
    case .shortBinUnicode: try pushString(try reader.integer(UInt8.self, "a length"))
    case .binUnicode: try pushString(try reader.integer(UInt32.self, "a length"))
    case .binUnicode8: try pushString(try reader.integer(UInt64.self, "a length"))
    case .shortBinString: try pushString(try reader.integer(UInt8.self, "a length"))
    case .binString: try pushString(try reader.integer(UInt32.self, "a length"))
    case .shortBinBytes: try pushBytes(try reader.integer(UInt8.self, "a length"))
    case .binBytes: try pushBytes(try reader.integer(UInt32.self, "a length"))
    case .binBytes8, .byteArray8: try pushBytes(try reader.integer(UInt64.self, "a length"))
    case .emptyList: try push(.list(try newItems([])))
    case .emptyTuple: try push(.tuple(try newItems([])))
    case .emptySet: try push(.set(try newItems([])))
    case .emptyDictionary: try push(.dictionary(try newPairs([])))
    case .list: try push(.list(try newItems(try popMarked())))
    case .tuple: try push(.tuple(try newItems(try popMarked())))
    case .frozenSet: try push(.set(try newItems(try popMarked())))
    case .tuple1: try pushTuple(of: 1)
    case .tuple2: try pushTuple(of: 2)
    case .tuple3: try pushTuple(of: 3)
    case .dictionary:
      let values = try popMarked()
      try push(.dictionary(try newPairs(try paired(values))))
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
      try push(try call(global, arguments))
    case .newObject:
      let arguments = try popTuple("the arguments of a class")
      guard case .global(let global) = try pop() else {
        throw FormatProblem(expected: "a class", found: "another value")
      }
      try push(try instance(of: global, arguments))
    case .build:
      let state = try pop()
      try build(try top(), state)
    case .persistentID:
      try push(try storage(try popTuple("a persistent id")))
    case .binGet: try get(Int(try reader.integer(UInt8.self, "an index in the memo")))
    case .longBinGet: try get(Int(try reader.integer(UInt32.self, "an index in the memo")))
    case .binPut: try put(Int(try reader.integer(UInt8.self, "an index in the memo")))
    case .longBinPut: try put(Int(try reader.integer(UInt32.self, "an index in the memo")))
    case .memoize: try put(memo.count)
    }
  }
}

// The machine.
extension PickleInterpreter {
  /// A list, tuple or set of items, which other containers may share until one of them grows.
  mutating func newItems(_ items: [PickleValue]) throws(FormatProblem) -> PickleGraph.Node {
    try budget.charge(PickleBudget.container)
    try budget.charge(items.count, of: PickleBudget.item)
    graph.items.append(items)
    return graph.items.count - 1
  }

  mutating func newPairs(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(FormatProblem) -> PickleGraph.Node {
    try budget.charge(PickleBudget.container)
    try budget.charge(pairs.count, of: PickleBudget.pair)
    graph.pairs.append(pairs)
    return graph.pairs.count - 1
  }

  private mutating func push(_ value: PickleValue) throws(FormatProblem) {
    if stack.count == stackPeak {
      try budget.charge(PickleBudget.stacked)
      stackPeak += 1
    }
    stack.append(value)
  }

  private mutating func mark() throws(FormatProblem) {
    if marks.count == markPeak {
      try budget.charge(3 * MemoryLayout<Int>.stride)
      markPeak += 1
    }
    marks.append(stack.count)
  }

  private mutating func put(_ index: Int) throws(FormatProblem) {
    let value = try top()
    if memo.updateValue(value, forKey: index) == nil { try budget.charge(PickleBudget.memoized) }
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
    try push(.tuple(try newItems(items)))
  }

  private mutating func pushLong(_ length: some BinaryInteger) throws(FormatProblem) {
    let bytes = try reader.take(length, "an integer")
    guard bytes.count > 8 else {
      var value = bytes.last.map { $0 >= 0x80 ? -1 : 0 } ?? 0
      for byte in bytes.reversed() { value = value << 8 | Int(byte) }
      try push(.integer(value))
      return
    }
    // No integer of a checkpoint comes near; writing one out takes time quadratic in its length.
    guard bytes.count <= 256 else {
      throw FormatProblem(expected: "an integer of at most 256 bytes", found: "\(bytes.count)")
    }
    try budget.charge(PickleBudget.container + bytes.count)
    try push(.largeInteger(Array(bytes)))
  }

  private mutating func pushString(_ length: some BinaryInteger) throws(FormatProblem) {
    let bytes = try reader.take(length, "a string")
    // Python lets halves of surrogate pairs and the 8-bit strings of Python 2 pass; here they are repaired.
    try budget.charge(PickleBudget.container + bytes.count)
    try CombiningMarks.check(bytes, "a string")
    let text = String(decoding: bytes, as: UTF8.self)
    try budget.charge(max(0, text.utf8.count - bytes.count))  // A repaired byte takes three.
    try push(.string(text))
  }

  private mutating func pushBytes(_ length: some BinaryInteger) throws(FormatProblem) {
    let bytes = try reader.take(length, "bytes")
    try budget.charge(PickleBudget.container + bytes.count)
    try push(.bytes(Array(bytes)))
  }

  private mutating func append(_ values: [PickleValue]) throws(FormatProblem) {
    switch try top() {
    case .list(let node), .set(let node):
      try budget.charge(values.count, of: 2 * PickleBudget.item)
      graph.items[node] += values
    case let other: throw FormatProblem(expected: "a list or a set to append to", found: other.kind)
    }
  }

  private mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(FormatProblem) {
    guard case .dictionary(let node) = try top() else {
      throw FormatProblem(expected: "a dictionary to set items of", found: try top().kind)
    }
    try budget.charge(pairs.count, of: 2 * PickleBudget.pair)
    graph.pairs[node] += pairs
  }

  private func paired(_ values: [PickleValue]) throws(FormatProblem) -> [(key: PickleValue, value: PickleValue)] {
    guard values.count % 2 == 0 else { throw FormatProblem(expected: "keys with values", found: "a key without one") }
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  private mutating func get(_ index: Int) throws(FormatProblem) {
    guard let value = memo[index] else { throw FormatProblem(expected: "entry \(index) of the memo", found: "none") }
    try push(value)
  }

  /// The bytes up to the next newline.
  private mutating func line() throws(FormatProblem) -> String {
    var bytes: [UInt8] = []
    while true {
      let byte = try reader.integer(UInt8.self, "the end of a global's name")
      if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
      guard bytes.count < Self.nameLimit else { throw Self.longName }
      bytes.append(byte)
    }
  }

  private static var longName: FormatProblem {
    FormatProblem(expected: "a global's name of at most \(nameLimit) bytes", found: "a longer one")
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(FormatProblem) {
    guard module.utf8.count <= Self.nameLimit, name.utf8.count <= Self.nameLimit else { throw Self.longName }
    try budget.charge(PickleBudget.container + module.utf8.count + name.utf8.count)
    guard let global = PickleGlobal(module: module, name: name) else {
      let full = "\(module).\(name)"
      throw FormatProblem(expected: "a global that tensors need", found: quoted(full), global: full)
    }
    try push(.global(global))
  }
}
