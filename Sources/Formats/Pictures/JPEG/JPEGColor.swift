/// The colour space of the components of a JPEG image.
enum JPEGColorSpace {
  case gray, ycc, rgb
  /// Four inks, stored inverted as Adobe's programs write them; `ycck`: the first three as YCbCr.
  case cmyk, ycck
}

/// The colour information of the application segments.
struct JPEGColorHints {
  private var isJFIF = false
  private var adobeTransform: UInt8?

  mutating func readJFIF(_ segment: UnsafeBufferPointer<UInt8>) {
    if segment.count >= 14, segment.starts(with: Array("JFIF\0".utf8)) { isJFIF = true }
  }

  mutating func readAdobe(_ segment: UnsafeBufferPointer<UInt8>) {
    if segment.count >= 12, segment.starts(with: Array("Adobe".utf8)) { adobeTransform = segment[11] }
  }

  /// libjpeg's rules: JFIF means YCbCr; else the Adobe segment decides; else the components' names.
  func space(of frame: JPEGFrame) -> JPEGColorSpace {
    switch frame.components.count {
    case 1: return .gray
    case 3:
      if isJFIF { return .ycc }
      if let adobeTransform { return adobeTransform == 0 ? .rgb : .ycc }
      return frame.components.map(\.identifier) == Array("RGB".utf8) ? .rgb : .ycc
    default:
      guard let adobeTransform else { return .cmyk }
      return adobeTransform == 0 ? .cmyk : .ycck
    }
  }
}

/// Conversion of one row of samples to interleaved RGB, in libjpeg's (YCbCr) and Pillow's (CMYK) fixed-point
/// arithmetic.
enum JPEGColorConversion {
  typealias Source = UnsafePointer<UInt8>
  typealias Target = UnsafeMutablePointer<UInt8>

  static func gray(_ gray: Source, count: Int, into target: Target) {
    for index in 0..<count {
      let level = gray[index]
      target[3 &* index] = level
      target[3 &* index &+ 1] = level
      target[3 &* index &+ 2] = level
    }
  }

  static func rgb(_ red: Source, _ green: Source, _ blue: Source, count: Int, into target: Target) {
    for index in 0..<count {
      target[3 &* index] = red[index]
      target[3 &* index &+ 1] = green[index]
      target[3 &* index &+ 2] = blue[index]
    }
  }

  /// ITU-R BT.601 over the full range (JFIF 1.02), with 16 fractional bits:
  ///
  ///     R = Y + 1.402 Cr,   G = Y − 0.34414 Cb − 0.71414 Cr,   B = Y + 1.772 Cb      (Cb, Cr around 128)
  static func ycc(_ luma: Source, _ blue: Source, _ red: Source, count: Int, into target: Target) {
    for index in 0..<count {
      let y = Int32(luma[index])
      let cb = Int32(blue[index]) &- 128
      let cr = Int32(red[index]) &- 128
      target[3 &* index] = clamped(y &+ (91881 &* cr &+ 32768) >> 16)
      target[3 &* index &+ 1] = clamped(y &+ (-22554 &* cb &- 46802 &* cr &+ 32768) >> 16)
      target[3 &* index &+ 2] = clamped(y &+ (116_130 &* cb &+ 32768) >> 16)
    }
  }

  /// In place, from three inks as stored (inverted: 255 is none) and the fourth: with n = 255 − K,
  ///
  ///     R = n − round(C n / 255),   likewise G from M and B from Y
  static func cmyk(_ inks: Target, _ black: Source, count: Int) {
    for index in 0..<count {
      let light = Int32(black[index])
      for channel in 0..<3 {
        let product = (255 &- Int32(inks[3 &* index &+ channel])) &* light &+ 128
        inks[3 &* index &+ channel] = clamped(light &- (product >> 8 &+ product) >> 8)
      }
    }
  }

  /// In place: the complement of the RGB that YCbCr gives is the ink that Adobe's programs store.
  static func invert(_ row: Target, count: Int) {
    for index in 0..<count { row[index] = 255 &- row[index] }
  }

  @inline(__always)
  private static func clamped(_ value: Int32) -> UInt8 { UInt8(truncatingIfNeeded: min(max(value, 0), 255)) }
}
