/// The inverse transforms of VP8 (RFC 6386, section 14), in integers.
enum VP8Transform {
  /// The Walsh-Hadamard transform of the means of 16 blocks, each into the first coefficient of its block.
  static func invertMeans(_ means: UnsafePointer<Int16>, into blocks: UnsafeMutablePointer<Int16>) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 16) { columns in
      for index in 0..<4 {
        let (a, b) = (Int32(means[index]), Int32(means[4 + index]))
        let (c, d) = (Int32(means[8 + index]), Int32(means[12 + index]))
        columns[index] = a &+ d &+ b &+ c
        columns[4 + index] = a &- d &+ b &- c
        columns[8 + index] = a &+ d &- b &- c
        columns[12 + index] = a &- d &- b &+ c
      }
      for row in 0..<4 {
        let (a, b) = (columns[4 * row] &+ 3, columns[4 * row + 1])
        let (c, d) = (columns[4 * row + 2], columns[4 * row + 3])
        let target = blocks + 64 * row
        target[0] = Int16(truncatingIfNeeded: (a &+ d &+ b &+ c) >> 3)
        target[16] = Int16(truncatingIfNeeded: (a &- d &+ b &- c) >> 3)
        target[32] = Int16(truncatingIfNeeded: (a &+ d &- b &- c) >> 3)
        target[48] = Int16(truncatingIfNeeded: (a &- d &- b &+ c) >> 3)
      }
    }
  }

  /// Adds the transform of a block to 4 × 4 samples.
  static func add(_ block: UnsafePointer<Int16>, to samples: UnsafeMutablePointer<UInt8>, stride: Int) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 16) { columns in
      for index in 0..<4 {
        let (a, b) = (Int32(block[index]), Int32(block[4 + index]))
        let (c, d) = (Int32(block[8 + index]), Int32(block[12 + index]))
        butterfly(a, b, c, d, into: columns.baseAddress! + 4 * index)
      }
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: 4) { row in
        for index in 0..<4 {
          butterfly(
            columns[index] &+ 4, columns[4 + index], columns[8 + index], columns[12 + index],
            into: row.baseAddress!)
          let target = samples + index * stride
          for column in 0..<4 {
            target[column] = UInt8(truncatingIfNeeded: min(max(Int32(target[column]) &+ row[column] >> 3, 0), 255))
          }
        }
      }
    }
  }

  /// Factors of √2 cos(π/8) − 1 and √2 sin(π/8), in units of 2⁻¹⁶.
  @inline(__always)
  private static func butterfly(
    _ a: Int32, _ b: Int32, _ c: Int32, _ d: Int32, into target: UnsafeMutablePointer<Int32>
  ) {
    func cosine(_ value: Int32) -> Int32 { (value &* 20091) >> 16 &+ value }
    func sine(_ value: Int32) -> Int32 { (value &* 35468) >> 16 }
    let (even, odd) = (a &+ c, a &- c)
    let (low, high) = (sine(b) &- cosine(d), cosine(b) &+ sine(d))
    target[0] = even &+ high
    target[1] = odd &+ low
    target[2] = odd &- low
    target[3] = even &- high
  }
}
