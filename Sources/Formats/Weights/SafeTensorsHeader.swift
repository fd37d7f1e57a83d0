import Tensor

/// The header of a safetensors file, parsed and checked against the length of the data.
///
///     8 bytes      N, the length of the header, little endian
///     N bytes      {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {…}}
///     the rest     the data; offsets count from its first byte
///
/// Format: github.com/huggingface/safetensors. Refused as it demands: headers above 100 MB, names given twice, ranges
/// that overlap, leave holes, or do not end with the file. Also refused: fields the format does not know.
struct SafeTensorsHeader {
  /// The maximal size of a header.
  static let limit = 100_000_000

  private(set) var entries: [String: SafeTensorsEntry] = [:]
  private(set) var metadata: [String: String] = [:]

  /// Reads the header of `file`, whose bytes are given.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(WeightFileError) {
    guard bytes.count >= 8 else {
      throw .malformed(file: file, expected: "8 bytes of header length", found: "\(bytes.count) bytes in total")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Self.limit else {
      throw .malformed(file: file, expected: "a header of at most \(Self.limit) bytes", found: "a length of \(length)")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw .malformed(
        file: file, expected: "a header of \(length) bytes", found: "only \(bytes.count - 8) bytes (file cut short?)")
    }
    try parse(UnsafeRawBufferPointer(rebasing: bytes[8..<start]), dataFrom: start, to: bytes.count, file: file)
    try checkCoverage(from: start, to: bytes.count, file: file)
  }

  private mutating func parse(
    _ json: UnsafeRawBufferPointer, dataFrom start: Int, to end: Int, file: String
  ) throws(WeightFileError) {
    // The tensor being read, for the errors of its own entry.
    var current: String?
    var scanner = JSONScanner(json)
    do throws(JSONScanner.Problem) {
      guard json.first == UInt8(ascii: "{") else { throw scanner.problem("\"{\" as the first byte") }
      var hasMetadata = false
      try scanner.object { (name, scanner) throws(JSONScanner.Problem) in
        if name == "__metadata__" {
          guard !hasMetadata else { throw .init(expected: "one \"__metadata__\"", found: "two") }
          hasMetadata = true
          metadata = try Self.strings(&scanner)
        } else {
          current = name
          guard entries[name] == nil else { throw .init(expected: "each name once", found: "it twice") }
          entries[name] = try Self.entry(&scanner, dataFrom: start, to: end)
          current = nil
        }
      }
      try scanner.end()
    } catch {
      guard let current else { throw .malformed(file: file, expected: error.expected, found: error.found) }
      throw .tensor(file: file, name: current, expected: error.expected, found: error.found)
    }
  }

  /// An object of strings with each key once.
  static func strings(_ scanner: inout JSONScanner) throws(JSONScanner.Problem) -> [String: String] {
    var strings: [String: String] = [:]
    try scanner.object { (key, scanner) throws(JSONScanner.Problem) in
      guard strings.updateValue(try scanner.string(), forKey: key) == nil else {
        throw .init(expected: "each key once", found: "\(quoted(key)) twice")
      }
    }
    return strings
  }

  private static func entry(
    _ scanner: inout JSONScanner, dataFrom start: Int, to end: Int
  ) throws(JSONScanner.Problem) -> SafeTensorsEntry {
    var typeName: String?
    var extents: [Int]?
    var offsets: [Int]?
    try scanner.object { (key, scanner) throws(JSONScanner.Problem) in
      guard ["dtype", "shape", "data_offsets"].contains(key) else {
        throw .init(expected: "only dtype, shape and data_offsets", found: "the field \(quoted(key))")
      }
      let isRepeated: Bool
      do throws(JSONScanner.Problem) {
        switch key {
        case "dtype": (isRepeated, typeName) = (typeName != nil, try scanner.string())
        case "shape": (isRepeated, extents) = (extents != nil, try scanner.integers())
        default: (isRepeated, offsets) = (offsets != nil, try scanner.integers())
        }
      } catch { throw .init(expected: "\(error.expected) in \(quoted(key))", found: error.found) }
      guard !isRepeated else { throw .init(expected: "each field once", found: "\(quoted(key)) twice") }
    }
    guard let typeName else { throw .init(expected: "a dtype", found: "none") }
    guard let extents else { throw .init(expected: "a shape", found: "none") }
    guard let offsets else { throw .init(expected: "data_offsets", found: "none") }
    guard let type = ElementType(rawValue: typeName) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw .init(expected: "one of the types \(known)", found: quoted(typeName))
    }
    guard offsets.count == 2 else { throw .init(expected: "2 data_offsets", found: "\(offsets.count)") }
    guard offsets[0] <= offsets[1], offsets[1] <= end - start else {
      throw .init(
        expected: "data_offsets in order and within the \(end - start) bytes of data",
        found: "[\(offsets[0]), \(offsets[1])]")
    }
    let bytes = offsets[1] - offsets[0]
    let shape = try Shape(stored: extents, elementSize: type.size)
    let size = shape.count * type.size
    guard size == bytes else {
      throw .init(
        expected:
          "\(size) bytes for \(typeName) of \(extents.count > 8 ? "rank \(extents.count)" : "shape \(extents)")",
        found: "data_offsets of \(bytes) bytes")
    }
    return SafeTensorsEntry(type: type, shape: shape, range: start + offsets[0]..<start + offsets[1])
  }

  /// Checks that the ranges follow one another from the first byte of the data to the last.
  private func checkCoverage(from start: Int, to end: Int, file: String) throws(WeightFileError) {
    var position = start
    // The names make the order, and with it the error, the same every time.
    let inOrder = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    for (name, entry) in inOrder {
      guard entry.range.lowerBound == position else {
        let found = entry.range.lowerBound < position ? "overlap with another tensor" : "hole before it"
        throw .tensor(
          file: file, name: name, expected: "data from offset \(position - start) on",
          found: "offset \(entry.range.lowerBound - start) (\(found))")
      }
      position = entry.range.upperBound
    }
    guard position == end else {
      throw .malformed(
        file: file, expected: "\(position - start) bytes of data, the sum of all tensors", found: "\(end - start)")
    }
  }
}
