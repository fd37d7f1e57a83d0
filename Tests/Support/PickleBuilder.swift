/// A pickle written opcode by opcode.
package struct PickleBuilder: Sendable {
  /// What is there so far.
  package private(set) var bytes: [UInt8]

  /// An empty one of a protocol.
  package init(version: UInt8 = 2) { bytes = [0x80, version] }

  /// Adds opcodes by their letters, or any other bytes.
  package func op(_ letters: String) -> PickleBuilder { raw(Array(letters.utf8)) }

  /// Adds bytes.
  package func raw(_ more: [UInt8]) -> PickleBuilder {
    var copy = self
    copy.bytes += more
    return copy
  }

  /// Pushes a string.
  package func string(_ text: String) -> PickleBuilder {
    op("X").raw(FrugalTestSupport.bytes(UInt32(text.utf8.count))).raw(Array(text.utf8))
  }

  /// Pushes an integer of 32 bits.
  package func integer(_ value: Int32) -> PickleBuilder { op("J").raw(FrugalTestSupport.bytes(value)) }

  /// Pushes a global.
  package func global(_ module: String, _ name: String) -> PickleBuilder { op("c\(module)\n\(name)\n") }

  /// Pushes a tuple of integers.
  package func tuple(_ values: [Int32]) -> PickleBuilder { values.reduce(op("(")) { $0.integer($1) }.op("t") }

  /// Pushes a storage.
  package func storage(_ key: String, _ type: String = "FloatStorage", count: Int32) -> PickleBuilder {
    op("(").string("storage").global("torch", type).string(key).string("cpu").integer(count).op("tQ")
  }

  /// Pushes a tensor over a storage.
  package func tensor(
    _ key: String, _ type: String = "FloatStorage", count: Int32, offset: Int32 = 0, size: [Int32], stride: [Int32]
  ) -> PickleBuilder {
    global("torch._utils", "_rebuild_tensor_v2").op("(").storage(key, type, count: count).integer(offset).tuple(size)
      .tuple(stride).raw([0x89]).global("collections", "OrderedDict").op(")RtR")
  }

  /// The whole pickle.
  package var end: [UInt8] { op(".").bytes }

  /// An archive as PyTorch writes it around the pickle.
  package func archive(_ storages: [String: [UInt8]] = [:], version: String = "3\n") -> ZipBuilder {
    ZipBuilder(
      [.init("archive/data.pkl", end), .init("archive/byteorder", Array("little".utf8))]
        + storages.sorted { $0.key < $1.key }.map { .init("archive/data/\($0)", $1) }
        + [.init("archive/version", Array(version.utf8))])
  }
}
