import Tensor

/// A decoder for BMP files: 1, 4, 8, 16, 24 and 32 bits per pixel, run-length coded, with colour masks, either row
/// first.
struct BMPDecoder {
  private let bytes: UnsafeBufferPointer<UInt8>

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func decode() throws(ImageError.Problem) -> Image {
    let header = try BMPHeader(bytes)
    switch header.compression {
    case .rle8, .rle4:
      let indices = try BMPRuns(bytes, header).indices()
      return image(header) { row, pixels in
        indices.withUnsafeBufferPointer {
          header.palette.expand($0.baseAddress! + row * header.width, count: header.width, into: pixels)
        }
      }
    case .none, .bitFields:
      let expansion = try BMPPixels(header)
      var reader = PictureReader(bytes, from: header.pixelOffset)
      let rows = try reader.take(header.height * header.rowBytes, of: "the rows")
      return image(header) { row, pixels in
        expansion.expand(rows.baseAddress! + row * header.rowBytes, into: pixels)
      }
    }
  }

  /// The image of rows in the order of the file.
  private func image(_ header: BMPHeader, row: (Int, UnsafeMutablePointer<UInt8>) -> Void) -> Image {
    let count = 3 * header.width * header.height
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { pixels, written in
      for index in 0..<header.height {
        let target = header.isTopDown ? index : header.height - 1 - index
        row(index, pixels.baseAddress! + 3 * target * header.width)
      }
      written = count
    }
    return Image(width: header.width, height: header.height, pixels: pixels)
  }
}
