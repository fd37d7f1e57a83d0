/// Assembles the image from its decoded components, one row at a time.
struct JPEGRows {
  /// The rows of units whose samples must be there for the rows of the one in the middle: filters reach one sample far.
  static let window = 3

  private let width: Int
  private let height: Int
  private let unitsDown: Int
  private let unitHeight: Int
  private let planes: [JPEGUpsampling]
  private let color: JPEGColorSpace

  init(_ frame: JPEGFrame, color: JPEGColorSpace) throws(ImageError.Problem) {
    width = frame.width
    height = frame.height
    (unitsDown, unitHeight) = (frame.unitsDown, 8 * frame.maximumVertical)
    self.color = color
    var planes: [JPEGUpsampling] = []
    for component in frame.components { planes.append(try JPEGUpsampling(component, of: frame)) }
    self.planes = planes
  }

  /// [height, width, 3] interleaved RGB.
  ///
  /// - prepare: makes the samples of a row of units, in order; those of the `window` last ones are used.
  func pixels(preparing prepare: (Int) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      count = width * height * 3
      prepare(0)
      for unit in 0..<unitsDown {
        if unit + 1 < unitsDown { prepare(unit + 1) }
        for y in unit * unitHeight..<min((unit + 1) * unitHeight, height) {
          write(y, into: buffer.baseAddress! + 3 * width * y)
        }
      }
    }
  }

  private func write(_ y: Int, into target: UnsafeMutablePointer<UInt8>) {
    func row(_ plane: Int) -> UnsafePointer<UInt8> { planes[plane].row(y, count: width) }
    switch color {
    case .gray: JPEGColorConversion.gray(row(0), count: width, into: target)
    case .rgb: JPEGColorConversion.rgb(row(0), row(1), row(2), count: width, into: target)
    case .ycc: JPEGColorConversion.ycc(row(0), row(1), row(2), count: width, into: target)
    case .cmyk:
      JPEGColorConversion.rgb(row(0), row(1), row(2), count: width, into: target)
      JPEGColorConversion.cmyk(target, row(3), count: width)
    case .ycck:
      JPEGColorConversion.ycc(row(0), row(1), row(2), count: width, into: target)
      JPEGColorConversion.invert(target, count: 3 * width)
      JPEGColorConversion.cmyk(target, row(3), count: width)
    }
  }
}
