import Datasets
import Formats
import Foundation

/// A small upright copy of an image, as a data URI for a page.
enum Thumbnail {
  /// The longer side in pixels.
  static let side = 160
  /// Files of a type that browsers show are embedded as they are up to this size in bytes.
  static let bytesAsTheyAre = 1 << 14

  /// The contents of a file; `nil` if it is no image that can be read.
  static func source(of file: URL) -> String? {
    guard let bytes = try? MappedFile.bytes(of: file, limit: 1 << 30) else { return nil }
    if bytes.count <= bytesAsTheyAre, let type = type(of: bytes) {
      return "data:\(type);base64,\(Data(bytes).base64EncodedString())"
    }
    guard let image = try? Image.decode(bytes, name: file.lastPathComponent).upright() else { return nil }
    return "data:image/png;base64,\(Data(scaled(image).png).base64EncodedString())"
  }

  /// The image with its longer side at most `side`.
  static func scaled(_ image: Image) -> Image {
    let longer = max(image.width, image.height)
    guard longer > side else { return image }
    func scaled(_ length: Int) -> Int { max(1, (length * side + longer / 2) / longer) }
    return image.resized(width: scaled(image.width), height: scaled(image.height), .bicubic)
  }

  /// The type by the first bytes, as the extension of a file may be wrong.
  private static func type(of bytes: [UInt8]) -> String? {
    let types: [(name: String, signature: [UInt8])] = [
      ("image/jpeg", [0xff, 0xd8, 0xff]), ("image/png", [0x89] + Array("PNG\r\n\u{1a}\n".utf8)),
      ("image/gif", Array("GIF8".utf8)), ("image/bmp", Array("BM".utf8)),
    ]
    if let type = types.first(where: { bytes.starts(with: $0.signature) }) { return type.name }
    let isWebP = bytes.starts(with: Array("RIFF".utf8)) && bytes.dropFirst(8).starts(with: Array("WEBP".utf8))
    return isWebP ? "image/webp" : nil
  }
}
