import Foundation
import Tensor

/// Writes tensors to a safetensors file, the same tensors always as the same bytes.
///
/// Tensors are stored in order of descending element size, then by name, so that every one is aligned to its
/// elements; the header is padded with spaces to a multiple of 8 bytes. Bytes are streamed, and the file appears
/// complete or not at all (`AtomicFile`).
public struct SafeTensorsWriter {
  private enum Content {
    case tensor(Tensor)
    case bytes([UInt8])
    case integers([Int64])
    case doubles([Double])
  }

  private struct Item {
    var type: ElementType
    var shape: Shape
    var content: Content
    var byteCount: Int { shape.count * type.size }
  }

  private var items: [String: Item] = [:]
  /// The strings under `__metadata__`.
  public var metadata: [String: String]

  /// A writer without tensors.
  public init(metadata: [String: String] = [:]) { self.metadata = metadata }

  /// Adds a tensor; F16 and BF16 round to nearest, ties to even, and F32 and F64 hold a `Real` or round it.
  ///
  /// Traps on a name given before and on types that are not one of these four.
  public mutating func add(_ name: String, _ tensor: Tensor, as type: ElementType = .real) {
    require(
      [.f16, .bf16, .f32, .f64].contains(type), "SafeTensorsWriter: expected F16, BF16, F32 or F64, found \(type)")
    add(name, Item(type: type, shape: tensor.shape, content: .tensor(tensor)))
  }

  /// Adds bytes as type U8, of one dimension unless a shape is given; traps if the shape has another count.
  public mutating func add(_ name: String, bytes: [UInt8], shape: Shape? = nil) {
    let shape = shape ?? [bytes.count]
    require(shape.count == bytes.count, "SafeTensorsWriter: expected \(shape.count) bytes, found \(bytes.count)")
    add(name, Item(type: .u8, shape: shape, content: .bytes(bytes)))
  }

  /// Adds integers as type I64, of one dimension unless a shape is given; traps if the shape has another count.
  public mutating func add(_ name: String, integers: [Int64], shape: Shape? = nil) {
    let shape = shape ?? [integers.count]
    require(
      shape.count == integers.count, "SafeTensorsWriter: expected \(shape.count) integers, found \(integers.count)")
    add(name, Item(type: .i64, shape: shape, content: .integers(integers)))
  }

  /// Adds numbers as type F64, whatever the precision of this build; traps if the shape has another count.
  public mutating func add(_ name: String, doubles: [Double], shape: Shape? = nil) {
    let shape = shape ?? [doubles.count]
    require(shape.count == doubles.count, "SafeTensorsWriter: expected \(shape.count) numbers, found \(doubles.count)")
    add(name, Item(type: .f64, shape: shape, content: .doubles(doubles)))
  }

  private mutating func add(_ name: String, _ item: Item) {
    require(name != "__metadata__", "SafeTensorsWriter: expected another name than __metadata__")
    require(
      items.updateValue(item, forKey: name) == nil, "SafeTensorsWriter: expected \(name) once, found it twice")
  }

  /// Writes the file.
  ///
  /// - Throws: `FileError` if it cannot be written; an older file of that name is untouched then.
  public func write(to url: URL) throws(FileError) {
    let inOrder = inOrder
    var file = try AtomicFile(replacing: url)
    try file.write(header(inOrder))
    for (_, item) in inOrder { try Self.write(item, to: &file) }
    try file.commit()
  }

  /// The size of the file.
  package var byteCount: Int { header(inOrder).count + items.values.reduce(0) { $0 + $1.byteCount } }

  private var inOrder: [(key: String, value: Item)] {
    items.sorted { ($1.value.type.size, $0.key) < ($0.value.type.size, $1.key) }
  }

  private func header(_ inOrder: [(key: String, value: Item)]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key < $1.key }.map { "\(Self.json($0.key)):\(Self.json($0.value))" }
      members.append("\"__metadata__\":{\(strings.joined(separator: ","))}")
    }
    var offset = 0
    for (name, item) in inOrder {
      let extents = item.shape.extents.map(String.init).joined(separator: ",")
      let end = offset + item.byteCount
      members.append(
        """
        \(Self.json(name)):{"dtype":"\(item.type.rawValue)","shape":[\(extents)],"data_offsets":[\(offset),\(end)]}
        """)
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
  }

  /// A string as JSON.
  private static func json(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func write(_ item: Item, to file: inout AtomicFile) throws(FileError) {
    switch item.content {
    case .bytes(let bytes): try file.write(bytes)
    case .integers(let integers):
      try write(integers.count, to: &file) { integers[$0].littleEndian }
    case .doubles(let doubles):
      try write(doubles.count, to: &file) { doubles[$0].bitPattern.littleEndian }
    case .tensor(let tensor):
      let written = Tensor.read(tensor) { values in
        Result { () throws(FileError) in try write(values, tensor.count, as: item.type, to: &file) }
      }
      try written.get()
    }
  }

  private static func write(
    _ values: UnsafePointer<Real>, _ count: Int, as type: ElementType, to file: inout AtomicFile
  ) throws(FileError) {
    switch type {
    case .f64: try write(count, to: &file) { Double(values[$0]).bitPattern.littleEndian }
    case .f16: try write(count, to: &file) { HalfPrecision.binary16(Float(values[$0])).littleEndian }
    case .bf16: try write(count, to: &file) { HalfPrecision.bfloat16(Float(values[$0])).littleEndian }
    default: try write(count, to: &file) { Float(values[$0]).bitPattern.littleEndian }
    }
  }

  /// Streams `count` elements through a buffer that stays in the cache.
  @inline(__always)
  private static func write<Stored: FixedWidthInteger>(
    _ count: Int, to file: inout AtomicFile, _ element: (Int) -> Stored
  ) throws(FileError) {
    let piece = 1 << 15
    for start in stride(from: 0, to: count, by: piece) {
      let length = min(piece, count - start)
      let buffer = [Stored](unsafeUninitializedCapacity: length) { buffer, initialized in
        for index in 0..<length { buffer.initializeElement(at: index, to: element(start &+ index)) }
        initialized = length
      }
      let written = buffer.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.write(bytes) } }
      try written.get()
    }
  }
}
