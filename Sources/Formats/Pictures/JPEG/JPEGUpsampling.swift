/// Enlargement of one component's rows to the width and height of the image.
///
/// Halved sides use libjpeg's triangle filter: each new sample is ¾ of the nearer old one and ¼ of the
/// farther, rounded up and down alternately. Otherwise samples are repeated.
struct JPEGUpsampling {
  private enum Method {
    case none, across, down, both, `repeat`
  }

  private let method: Method
  private let samples: UnsafePointer<UInt8>
  private let stride: Int
  private let sampleRows: Int
  private let width: Int
  private let height: Int
  private let horizontal: (factor: Int, maximum: Int)
  private let vertical: (factor: Int, maximum: Int)
  private let owner: JPEGBuffer<UInt8>
  /// The enlarged row, and the weighted sum of two rows with one more at either end.
  private let row: JPEGBuffer<UInt8>
  private let sums: JPEGBuffer<Int16>

  init(_ component: JPEGComponent, of frame: JPEGFrame) throws(ImageError.Problem) {
    owner = component.samples
    samples = UnsafePointer(component.samples.base)
    (stride, sampleRows) = (component.stride, component.sampleRows)
    width = component.width
    height = component.height
    horizontal = (component.horizontal, frame.maximumHorizontal)
    vertical = (component.vertical, frame.maximumVertical)
    row = try JPEGBuffer(count: max(frame.width, 2 * width))
    sums = try JPEGBuffer(count: width + 2)
    let isWide = component.horizontal == frame.maximumHorizontal
    let isTall = component.vertical == frame.maximumVertical
    let isHalfWide = component.horizontal * 2 == frame.maximumHorizontal
    let isHalfTall = component.vertical * 2 == frame.maximumVertical
    // Rows of one or two samples are repeated: libjpeg's filter across needs three.
    method =
      switch (isWide, isTall) {
      case (true, true): .none
      case (false, true) where isHalfWide && width > 2: .across
      case (true, false) where isHalfTall: .down
      case (false, false) where isHalfWide && isHalfTall && width > 2: .both
      default: .repeat
      }
  }

  /// Row `y` of the image; valid until the next call.
  func row(_ y: Int, count: Int) -> UnsafePointer<UInt8> {
    switch method {
    case .none: return line(y)
    case .across:
      let source = line(y)
      let sums = sums.base + 1
      for index in 0..<width { sums[index] = Int16(truncatingIfNeeded: source[index]) }
      widen(firstBias: 1, secondBias: 2, shift: 2)
    case .down:
      let (near, far) = pair(y)
      let bias: Int32 = y & 1 == 0 ? 1 : 2
      let row = row.base
      for index in 0..<width {
        row[index] = UInt8(truncatingIfNeeded: (3 &* Int32(near[index]) &+ Int32(far[index]) &+ bias) >> 2)
      }
    case .both:
      let (near, far) = pair(y)
      let sums = sums.base + 1
      for index in 0..<width {
        sums[index] = 3 &* Int16(truncatingIfNeeded: near[index]) &+ Int16(truncatingIfNeeded: far[index])
      }
      widen(firstBias: 8, secondBias: 7, shift: 4)
    case .repeat:
      let source = line(y * vertical.factor / vertical.maximum)
      let row = row.base
      for x in 0..<count { row[x] = source[x * horizontal.factor / horizontal.maximum] }
    }
    return UnsafePointer(row.base)
  }

  /// The old row that row `y` lies in, and the one it is next to; at the edges that is the same.
  private func pair(_ y: Int) -> (near: UnsafePointer<UInt8>, far: UnsafePointer<UInt8>) {
    let near = y >> 1
    let far = min(max(near + (y & 1 == 0 ? -1 : 1), 0), height - 1)
    return (line(near), line(far))
  }

  /// Row `y` of the component.
  private func line(_ y: Int) -> UnsafePointer<UInt8> { samples + y % sampleRows * stride }

  /// From each sum two samples, weighted with the sum before and after.
  @inline(__always)
  private func widen(firstBias: Int16, secondBias: Int16, shift: Int16) {
    let sums = sums.base + 1
    sums[-1] = sums[0]
    sums[width] = sums[width - 1]
    let row = row.base
    for index in 0..<width {
      let center = 3 &* sums[index]
      row[2 &* index] = UInt8(truncatingIfNeeded: (center &+ sums[index &- 1] &+ firstBias) &>> shift)
      row[2 &* index &+ 1] = UInt8(truncatingIfNeeded: (center &+ sums[index &+ 1] &+ secondBias) &>> shift)
    }
  }
}
