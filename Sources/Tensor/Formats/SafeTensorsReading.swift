// What the stored elements become: numbers of a tensor, bytes, or integers.

extension SafeTensorsFile {
  /// A tensor as numbers of type `Real`.
  ///
  /// Floating-point elements are rounded to the nearest `Real`; in `Float` builds only F64 needs it. Integers and
  /// booleans (0 and 1) are converted exactly or not at all.
  ///
  /// - Throws: `SafeTensorsError` if there is no such tensor, or an integer in it that `Real` cannot hold.
  public func tensor(_ name: String) throws(SafeTensorsError) -> Tensor {
    switch try entry(name).type {
    case .f64: try converted(name) { (bits: UInt64) in Real(Double(bitPattern: UInt64(littleEndian: bits))) }
    case .f32: try converted(name) { (bits: UInt32) in Real(Float(bitPattern: UInt32(littleEndian: bits))) }
    case .f16: try converted(name) { bits in Real(HalfPrecision.float(binary16: UInt16(littleEndian: bits))) }
    case .bf16: try converted(name) { bits in Real(HalfPrecision.float(bfloat16: UInt16(littleEndian: bits))) }
    case .f8E5M2: try converted(name) { bits in Real(HalfPrecision.float(e5m2: bits)) }
    case .f8E4M3: try converted(name) { bits in Real(HalfPrecision.float(e4m3: bits)) }
    case .u8: try converted(name) { (value: UInt8) in Real(value) }
    case .i8: try converted(name) { (value: Int8) in Real(value) }
    case .bool, .i16, .u16, .i32, .u32, .i64, .u64: try exactIntegers(name)
    }
  }

  /// The bytes of a tensor of type U8 or BOOL.
  public func bytes(_ name: String) throws(SafeTensorsError) -> [UInt8] {
    let type = try entry(name).type
    guard type == .u8 || type == .bool else {
      throw .tensor(file: file, name: name, expected: "bytes (U8 or BOOL)", found: type.rawValue)
    }
    return try withBytes(name) { Array($0) }
  }

  /// The elements of a tensor of an integer type or of booleans, in row-major order.
  ///
  /// - Throws: `SafeTensorsError` if there is no such tensor, if its elements are floating-point numbers, or if one
  ///   of type U64 is 2⁶³ or more.
  public func integers(_ name: String) throws(SafeTensorsError) -> [Int64] {
    let type = try entry(name).type
    switch type {
    case .bool: return try booleans(name)
    case .u8: return try integers(name, of: UInt8.self)
    case .i8: return try integers(name, of: Int8.self)
    case .u16: return try integers(name, of: UInt16.self)
    case .i16: return try integers(name, of: Int16.self)
    case .u32: return try integers(name, of: UInt32.self)
    case .i32: return try integers(name, of: Int32.self)
    case .u64: return try integers(name, of: UInt64.self)
    case .i64: return try integers(name, of: Int64.self)
    case .f64, .f32, .f16, .bf16, .f8E5M2, .f8E4M3:
      throw .tensor(file: file, name: name, expected: "integers", found: type.rawValue)
    }
  }

  /// Every element through `convert`, in pieces that several threads share.
  @inline(__always)
  private func converted<Stored: FixedWidthInteger>(
    _ name: String, _ convert: (Stored) -> Real
  ) throws(SafeTensorsError) -> Tensor {
    let shape = try entry(name).shape
    return try withBytes(name) { bytes in
      Tensor(shape) { numbers in
        guard let base = bytes.baseAddress else { return }
        Parallel.forEachRange(shape.count, grain: 1 << 18) { range in
          for index in range {
            numbers[index] = convert(
              base.loadUnaligned(fromByteOffset: index &* MemoryLayout<Stored>.stride, as: Stored.self))
          }
        }
      }
    }
  }

  private func exactIntegers(_ name: String) throws(SafeTensorsError) -> Tensor {
    let integers = try integers(name)
    for (index, value) in integers.enumerated() where Int64(exactly: Real(value)) != value {
      throw .tensor(
        file: file, name: name, expected: "integers that \(Real.self) can hold", found: "\(value) as element \(index)")
    }
    return Tensor(try entry(name).shape, integers.map { Real($0) })
  }

  private func booleans(_ name: String) throws(SafeTensorsError) -> [Int64] {
    let bytes = try bytes(name)
    for (index, byte) in bytes.enumerated() where byte > 1 {
      throw .tensor(file: file, name: name, expected: "booleans of 0 or 1", found: "\(byte) as element \(index)")
    }
    return bytes.map(Int64.init)
  }

  private func integers<Stored: FixedWidthInteger>(
    _ name: String, of type: Stored.Type
  ) throws(SafeTensorsError) -> [Int64] {
    let count = try entry(name).shape.count
    return try withBytes(name) { bytes throws(SafeTensorsError) in
      var integers: [Int64] = []
      integers.reserveCapacity(count)
      for index in 0..<count {
        let stored = Stored(
          littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.stride, as: type))
        guard let value = Int64(exactly: stored) else {
          throw .tensor(
            file: file, name: name, expected: "integers below 2^63", found: "\(stored) as element \(index)")
        }
        integers.append(value)
      }
      return integers
    }
  }
}
