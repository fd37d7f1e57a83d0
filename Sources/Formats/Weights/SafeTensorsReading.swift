import Tensor

// Conversion of stored elements: to a tensor, bytes, or integers.

extension SafeTensorsFile {
  /// A tensor as elements of type `Real`.
  ///
  /// Floating-point elements are rounded to the nearest `Real`; in `Float` builds only F64 needs it. Integers and
  /// booleans (0 and 1) are converted exactly or not at all.
  ///
  /// - Throws: `WeightFileError` if there is no such tensor, or an integer in it that `Real` cannot hold.
  public func tensor(_ name: String) throws(WeightFileError) -> Tensor {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.tensor(from: bytes, of: mapped) }
  }

  /// The bytes of a tensor of type U8 or BOOL.
  public func bytes(_ name: String) throws(WeightFileError) -> [UInt8] {
    let type = try entry(name).type
    guard type == .u8 || type == .bool else {
      throw .tensor(file: file, name: name, expected: "bytes (U8 or BOOL)", found: type.rawValue)
    }
    return try withBytes(name) { Array($0) }
  }

  /// The elements of a tensor of an integer type or of booleans, in row-major order.
  ///
  /// - Throws: `WeightFileError` if there is no such tensor, if its elements are floating-point numbers, or if one
  ///   of type U64 is 2⁶³ or more.
  public func integers(_ name: String) throws(WeightFileError) -> [Int64] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.integers(from: bytes) }
  }

  /// The elements of a tensor in double precision; see `WeightFile.doubles`.
  public func doubles(_ name: String) throws(WeightFileError) -> [Double] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.doubles(from: bytes) }
  }

  private func read<Result>(
    _ name: String, _ body: (StoredElements, UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(WeightFileError) -> Result {
    let entry = try entry(name)
    return try withBytes(name) { bytes throws(WeightFileError) in
      do throws(FormatProblem) { return try body(StoredElements(entry.type, entry.shape), bytes) } catch {
        throw .tensor(file: file, name: name, expected: error.expected, found: error.found)
      }
    }
  }
}
