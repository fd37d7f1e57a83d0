/// The filters of rows, undone and applied (ISO/IEC 15948, section 9.2).
enum PNGFilter {
  /// Undoes the filter of one row in place.
  ///
  /// - row: `count` bytes; above: the reconstructed row above, or zeros; step: bytes from a pixel to the one
  ///   on its left, at least 1; filter: its type, 0 to 4.
  static func reconstruct(
    _ row: UnsafeMutablePointer<UInt8>, above: UnsafePointer<UInt8>, count: Int, step: Int, filter: UInt8
  ) {
    let lead = min(step, count)
    switch filter {
    case 0: break
    case 1:
      for index in lead..<count { row[index] &+= row[index &- step] }
    case 2:
      for index in 0..<count { row[index] &+= above[index] }
    case 3:
      for index in 0..<lead { row[index] &+= above[index] >> 1 }
      for index in lead..<count {
        let sum = UInt16(row[index &- step]) &+ UInt16(above[index])
        row[index] &+= UInt8(truncatingIfNeeded: sum >> 1)
      }
    default:
      for index in 0..<lead { row[index] &+= above[index] }
      for index in lead..<count {
        row[index] &+= paeth(row[index &- step], above[index], above[index &- step])
      }
    }
  }

  /// Applies a filter to one row: the inverse of `reconstruct`.
  ///
  /// - row, above: as many bytes; step: bytes from a pixel to the one on its left, at least 1; filter: its type, 0 to
  ///   4.
  static func filtered(_ row: [UInt8], above: [UInt8], step: Int, filter: UInt8) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: row.count) { bytes, count in
      for index in row.indices {
        let left = index < step ? 0 : row[index &- step]
        let corner = index < step ? 0 : above[index &- step]
        let prediction: UInt8 =
          switch filter {
          case 0: 0
          case 1: left
          case 2: above[index]
          case 3: UInt8(truncatingIfNeeded: (UInt16(left) + UInt16(above[index])) / 2)
          default: paeth(left, above[index], corner)
          }
        bytes.initializeElement(at: index, to: row[index] &- prediction)
      }
      count = row.count
    }
  }

  /// The one of left, above and above left that is nearest to left + above − above left; the first of equals.
  @inline(__always)
  private static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    let toLeft = abs(Int32(above) &- Int32(corner))
    let toAbove = abs(Int32(left) &- Int32(corner))
    let toCorner = abs(Int32(left) &+ Int32(above) &- 2 &* Int32(corner))
    if toLeft <= toAbove, toLeft <= toCorner { return left }
    return toAbove <= toCorner ? above : corner
  }
}
