import Foundation
import Tensor

/// An encoder for PNG files (ISO/IEC 15948): 8-bit RGB, not interlaced; the same bytes for the same image everywhere.
enum PNGEncoder {
  /// The bytes of the file.
  static func encode(_ image: Image) -> [UInt8] {
    var file = PNGChunks.signature
    let size = [UInt32(image.width), UInt32(image.height)].flatMap { withUnsafeBytes(of: $0.bigEndian, Array.init) }
    // Eight bits, colour type 2; the only methods of compression and filtering; no interlace.
    append("IHDR", size + [8, 2, 0, 0, 0], to: &file)
    append("IDAT", Deflate.zlib(filteredRows(of: image)), to: &file)
    append("IEND", [], to: &file)
    return file
  }

  /// Appends a chunk: length, type, data, checksum.
  static func append(_ type: String, _ data: [UInt8], to file: inout [UInt8]) {
    let checked = Array(type.utf8) + data
    file += withUnsafeBytes(of: UInt32(data.count).bigEndian, Array.init)
    file += checked
    file += withUnsafeBytes(of: checked.withUnsafeBufferPointer { Checksum.crc32($0) }.bigEndian, Array.init)
  }

  /// Each row with the filter that gives the smallest Σ |byte as a signed integer|, the first of equals; its type comes
  /// before it. The sum is the measure that the standard suggests (section 12.8).
  private static func filteredRows(of image: Image) -> [UInt8] {
    let count = 3 * image.width
    var rows: [UInt8] = []
    rows.reserveCapacity(image.height * (1 + count))
    var above = [UInt8](repeating: 0, count: count)
    for start in stride(from: 0, to: image.pixels.count, by: count) {
      let row = Array(image.pixels[start..<start + count])
      var best: (filter: UInt8, bytes: [UInt8], sum: Int)?
      for filter in UInt8(0)...4 {
        let bytes = PNGFilter.filtered(row, above: above, step: 3, filter: filter)
        let sum = bytes.reduce(0) { $0 + Int(Int8(bitPattern: $1).magnitude) }
        if sum < best?.sum ?? .max { best = (filter, bytes, sum) }
      }
      rows.append(best!.filter)
      rows += best!.bytes
      above = row
    }
    return rows
  }
}

extension Image {
  /// The image as a PNG file: 8-bit RGB, without loss. Its orientation is not stored.
  ///
  /// The bytes depend on the pixels alone.
  public var png: [UInt8] { PNGEncoder.encode(self) }

  /// Writes the image as a PNG file, which appears complete or not at all.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func writePNG(to url: URL) throws(FileError) { try AtomicFile.write(png, to: url) }
}
