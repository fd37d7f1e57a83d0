import Tensor

/// The header of a `.npy` file (numpy.lib.format, versions 1.0, 2.0 and 3.0).
///
///     6 bytes        0x93 "NUMPY"
///     2 bytes        major and minor version
///     2 or 4 bytes   the length of the rest of the header, little endian (4 from version 2.0 on)
///     that many      {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   and spaces up to a newline
///
/// NumPy evaluates that dictionary as a literal of Python; here it is scanned for these three keys and nothing else.
struct NumPyHeader: Sendable {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// The maximal size of a whole header. NumPy itself refuses to evaluate literals of more than 10,000.
  static let limit = 1 << 16

  let elements: StoredElements
  /// The offset of the data.
  let dataStart: Int
  /// The bytes of the data.
  var dataCount: Int { elements.shape.count * elements.type.size }

  /// Reads the header of a file of `total` bytes, of which `bytes` are the first.
  init(_ bytes: UnsafeRawBufferPointer, total: Int) throws(FormatProblem) {
    var reader = ByteReader(bytes)
    guard try reader.take(6, "a NumPy header").elementsEqual(Self.magic) else {
      throw FormatProblem(expected: "0x93 \"NUMPY\" as the first bytes", found: "others")
    }
    let version = (try reader.integer(UInt8.self, "a version"), try reader.integer(UInt8.self, "a version"))
    let length: Int
    switch version {
    case (1, 0): length = Int(try reader.integer(UInt16.self, "a length"))
    case (2, 0), (3, 0): length = Int(try reader.integer(UInt32.self, "a length"))
    default: throw FormatProblem(expected: "version 1.0, 2.0 or 3.0", found: "\(version.0).\(version.1)")
    }
    guard length <= Self.limit - reader.position else {
      throw FormatProblem(expected: "a header of at most \(Self.limit) bytes", found: "a length of \(length)")
    }
    let text = try reader.take(length, "a header")
    dataStart = reader.position
    var scanner = NumPyLiteral(text)
    elements = try scanner.header()
    guard total - dataStart == dataCount else {
      throw FormatProblem(
        expected: "\(dataCount) bytes of data for \(elements.type.rawValue) of shape \(elements.shape)",
        found: "\(total - dataStart)")
    }
  }
}

/// The one literal of Python that a `.npy` header consists of.
private struct NumPyLiteral {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func header() throws(FormatProblem) -> StoredElements {
    var descr: String?
    var isFortran: Bool?
    var shape: [Int]?
    try take("{")
    while !takes("}") {
      let key = try string("a key")
      try take(":")
      switch key {
      case "descr" where descr == nil:
        guard let next = peek(), next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") else {
          throw problem("a plain element type as 'descr' (arrays of records are not supported)")
        }
        descr = try string("a type")
      case "fortran_order" where isFortran == nil: isFortran = try boolean()
      case "shape" where shape == nil: shape = try integers()
      default: throw FormatProblem(expected: "'descr', 'fortran_order' and 'shape', once each", found: quoted(key))
      }
      if !takes(",") {
        try take("}")
        break
      }
    }
    guard peek() == nil else { throw problem("nothing after the header's dictionary") }
    guard let descr else { throw FormatProblem(expected: "a 'descr' in the header", found: "none") }
    guard let isFortran else { throw FormatProblem(expected: "a 'fortran_order' in the header", found: "none") }
    guard let shape else { throw FormatProblem(expected: "a 'shape' in the header", found: "none") }
    let (type, isBigEndian) = try Self.elementType(descr)
    let whole = try Shape(stored: shape, elementSize: type.size)
    guard isFortran, shape.count > 1 else { return StoredElements(type, whole, isBigEndian: isBigEndian) }
    var strides: [Int] = []
    var step = 1
    for extent in shape {
      strides.append(step)
      step *= max(extent, 1)
    }
    return try StoredElements(type, shape, strides: strides, available: whole.count, isBigEndian: isBigEndian)
  }

  private static let types: [String: ElementType] = [
    "b1": .bool, "u1": .u8, "i1": .i8, "u2": .u16, "i2": .i16, "f2": .f16, "u4": .u32, "i4": .i32, "f4": .f32,
    "u8": .u64, "i8": .i64, "f8": .f64,
  ]

  /// An array-protocol type string: byte order (`|` and `=`: not relevant, and the machine's own), kind, bytes.
  private static func elementType(_ descr: String) throws(FormatProblem) -> (ElementType, isBigEndian: Bool) {
    let order = descr.first ?? " "
    if let type = types["<>|=".contains(order) ? String(descr.dropFirst()) : descr] { return (type, order == ">") }
    let found =
      descr.contains("O") ? "\(quoted(descr)): Python objects, which would need pickle" : quoted(descr)
    throw FormatProblem(
      expected: "one of the types \(types.keys.sorted().joined(separator: ", "))", found: found)
  }

  private mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard [0x20, 0x09, 0x0a, 0x0d].contains(byte) else { return byte }
      position += 1
    }
    return nil
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) throws(FormatProblem) {
    guard takes(character) else { throw problem("\"\(character)\"") }
  }

  private mutating func problem(_ expected: String) -> FormatProblem {
    guard let byte = peek() else { return FormatProblem(expected: expected, found: "the end of the header") }
    return FormatProblem(
      expected: expected, found: "\(quoted(String(Unicode.Scalar(byte)))) at byte \(position) of the header's text")
  }

  /// Text between quotation marks of either kind, without escapes: none of the keys and types needs one.
  private mutating func string(_ what: String) throws(FormatProblem) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw problem("\(what) between quotation marks")
    }
    let start = position + 1
    guard let end = bytes[start...].firstIndex(of: quote) else { throw problem("the end of \(what)") }
    position = end + 1
    try CombiningMarks.check(bytes[start..<end], what)
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func boolean() throws(FormatProblem) -> Bool {
    for (word, value) in [("True", true), ("False", false)] {
      _ = peek()
      if bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
    }
    throw problem("True or False")
  }

  private mutating func integers() throws(FormatProblem) -> [Int] {
    try take("(")
    var integers: [Int] = []
    while !takes(")") {
      integers.append(try integer())
      if !takes(",") {
        try take(")")
        break
      }
    }
    return integers
  }

  private mutating func integer() throws(FormatProblem) -> Int {
    _ = peek()
    let digits = bytes[position...].prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty else { throw problem("an extent of 0 or more") }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw problem("an extent below 2^63")
    }
    position += digits.count
    // Python 2's long integers.
    _ = takes("L")
    return value
  }
}
