import Tensor

// NumPy's scalars in a pickle: `numpy.core.multiarray.scalar(dtype, bytes)`, whose type is `numpy.dtype(name, …)` with
// a state that holds the order of bytes. A product of extents that was calculated with NumPy is one.

extension PickleInterpreter {
  private static let typePrefix = "numpy.dtype."

  /// A type, as an object whose name holds that of the type.
  mutating func numPyType(_ arguments: [PickleValue]) throws(FormatProblem) -> PickleValue {
    guard case .string(let name)? = arguments.first, arguments.count <= 3, name.utf8.count <= 8 else {
      throw FormatProblem(
        expected: "numpy.dtype of a short name", found: arguments.first.map(\.kind) ?? "nothing")
    }
    try budget.charge(2 * MemoryLayout<PickleGraph.Object>.stride + PickleBudget.container)
    graph.objects.append(.init(name: Self.typePrefix + name, state: .none))
    return .object(graph.objects.count - 1)
  }

  /// An integer, a number or a truth value.
  func numPyScalar(_ arguments: [PickleValue]) throws(FormatProblem) -> PickleValue {
    guard arguments.count == 2, case .object(let place) = arguments[0], case .bytes(let bytes) = arguments[1],
      graph.objects[place].name.hasPrefix(Self.typePrefix), bytes.count <= 8
    else {
      throw FormatProblem(
        expected: "numpy.core.multiarray.scalar of a type and at most 8 bytes",
        found: arguments.isEmpty ? "nothing" : arguments.prefix(9).map(\.kind).joined(separator: ", "))
    }
    let type = graph.objects[place].name.dropFirst(Self.typePrefix.count)
    let bits = bits(bytes, isBigEndian: isBigEndian(graph.objects[place].state))
    let found: PickleValue? =
      switch (type, bytes.count) {
      case ("i1", 1): .integer(Int(Int8(truncatingIfNeeded: bits)))
      case ("i2", 2): .integer(Int(Int16(truncatingIfNeeded: bits)))
      case ("i4", 4): .integer(Int(Int32(truncatingIfNeeded: bits)))
      case ("i8", 8): .integer(Int(truncatingIfNeeded: bits))
      case ("u1", 1), ("u2", 2), ("u4", 4): .integer(Int(bits))
      case ("u8", 8): Int(exactly: bits).map { .integer($0) }
      case ("f4", 4): .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
      case ("f8", 8): .number(Double(bitPattern: bits))
      case ("b1", 1): bits <= 1 ? .bool(bits == 1) : nil
      default: nil
      }
    guard let found else {
      throw FormatProblem(
        expected: "a NumPy scalar of integers, numbers or truth values in its bytes",
        found: "\(quoted(String(type))) of \(bytes.count) bytes")
    }
    return found
  }

  /// (version, order of bytes, …): `>` is big-endian, `<` little-endian, and `|` has a single byte.
  private func isBigEndian(_ state: PickleValue) -> Bool {
    guard case .tuple(let place) = state, graph.items[place].count > 1, case .string(let order) = graph.items[place][1]
    else { return false }
    return order == ">"
  }

  private func bits(_ bytes: [UInt8], isBigEndian: Bool) -> UInt64 {
    (isBigEndian ? bytes : bytes.reversed()).suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
