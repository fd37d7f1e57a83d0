import Foundation
import Synchronization
import Tensor

/// An image: rows of interleaved 8-bit RGB pixels, top row first.
///
/// Decoding gives what Pillow's `Image.open(file).convert("RGB")` gives: alpha is dropped, palettes are expanded,
/// CMYK is converted, colour profiles, gamma and the EXIF orientation are not applied.
public struct Image: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// [height, width, 3], each 0...255.
  public var pixels: [UInt8]
  /// The orientation of the camera according to the file; `upright()` applies it.
  public var orientation: Orientation
  /// What the file lacks of the image, in a few words; `nil` if nothing. Pixels are those that Pillow gives.
  public var lack: String?

  /// The largest number of pixels decoded: by default twice the 2³⁰ / 4 / 3 at which Pillow starts to warn.
  ///
  /// Decoding takes at most 8 bytes for each pixel and 64 MB, besides twice the file, whatever the file says. The limit
  /// may be set before the first image is read, for the whole process.
  public static var maximumPixels: Int {
    get { pixelLimit.load(ordering: .relaxed) }
    set { pixelLimit.store(newValue, ordering: .relaxed) }
  }
  private static let pixelLimit = Atomic(178_956_970)
  /// The largest width and height decoded: rows are held whole.
  package static let maximumSide = 1 << 20
  /// The largest file read, in bytes.
  package static let maximumFileSize = 1 << 30

  /// - pixels: [height, width, 3]. Traps when the count differs.
  public init(width: Int, height: Int, pixels: [UInt8], orientation: Orientation = .upright) {
    require(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "image of \(width) × \(height): expected \(width * height * 3) bytes, found \(pixels.count)")
    self.width = width
    self.height = height
    self.pixels = pixels
    self.orientation = orientation
  }

  /// The image in the file at `url`: JPEG, PNG, the first frame of a GIF, BMP or WebP.
  ///
  /// - Throws: `ImageError` when the file cannot be read, is above `maximumFileSize`, or does not decode.
  public init(contentsOf url: URL) throws(ImageError) { try self.init(Self.bytes(of: url), of: url) }

  /// The image in the bytes of a file that was read already.
  package init(_ bytes: [UInt8], of url: URL) throws(ImageError) {
    let name = FileName.shown(url.path)
    self = try Self.decode(bytes, name: name)
    if let lack { IncompletePictures.add(name, lack: lack) }
  }

  /// The bytes of a file that should be an image.
  ///
  /// - Throws: `ImageError` when the file cannot be read, or is above `maximumFileSize`.
  package static func bytes(of url: URL) throws(ImageError) -> [UInt8] {
    do throws(FileError) { return try MappedFile.bytes(of: url, limit: maximumFileSize) } catch {
      throw ImageError(
        name: FileName.shown(url.path), problem: .unreadable("expected \(error.expected), found \(error.found)"))
    }
  }

  /// The image in the bytes of a file called `name`; its contents show which format it is, not its name.
  ///
  /// - Throws: `ImageError` if the format is another, the data is broken, or the image has more than
  ///   `maximumPixels` pixels or `maximumSide` on a side.
  public static func decode(_ bytes: [UInt8], name: String) throws(ImageError) -> Image {
    _ = FreedMemory.isKept
    do throws(ImageError.Problem) {
      return try bytes.withUnsafeBufferPointer { (bytes) throws(ImageError.Problem) in
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
          var decoder = JPEGDecoder(bytes)
          return try decoder.decode()
        }
        if bytes.starts(with: PNGChunks.signature) {
          var decoder = PNGDecoder(bytes)
          return try decoder.decode()
        }
        if GIFDecoder.signatures.contains(where: { bytes.starts(with: $0) }) {
          var decoder = GIFDecoder(bytes)
          return try decoder.decode()
        }
        if WebPDecoder.recognizes(bytes) {
          var decoder = WebPDecoder(bytes)
          return try decoder.decode()
        }
        if bytes.starts(with: Array("BM".utf8)) { return try BMPDecoder(bytes).decode() }
        throw .unsupported(
          expected: "a JPEG, PNG, GIF, BMP or WebP image", found: ImageSignature.describe(bytes))
      }
    } catch {
      throw ImageError(name: name, problem: error)
    }
  }

  /// Refuses an image whose sides are zero or whose pixels are too many to allocate.
  static func checkSize(width: Int, height: Int) throws(ImageError.Problem) {
    guard width > 0, height > 0 else {
      throw .malformed(expected: "an image of at least one pixel", found: "\(width) × \(height)")
    }
    guard height <= maximumPixels / width else {
      throw .tooLarge(expected: "at most \(maximumPixels) pixels", found: "\(width) × \(height)")
    }
    guard max(width, height) <= maximumSide else {
      throw .tooLarge(expected: "sides of at most \(maximumSide) pixels", found: "\(width) × \(height)")
    }
  }
}
