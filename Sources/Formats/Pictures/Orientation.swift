/// The orientation of the pixels of a file: the orientation tag of EXIF 2.3, section 4.6.4.
public enum Orientation: UInt8, Sendable, CaseIterable {
  case upright = 1
  case mirrored = 2
  case upsideDown = 3
  case mirroredUpsideDown = 4
  /// Rows and columns exchanged.
  case transposed = 5
  /// To be turned a quarter clockwise.
  case turnedLeft = 6
  case transversed = 7
  /// To be turned a quarter counter-clockwise.
  case turnedRight = 8
}

/// What the metadata of a file say of its orientation.
struct StatedOrientation {
  var exif: Orientation?
  /// Followed where there is no EXIF tag.
  var xmp: Orientation?
  var orientation: Orientation { exif ?? xmp ?? .upright }
}

extension Orientation {
  /// The orientation in a block of TIFF-structured EXIF data; `nil` if it has none or is invalid.
  init?(exif: UnsafeBufferPointer<UInt8>) {
    guard let found = Self.find(in: exif) else { return nil }
    self = found
  }

  /// The orientation in XMP data, `tiff:Orientation` as an attribute or an element; `nil` if it has none.
  init?(xmp: some Collection<UInt8>) {
    let text = String(decoding: xmp, as: UTF8.self)
    guard let match = text.firstMatch(of: /tiff:Orientation(?:="|>)([0-9])/), let value = UInt8(match.output.1) else {
      return nil
    }
    self.init(rawValue: value)
  }

  private static func find(in exif: UnsafeBufferPointer<UInt8>) -> Orientation? {
    guard exif.count >= 8 else { return nil }
    let isLittle: Bool
    switch (exif[0], exif[1]) {
    case (0x49, 0x49): isLittle = true
    case (0x4D, 0x4D): isLittle = false
    default: return nil
    }
    func number(at offset: Int, bytes: Int) -> Int? {
      guard offset >= 0, bytes <= exif.count - offset else { return nil }
      return (0..<bytes).reduce(0) { value, index in
        value << 8 | Int(exif[offset + (isLittle ? bytes - 1 - index : index)])
      }
    }
    guard number(at: 2, bytes: 2) == 42, let directory = number(at: 4, bytes: 4),
      let count = number(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      guard let tag = number(at: offset, bytes: 2) else { return nil }
      // Tag 0x0112, one value of type 3 (16 bits), kept in the entry itself.
      if tag == 0x0112, number(at: offset + 2, bytes: 2) == 3, let value = number(at: offset + 8, bytes: 2) {
        return UInt8(exactly: value).flatMap(Orientation.init(rawValue:))
      }
    }
    return nil
  }
}

extension Image {
  /// The image rotated and mirrored by its orientation, so that it is upright.
  public func upright() -> Image {
    guard orientation != .upright else { return self }
    let exchanges = orientation.rawValue >= 5
    let (newWidth, newHeight) = exchanges ? (height, width) : (width, height)
    // The pixel of the file at the top left of the upright image, and the steps to its right and below.
    let right = 3
    let down = 3 * width
    let lastRow = (height - 1) * down
    let lastColumn = (width - 1) * right
    let (start, columnStep, rowStep) =
      switch orientation {
      case .upright: (0, right, down)
      case .mirrored: (lastColumn, -right, down)
      case .upsideDown: (lastRow + lastColumn, -right, -down)
      case .mirroredUpsideDown: (lastRow, right, -down)
      case .transposed: (0, down, right)
      case .turnedLeft: (lastRow, -down, right)
      case .transversed: (lastRow + lastColumn, -down, -right)
      case .turnedRight: (lastColumn, down, -right)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      var index = 0
      for row in 0..<newHeight {
        var source = start + row * rowStep
        for _ in 0..<newWidth {
          for channel in 0..<3 { target[index + channel] = pixels[source + channel] }
          index += 3
          source += columnStep
        }
      }
      count = index
    }
    return Image(width: newWidth, height: newHeight, pixels: turned)
  }
}
