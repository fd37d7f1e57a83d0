import Tensor

/// The layout of a tensor's elements in a run of bytes, and their conversion to `Real` or integers.
///
/// Element (i, j, …) is number offset + i stride₀ + j stride₁ + … of the run.
struct StoredElements: Sendable {
  let type: ElementType
  let shape: Shape
  let isBigEndian: Bool
  private let offset: Int
  /// One for each extent; `nil` if elements follow one another in row-major order.
  private let strides: [Int]?

  /// The maximal number of elements that strides of 0 may add by repetition.
  static let repetitionLimit = 1 << 24

  /// Elements in row-major order.
  init(_ type: ElementType, _ shape: Shape, isBigEndian: Bool = false) {
    (self.type, self.shape, self.isBigEndian, offset, strides) = (type, shape, isBigEndian, 0, nil)
  }

  /// Elements at any distance from one another, all of which must lie among `available` ones.
  init(
    _ type: ElementType, _ extents: [Int], strides: [Int], offset: Int = 0, available: Int, isBigEndian: Bool = false
  ) throws(FormatProblem) {
    guard strides.count == extents.count, strides.allSatisfy({ $0 >= 0 }), offset >= 0 else {
      throw FormatProblem(
        expected: "\(extents.count) strides and an offset of 0 or more", found: "\(strides.prefix(8)) and \(offset)")
    }
    let shape = try Shape(stored: extents)
    if shape.count > 0 {
      var last = offset
      for (extent, stride) in zip(extents, strides) {
        let (span, over) = (extent - 1).multipliedReportingOverflow(by: stride)
        let (sum, carry) = last.addingReportingOverflow(span)
        guard !over, !carry else { throw FormatProblem(expected: "elements below 2^63", found: "an overflow") }
        last = sum
      }
      guard last < available else {
        throw FormatProblem(
          expected: "shape \(shape) with strides \(strides) and offset \(offset) within \(available) elements",
          found: "element \(last)")
      }
      // Strides of 0 repeat elements, and would let a small file ask for any amount of memory.
      guard shape.count <= max(available, Self.repetitionLimit) else {
        throw FormatProblem(expected: "at most \(Self.repetitionLimit) repeated elements", found: "\(shape.count)")
      }
    }
    (self.type, self.shape, self.isBigEndian, self.offset) = (type, shape, isBigEndian, offset)
    self.strides = offset == 0 && Self.isRowMajor(extents, strides) ? nil : strides
  }

  private static func isRowMajor(_ extents: [Int], _ strides: [Int]) -> Bool {
    var expected = 1
    for (extent, stride) in zip(extents, strides).reversed() where extent != 1 {
      guard stride == expected else { return false }
      expected *= extent
    }
    return true
  }

  /// The elements, as `tensor(from:)` gives them: where they lie, without a copy, if they are stored as `Real` in
  /// row-major order and the bytes belong to a mapped file.
  func tensor(from bytes: UnsafeRawBufferPointer, of file: MappedFile) throws(FormatProblem) -> Tensor {
    let size = shape.count * MemoryLayout<Real>.stride
    guard type == Self.real, !isBigEndian, strides == nil, size >= Self.fewestBytesInPlace,
      bytes.count >= size, let base = bytes.baseAddress, file.holds(bytes),
      UInt(bitPattern: base) % UInt(MemoryLayout<Real>.alignment) == 0
    else { return try tensor(from: bytes) }
    return Tensor(shape, at: base.assumingMemoryBound(to: Real.self), ownedBy: file)
  }

  /// The type of `Real`, which has the byte order of the processor: little-endian on all that Swift runs on.
  private static let real: ElementType = MemoryLayout<Real>.size == 4 ? .f32 : .f64

  /// Smaller tensors are copied: they would keep a file mapped for little.
  private static let fewestBytesInPlace = 64 << 10

  /// The elements, which must be representable: floating-point ones are rounded to the nearest `Real`, integers and
  /// booleans (0 and 1) are converted exactly or not at all.
  func tensor(from bytes: UnsafeRawBufferPointer) throws(FormatProblem) -> Tensor {
    switch type {
    case .f64: return converted(bytes) { (bits: UInt64) in Real(Double(bitPattern: bits)) }
    case .f32: return converted(bytes) { (bits: UInt32) in Real(Float(bitPattern: bits)) }
    case .f16: return converted(bytes) { (bits: UInt16) in Real(HalfPrecision.float(binary16: bits)) }
    case .bf16: return converted(bytes) { (bits: UInt16) in Real(HalfPrecision.float(bfloat16: bits)) }
    case .f8E5M2: return converted(bytes) { (bits: UInt8) in Real(HalfPrecision.float(e5m2: bits)) }
    case .f8E4M3: return converted(bytes) { (bits: UInt8) in Real(HalfPrecision.float(e4m3: bits)) }
    case .u8: return converted(bytes) { (value: UInt8) in Real(value) }
    case .i8: return converted(bytes) { (bits: UInt8) in Real(Int8(bitPattern: bits)) }
    case .bool, .i16, .u16, .i32, .u32, .i64, .u64:
      let integers = try integers(from: bytes)
      for (index, value) in integers.enumerated() where Int64(exactly: Real(value)) != value {
        throw FormatProblem(
          expected: "integers that \(Real.self) can hold", found: "\(value) as element \(index)")
      }
      return Tensor(shape, integers.map { Real($0) })
    }
  }

  /// The elements of an integer type or booleans, in row-major order; refuses floating-point numbers, booleans other
  /// than 0 and 1, and integers of 2⁶³ and more.
  func integers(from bytes: UnsafeRawBufferPointer) throws(FormatProblem) -> [Int64] {
    switch type {
    case .bool:
      let integers = try integers(bytes, of: UInt8.self)
      for (index, value) in integers.enumerated() where value > 1 {
        throw FormatProblem(expected: "booleans of 0 or 1", found: "\(value) as element \(index)")
      }
      return integers
    case .u8: return try integers(bytes, of: UInt8.self)
    case .i8: return try integers(bytes, of: Int8.self)
    case .u16: return try integers(bytes, of: UInt16.self)
    case .i16: return try integers(bytes, of: Int16.self)
    case .u32: return try integers(bytes, of: UInt32.self)
    case .i32: return try integers(bytes, of: Int32.self)
    case .u64: return try integers(bytes, of: UInt64.self)
    case .i64: return try integers(bytes, of: Int64.self)
    case .f64, .f32, .f16, .bf16, .f8E5M2, .f8E4M3:
      throw FormatProblem(expected: "integers", found: type.rawValue)
    }
  }

  /// The elements in double precision: floating-point ones exactly, integers of more than 53 bits rounded.
  func doubles(from bytes: UnsafeRawBufferPointer) throws(FormatProblem) -> [Double] {
    switch type {
    case .f64: doubles(bytes) { (bits: UInt64) in Double(bitPattern: bits) }
    case .f32: doubles(bytes) { (bits: UInt32) in Double(Float(bitPattern: bits)) }
    case .f16: doubles(bytes) { (bits: UInt16) in Double(HalfPrecision.float(binary16: bits)) }
    case .bf16: doubles(bytes) { (bits: UInt16) in Double(HalfPrecision.float(bfloat16: bits)) }
    case .f8E5M2: doubles(bytes) { (bits: UInt8) in Double(HalfPrecision.float(e5m2: bits)) }
    case .f8E4M3: doubles(bytes) { (bits: UInt8) in Double(HalfPrecision.float(e4m3: bits)) }
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: try integers(from: bytes).map { Double($0) }
    }
  }

  /// Every element through `convert`, in pieces on several threads.
  @inline(__always)
  private func converted<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ convert: (Stored) -> Real
  ) -> Tensor {
    Tensor(shape) { numbers in
      guard let base = bytes.baseAddress, shape.count > 0 else { return }
      let isSwapped = isBigEndian
      guard let strides else {
        Parallel.forEachRange(shape.count, grain: 1 << 18) { range in
          for index in range { numbers[index] = convert(Self.load(base, index, isSwapped)) }
        }
        return
      }
      let (width, step) = (shape.width, strides.last ?? 0)
      Parallel.forEachRange(shape.rows, grain: max(1, (1 << 16) / width)) { rows in
        for row in rows {
          let start = first(of: row, strides)
          for column in 0..<width {
            numbers[row &* width &+ column] = convert(Self.load(base, start &+ column &* step, isSwapped))
          }
        }
      }
    }
  }

  private func integers<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, of _: Stored.Type
  ) throws(FormatProblem) -> [Int64] {
    var integers: [Int64] = []
    try forEach(bytes) { (index: Int, stored: Stored) throws(FormatProblem) in
      if index == 0 { integers.reserveCapacity(shape.count) }
      guard let value = Int64(exactly: stored) else {
        throw FormatProblem(expected: "integers below 2^63", found: "\(stored) as element \(index)")
      }
      integers.append(value)
    }
    return integers
  }

  private func doubles<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ convert: (Stored) -> Double
  ) -> [Double] {
    var doubles: [Double] = []
    forEach(bytes) { (index: Int, stored: Stored) in
      if index == 0 { doubles.reserveCapacity(shape.count) }
      doubles.append(convert(stored))
    }
    return doubles
  }

  /// Calls `body` with the index and the stored form of every element, in row-major order.
  @inline(__always)
  private func forEach<Stored: FixedWidthInteger, Failure>(
    _ bytes: UnsafeRawBufferPointer, _ body: (Int, Stored) throws(Failure) -> Void
  ) throws(Failure) {
    guard let base = bytes.baseAddress, shape.count > 0 else { return }
    let step = strides.map { $0.last ?? 0 } ?? 1
    for row in 0..<shape.rows {
      let start = strides.map { first(of: row, $0) } ?? row * shape.width
      for column in 0..<shape.width {
        try body(row * shape.width + column, Self.load(base, start + column * step, isBigEndian))
      }
    }
  }

  /// The offset of the first element of a row: its index written in the mixed base of the outer extents.
  private func first(of row: Int, _ strides: [Int]) -> Int {
    var (rest, position) = (row, offset)
    for dimension in stride(from: shape.rank - 2, through: 0, by: -1) {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: shape[dimension])
      position += index * strides[dimension]
      rest = quotient
    }
    return position
  }

  @inline(__always)
  private static func load<Stored: FixedWidthInteger>(
    _ base: UnsafeRawPointer, _ index: Int, _ isSwapped: Bool
  ) -> Stored {
    let raw = base.loadUnaligned(fromByteOffset: index &* MemoryLayout<Stored>.stride, as: Stored.self)
    return isSwapped ? Stored(bigEndian: raw) : Stored(littleEndian: raw)
  }
}

extension Shape {
  /// The shape of stored extents, none negative, of which no product may overflow.
  init(stored extents: [Int], elementSize: Int = 8) throws(FormatProblem) {
    guard extents.count <= PickleBudget.rankLimit else {
      throw FormatProblem(expected: "at most \(PickleBudget.rankLimit) dimensions", found: "\(extents.count)")
    }
    var size = elementSize
    for extent in extents {
      guard extent >= 0 else { throw FormatProblem(expected: "extents of 0 or more", found: "\(extent)") }
      let (product, overflow) = size.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow else { throw FormatProblem(expected: "a shape of fewer than 2^63 bytes", found: "an overflow") }
      size = product
    }
    self.init(extents)
  }
}
