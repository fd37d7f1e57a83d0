/// Names the type of a file that is not an image this reader decodes.
enum ImageSignature {
  private static let known: [(offset: Int, bytes: [UInt8], name: String)] = [
    (0, [0x49, 0x49, 0x2A, 0x00], "a TIFF file"),
    (0, [0x4D, 0x4D, 0x00, 0x2A], "a TIFF file"),
    (0, [0x49, 0x49, 0x2B, 0x00], "a BigTIFF file"),
    (0, [0x4D, 0x4D, 0x00, 0x2B], "a BigTIFF file"),
    (4, Array("ftypavif".utf8), "an AVIF file"),
    (4, Array("ftypavis".utf8), "an AVIF file"),
    (4, Array("ftyphei".utf8), "a HEIC file"),
    (4, Array("ftyphev".utf8), "a HEIC file"),
    (4, Array("ftypmif1".utf8), "a HEIF file"),
    (4, Array("ftypmsf1".utf8), "a HEIF file"),
    (4, Array("ftyp".utf8), "an ISO media file (a film?)"),
    (0, [0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50], "a JPEG 2000 file"),
    (0, [0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 stream"),
    (0, [0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C], "a JPEG XL file"),
    (0, [0xFF, 0x0A], "a JPEG XL stream"),
    (0, [0x00, 0x00, 0x01, 0x00], "an icon file (ICO)"),
    (0, Array("8BPS".utf8), "a Photoshop file"),
    (0, Array("DDS ".utf8), "a DDS file"),
    (0, [0x76, 0x2F, 0x31, 0x01], "an OpenEXR file"),
    (0, Array("GIF".utf8), "a GIF file of an unknown version"),
    (0, Array("RIFF".utf8), "a RIFF file (sound or film?)"),
    (0, Array("%PDF".utf8), "a PDF file"),
    (0, Array("version https://git-lfs".utf8), "a Git LFS pointer"),
    (0, [0x1F, 0x8B], "a gzip file"),
    (0, Array("PK".utf8), "a zip file"),
  ]

  static func describe(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    if bytes.isEmpty { return "an empty file" }
    for (offset, signature, name) in known where bytes.count >= offset + signature.count {
      if bytes[offset..<offset + signature.count].elementsEqual(signature) { return name }
    }
    if let name = text(bytes) { return name }
    let start = bytes.prefix(8).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return "\(bytes.count) bytes starting \(start.joined(separator: " "))"
  }

  /// Formats that begin with characters; some may have white space or a byte-order mark before them.
  private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    let isSpace = { (byte: UInt8) in [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
    // P1 to P6, P7 (PAM), Pf and PF, each before white space.
    if bytes.count > 2, bytes[0] == 0x50, isSpace(bytes[2]), "1234567fF".utf8.contains(bytes[1]) {
      return "a PPM, PGM or PBM file"
    }
    var start = bytes.prefix(1024)
    if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
    start = start.drop(while: isSpace)
    guard start.first == 0x3C else { return nil }
    let text = String(decoding: start, as: UTF8.self).lowercased()
    if text.contains("<svg") { return "an SVG file" }
    return text.contains("<html") || text.contains("<!doctype html") ? "an HTML page" : "a text file (XML?)"
  }
}
