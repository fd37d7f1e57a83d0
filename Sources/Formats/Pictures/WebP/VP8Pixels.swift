/// The pixels of a VP8 frame from its planes, with libwebp's interpolation of chroma and its constants.
struct VP8Pixels {
  let luma, blue, red: VP8Plane
  let width, height: Int

  /// [height, width, 3]
  ///
  /// Each chroma sample lies in the middle of four pixels, so a pixel takes 9, 3, 3 and 1 sixteenths of the nearest
  /// four; at the border the nearest ones are repeated.
  func rgb() -> [UInt8] {
    let chromaHeight = (height + 1) / 2
    return [UInt8](unsafeUninitializedCapacity: 3 * width * height) { pixels, count in
      for row in 0..<height {
        let near = row / 2
        let far = min(max(row.isMultiple(of: 2) ? near - 1 : near + 1, 0), chromaHeight - 1)
        fill(pixels.baseAddress! + 3 * width * row, row: row, near: near, far: far)
      }
      count = 3 * width * height
    }
  }

  private func fill(_ pixels: UnsafeMutablePointer<UInt8>, row: Int, near: Int, far: Int) {
    let line = luma.base + row * luma.stride
    let (nearBlue, farBlue) = (blue.base + near * blue.stride, blue.base + far * blue.stride)
    let (nearRed, farRed) = (red.base + near * red.stride, red.base + far * red.stride)
    let last = (width + 1) / 2 - 1
    for column in 0..<width {
      let index = column / 2
      let other = column.isMultiple(of: 2) ? index - 1 : index + 1
      let isEdge = other < 0 || other > last
      let (u, v): (Int32, Int32)
      if isEdge {
        u = Self.mixed(nearBlue[index], farBlue[index])
        v = Self.mixed(nearRed[index], farRed[index])
      } else {
        u = Self.mixed(nearBlue[index], nearBlue[other], farBlue[index], farBlue[other])
        v = Self.mixed(nearRed[index], nearRed[other], farRed[index], farRed[other])
      }
      Self.convert(Int32(line[column]), u, v, into: pixels + 3 * column)
    }
  }

  /// At the left and right border: three quarters and one.
  @inline(__always)
  private static func mixed(_ near: UInt8, _ far: UInt8) -> Int32 { (3 * Int32(near) + Int32(far) + 2) >> 2 }

  /// Nine, three, three and one sixteenths, rounded as libwebp does: the mean of the nearest and the diagonal through
  /// the two beside it.
  @inline(__always)
  private static func mixed(_ nearest: UInt8, _ beside: UInt8, _ beyond: UInt8, _ opposite: UInt8) -> Int32 {
    let (a, b) = (Int32(nearest), Int32(beside))
    let (c, d) = (Int32(beyond), Int32(opposite))
    let diagonal = (a + 3 * b + 3 * c + d + 8) >> 3
    return (diagonal + a) >> 1
  }

  /// Rec. 601 with a range of 16 to 235, in units of 2⁻¹⁴ of which 8 bits are dropped before the sum.
  @inline(__always)
  private static func convert(_ luma: Int32, _ u: Int32, _ v: Int32, into pixel: UnsafeMutablePointer<UInt8>) {
    func part(_ value: Int32, _ factor: Int32) -> Int32 { (value &* factor) >> 8 }
    func level(_ value: Int32) -> UInt8 { UInt8(truncatingIfNeeded: min(max(value >> 6, 0), 255)) }
    let base = part(luma, 19077)
    pixel[0] = level(base &+ part(v, 26149) &- 14234)
    pixel[1] = level(base &- part(u, 6419) &- part(v, 13320) &+ 8708)
    pixel[2] = level(base &+ part(u, 33050) &- 17685)
  }
}
