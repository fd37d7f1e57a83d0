import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// Three folders of ten pictures: upright ones and turned ones, one of 12 megapixels, one that is none.
enum PhonePhotos {
  static let classes = ["beech", "maple", "oak"]

  /// - hasLarge: whether one has 12 megapixels, which take their time.
  static func write(to folder: TemporaryFolder, _ name: String, hasLarge: Bool = true) throws {
    for (label, kind) in classes.enumerated() {
      for number in 0..<10 {
        let file = "\(name)/\(kind)/IMG_000\(number)"
        if kind == "oak", number == 7 {
          // By its contents a training image.
          try folder.write([0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 1], to: "\(file).jpg")
          continue
        }
        let isLarge = hasLarge && kind == "maple" && number == 3
        let (width, height) = isLarge ? (4000, 3000) : (48, 36)
        var pixels = [UInt8](repeating: UInt8(10 * number), count: 3 * width * height)
        for index in stride(from: label, to: pixels.count, by: 3) { pixels[index] = 230 }
        // Every other photo lies on its side or stands on its head.
        let orientation = number.isMultiple(of: 2) ? [6, 3, 8][(number / 2) % 3] : 1
        let bytes = oriented(Image(width: width, height: height, pixels: pixels).png, orientation)
        #expect(bytes.count < 200_000, "small in bytes")
        try folder.write(bytes, to: "\(file).png")
      }
    }
  }

  /// A PNG with a chunk of EXIF data behind its header, which has 8 + 25 bytes.
  private static func oriented(_ png: [UInt8], _ orientation: Int) -> [UInt8] {
    let entry: [UInt8] = [0x12, 0x01, 3, 0, 1, 0, 0, 0, UInt8(orientation), 0, 0, 0]
    let data = Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0] + entry + [0, 0, 0, 0]
    var chunk: [UInt8] = []
    PNGEncoder.append("eXIf", data, to: &chunk)
    return Array(png[..<33]) + chunk + Array(png[33...])
  }
}
