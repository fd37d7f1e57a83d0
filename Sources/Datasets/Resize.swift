/// A rectangle of whole pixels in a picture.
public struct PixelBox: Sendable, Equatable {
  public let left: Int
  public let top: Int
  public let width: Int
  public let height: Int

  public init(left: Int, top: Int, width: Int, height: Int) {
    self.left = left
    self.top = top
    self.width = width
    self.height = height
  }
}

extension Image {
  /// The picture, or the part of it in `box`, at another size: Pillow's `crop(box).resize((width, height), filter)`,
  /// bit for bit.
  ///
  /// A pass along the rows and one down the columns; each rounds and clamps to 8 bits, and is left out when that
  /// side keeps its length. Pixels outside the box have no influence.
  ///
  /// Traps when a side is not positive or the box is not inside the picture.
  public func resized(width newWidth: Int, height newHeight: Int, _ filter: Resample, box: PixelBox? = nil) -> Image {
    let box = box ?? PixelBox(left: 0, top: 0, width: width, height: height)
    precondition(newWidth > 0 && newHeight > 0, "resize: expected a positive size, found \(newWidth) × \(newHeight)")
    precondition(contains(box), "resize: expected a box inside \(width) × \(height), found \(box)")
    let part = box.width == width ? nil : cropped(box)
    let source = part?.pixels ?? pixels
    let offset = part == nil ? box.top * width * 3 : 0
    // Pillow 13 (pull request 9549): down first when that loses far more rows than there are columns to lose. The rule
    // was found by comparing both orders on 8167 random sizes; before version 13 it was always across first.
    let downFirst = box.height - newHeight > 2 * max(box.width - newWidth, 0)
    return source.withUnsafeBufferPointer { source in
      let start = source.baseAddress! + offset
      func across(_ source: UnsafePointer<UInt8>, height: Int) -> [UInt8] {
        let weights = ResampleWeights(from: box.width, to: newWidth, filter: filter)
        return ResizePass.across(source, width: box.width, height: height, weights, newWidth: newWidth)
      }
      func down(_ source: UnsafePointer<UInt8>, width: Int) -> [UInt8] {
        let weights = ResampleWeights(from: box.height, to: newHeight, filter: filter)
        return ResizePass.down(source, rowBytes: 3 * width, weights, newHeight: newHeight)
      }
      let result: [UInt8] =
        switch (newWidth != box.width, newHeight != box.height) {
        case (false, false): Array(UnsafeBufferPointer(start: start, count: box.width * box.height * 3))
        case (true, false): across(start, height: box.height)
        case (false, true): down(start, width: box.width)
        case (true, true) where downFirst: across(down(start, width: box.width), height: newHeight)
        case (true, true): down(across(start, height: box.height), width: newWidth)
        }
      return Image(width: newWidth, height: newHeight, pixels: result)
    }
  }

  /// The part of the picture in `box`. Traps when the box is not inside the picture.
  public func cropped(_ box: PixelBox) -> Image {
    precondition(contains(box), "crop: expected a box inside \(width) × \(height), found \(box)")
    var part: [UInt8] = []
    part.reserveCapacity(box.width * box.height * 3)
    for row in box.top..<box.top + box.height {
      let start = (row * width + box.left) * 3
      part += pixels[start..<start + 3 * box.width]
    }
    return Image(width: box.width, height: box.height, pixels: part)
  }

  private func contains(_ box: PixelBox) -> Bool {
    box.width > 0 && box.height > 0 && box.left >= 0 && box.top >= 0 && box.width <= width - box.left
      && box.height <= height - box.top
  }
}
