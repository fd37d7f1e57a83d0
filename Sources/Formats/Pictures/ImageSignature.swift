/// Names the type of a file that is not an image this reader decodes.
enum ImageSignature {
  private static let known: [(offset: Int, bytes: [UInt8], name: String)] = [
    (0, Array("GIF8".utf8), "a GIF file"),
    (8, Array("WEBP".utf8), "a WebP file"),
    (0, Array("BM".utf8), "a BMP file"),
    (0, [0x49, 0x49, 0x2A, 0x00], "a TIFF file"),
    (0, [0x4D, 0x4D, 0x00, 0x2A], "a TIFF file"),
    (4, Array("ftypavif".utf8), "an AVIF file"),
    (4, Array("ftyp".utf8), "an ISO media file (HEIC?)"),
    (0, [0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50], "a JPEG 2000 file"),
    (0, Array("%PDF".utf8), "a PDF file"),
    (0, Array("<".utf8), "a text file (HTML?)"),
    (0, Array("version https://git-lfs".utf8), "a Git LFS pointer"),
    (0, [0x1F, 0x8B], "a gzip file"),
    (0, Array("PK".utf8), "a zip file"),
  ]

  static func describe(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    if bytes.isEmpty { return "an empty file" }
    for (offset, signature, name) in known where bytes.count >= offset + signature.count {
      if bytes[offset..<offset + signature.count].elementsEqual(signature) { return name }
    }
    let start = bytes.prefix(8).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return "\(bytes.count) bytes starting \(start.joined(separator: " "))"
  }
}
