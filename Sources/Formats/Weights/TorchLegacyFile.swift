/// The format of `torch.save` before version 1.6 (torch/serialization.py, `_legacy_save`).
///
///     pickle      the magic number
///     pickle      1001, the version
///     pickle      a dictionary about the machine, with its byte order
///     pickle      the saved object
///     pickle      a list of the keys of storages
///     for each    8 bytes, the count of elements, and the elements
struct TorchLegacyFile {
  let root: PickleValue
  let graph: PickleGraph
  /// What is left to make of the pickle.
  let budget: PickleBudget
  /// The bytes of each storage in the file.
  private(set) var ranges: [String: Range<Int>] = [:]

  /// 0x1950a86a20f9469cfc6c, the lowest byte first.
  static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  init(_ mapped: MappedFile, _ budget: PickleBudget) throws(FormatProblem) {
    (root, graph, self.budget, ranges) = try mapped.withBytes { bytes throws(FormatProblem) in
      let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(TorchArchive.pickleLimit))
      var interpreter = PickleInterpreter(head, budget: budget)
      guard case .largeInteger(Self.magic) = try interpreter.run() else {
        throw FormatProblem(expected: "PyTorch's magic number as the first pickle", found: "another value")
      }
      guard case .integer(1001) = try interpreter.run() else {
        throw FormatProblem(expected: "version 1001 of PyTorch's format", found: "another")
      }
      guard case .dictionary(let machine) = try interpreter.run() else {
        throw FormatProblem(expected: "a dictionary about the machine", found: "another value")
      }
      let isLittle = interpreter.graph.pairs[machine].contains { pair in
        if case (.string("little_endian"), .bool(true)) = (pair.key, pair.value) { true } else { false }
      }
      guard isLittle else { throw FormatProblem(expected: "a file from a little-endian machine", found: "another") }
      let root = try interpreter.run()
      guard case .list(let keys) = try interpreter.run() else {
        throw FormatProblem(expected: "a list of storages", found: "another value")
      }
      let ranges = try Self.ranges(interpreter.graph.items[keys], interpreter.graph, bytes, from: interpreter.position)
      return (root, interpreter.graph, interpreter.budget, ranges)
    }
  }

  private static func ranges(
    _ keys: [PickleValue], _ graph: PickleGraph, _ bytes: UnsafeRawBufferPointer, from position: Int
  ) throws(FormatProblem) -> [String: Range<Int>] {
    let storages = Dictionary(graph.storages.map { ($0.key, $0) }) { first, _ in first }
    var reader = ByteReader(bytes, from: position)
    var ranges: [String: Range<Int>] = [:]
    for value in keys {
      guard case .string(let key) = value, let storage = storages[key], ranges[key] == nil else {
        throw FormatProblem(expected: "the key of a storage that is used, once", found: value.kind)
      }
      let count = try reader.integer(Int64.self, "the count of storage \(quoted(key))")
      guard count == storage.count else {
        throw FormatProblem(expected: "\(storage.count) elements in storage \(quoted(key))", found: "\(count)")
      }
      let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.type?.size ?? 1)
      guard !overflow else { throw FormatProblem(expected: "a storage below 2^63 bytes", found: "a larger one") }
      let start = reader.position
      _ = try reader.take(size, "storage \(quoted(key))")
      ranges[key] = start..<reader.position
    }
    return ranges
  }
}
