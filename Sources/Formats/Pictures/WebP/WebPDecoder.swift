import Tensor

/// A decoder for WebP files (RFC 9649): lossless and lossy, with or without alpha, which is dropped; the first frame of
/// an animation on its canvas, which is black around it.
struct WebPDecoder {
  /// True if the bytes are a RIFF file of this kind.
  static func recognizes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count >= 12 && bytes.starts(with: Array("RIFF".utf8)) && bytes[8..<12].elementsEqual("WEBP".utf8)
  }

  private var reader: PictureReader
  private var stated = StatedOrientation()
  private var canvas: (width: Int, height: Int)?
  private var image: Image?

  init(_ bytes: UnsafeBufferPointer<UInt8>) { reader = PictureReader(bytes) }

  mutating func decode() throws(ImageError.Problem) -> Image {
    _ = try reader.take(4, of: "the header")
    let size = try reader.number(4, of: "the header")
    var chunks = PictureReader(try reader.take(size, of: "the RIFF data"))
    let kind = try chunks.take(4, of: "the header")
    guard kind.elementsEqual("WEBP".utf8) else { throw .malformed(expected: "RIFF data WEBP", found: "other data") }
    while chunks.remaining >= 8 {
      let (name, data) = try Self.chunk(&chunks)
      switch name {
      case "VP8X": try readCanvas(data)
      case "VP8 ", "VP8L": if image == nil { image = try whole(name, data) }
      case "ANMF": if image == nil { image = try frame(data) }
      case "EXIF": readOrientation(data)
      case "XMP ": stated.xmp = Orientation(xmp: data)
      default: continue
      }
    }
    guard var image else { throw .malformed(expected: "a chunk VP8, VP8L or ANMF", found: "none") }
    image.orientation = stated.orientation
    return image
  }

  /// The next chunk: name, size, data, and a byte more if the size is odd.
  private static func chunk(
    _ reader: inout PictureReader
  ) throws(ImageError.Problem) -> (name: String, data: UnsafeBufferPointer<UInt8>) {
    let name = String(decoding: try reader.take(4, of: "a chunk"), as: UTF8.self)
    let size = try reader.number(4, of: "a chunk")
    let data = try reader.take(size, of: "chunk \(name)")
    if !size.isMultiple(of: 2), reader.remaining > 0 { _ = try reader.take(1, of: "a chunk") }
    return (name, data)
  }

  private mutating func readCanvas(_ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    var reader = PictureReader(data, from: 4)
    let width = try reader.number(3, of: "chunk VP8X") + 1
    let height = try reader.number(3, of: "chunk VP8X") + 1
    try Image.checkSize(width: width, height: height)
    canvas = (width, height)
  }

  private mutating func readOrientation(_ data: UnsafeBufferPointer<UInt8>) {
    // Some writers keep the prefix that EXIF data has in JPEG files.
    let prefix = Array("Exif\0\0".utf8)
    let start = data.starts(with: prefix) ? prefix.count : 0
    stated.exif = Orientation(exif: UnsafeBufferPointer(rebasing: data[start...]))
  }

  /// The only frame of a still image.
  private func whole(_ name: String, _ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) -> Image {
    let image = try Self.decode(name, data)
    guard canvas.map({ $0 == (image.width, image.height) }) ?? true else {
      throw .malformed(
        expected: "an image of the canvas, \(canvas!.width) × \(canvas!.height)",
        found: "\(image.width) × \(image.height)")
    }
    return image
  }

  /// The first frame of an animation: its position, size, duration and flags, then its chunks.
  private func frame(_ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) -> Image {
    guard let canvas else { throw .malformed(expected: "a chunk VP8X before ANMF", found: "none") }
    var reader = PictureReader(data)
    let left = 2 * (try reader.number(3, of: "chunk ANMF"))
    let top = 2 * (try reader.number(3, of: "chunk ANMF"))
    let width = try reader.number(3, of: "chunk ANMF") + 1
    let height = try reader.number(3, of: "chunk ANMF") + 1
    _ = try reader.take(4, of: "chunk ANMF")
    guard left + width <= canvas.width, top + height <= canvas.height else {
      throw .malformed(
        expected: "a frame within \(canvas.width) × \(canvas.height)",
        found: "\(width) × \(height) at \(left), \(top)")
    }
    while reader.remaining >= 8 {
      let (name, data) = try Self.chunk(&reader)
      guard name == "VP8 " || name == "VP8L" else { continue }
      let image = try Self.decode(name, data)
      guard (image.width, image.height) == (width, height) else {
        throw .malformed(
          expected: "a frame of \(width) × \(height)", found: "\(image.width) × \(image.height)")
      }
      return image.placed(onWidth: canvas.width, height: canvas.height, left: left, top: top)
    }
    throw .malformed(expected: "a chunk VP8 or VP8L in the frame", found: "none")
  }

  private static func decode(
    _ name: String, _ data: UnsafeBufferPointer<UInt8>
  ) throws(ImageError.Problem) -> Image {
    if name == "VP8L" {
      var decoder = VP8LDecoder(data)
      return try decoder.decode()
    }
    return try VP8Decoder(data).decode()
  }
}

extension Image {
  /// The image on a larger black one.
  fileprivate func placed(onWidth: Int, height onHeight: Int, left: Int, top: Int) -> Image {
    guard (onWidth, onHeight) != (width, height) else { return self }
    var placed = [UInt8](repeating: 0, count: 3 * onWidth * onHeight)
    for row in 0..<height {
      let start = 3 * ((top + row) * onWidth + left)
      placed.replaceSubrange(start..<start + 3 * width, with: pixels[3 * row * width..<3 * (row + 1) * width])
    }
    return Image(width: onWidth, height: onHeight, pixels: placed)
  }
}
