/// The indices of a run-length coded BMP file (RLE8 and RLE4).
///
/// Pixels that the codes skip are 0. Runs end at the end of their row, and a file whose codes end before its last row
/// is refused: both as in Pillow.
struct BMPRuns {
  private static let part = "the runs"

  private var reader: PictureReader
  private let width: Int
  private let count: Int
  private let isHalved: Bool

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ header: BMPHeader) {
    reader = PictureReader(bytes, from: header.pixelOffset)
    (width, count) = (header.width, header.width * header.height)
    isHalved = header.compression == .rle4
  }

  /// [height, width], rows in the order of the file.
  consuming func indices() throws(ImageError.Problem) -> [UInt8] {
    var indices: [UInt8] = []
    var column = 0
    while indices.count < count {
      let (length, value) = (Int(try reader.byte(of: Self.part)), try reader.byte(of: Self.part))
      if length > 0 {
        let length = min(length, max(0, width - column))
        for index in 0..<length { indices.append(pixel(index, of: value)) }
        column += length
        continue
      }
      switch value {
      case 0:
        append(zeros: (width - indices.count % width) % width, to: &indices)
        column = 0
      case 1: throw .truncated(in: Self.part)
      case 2:
        let (right, up) = (Int(try reader.byte(of: Self.part)), Int(try reader.byte(of: Self.part)))
        append(zeros: right + up * width, to: &indices)
        column = indices.count % width
      default:
        try copy(Int(value), to: &indices)
        column += Int(value)
      }
    }
    // The last row may have been left a little too long.
    return Array(indices.prefix(count))
  }

  private func pixel(_ index: Int, of value: UInt8) -> UInt8 {
    isHalved ? (index.isMultiple(of: 2) ? value >> 4 : value & 15) : value
  }

  private func append(zeros: Int, to indices: inout [UInt8]) {
    indices.append(contentsOf: repeatElement(0, count: min(zeros, count - indices.count)))
  }

  /// Pixels as they are, up to an even offset in the file.
  private mutating func copy(_ length: Int, to indices: inout [UInt8]) throws(ImageError.Problem) {
    let length = min(length, count - indices.count)
    let bytes = try reader.take(isHalved ? (length + 1) / 2 : length, of: Self.part)
    for index in 0..<length { indices.append(pixel(index, of: bytes[isHalved ? index / 2 : index])) }
    if indices.count < count, !reader.position.isMultiple(of: 2) { _ = try reader.byte(of: Self.part) }
  }
}
