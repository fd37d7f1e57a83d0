import Formats
import Tensor

/// A rectangle of whole pixels in an image.
package struct PixelBox: Sendable, Equatable {
  /// The first column.
  package let left: Int
  /// The first row.
  package let top: Int
  /// Columns.
  package let width: Int
  /// Rows.
  package let height: Int

  /// A box by its corner and size.
  package init(left: Int, top: Int, width: Int, height: Int) {
    self.left = left
    self.top = top
    self.width = width
    self.height = height
  }

  var columns: Range<Int> { left..<left + width }
  var rows: Range<Int> { top..<top + height }

  func isInside(_ outerWidth: Int, _ outerHeight: Int) -> Bool {
    width > 0 && height > 0 && left >= 0 && top >= 0 && width <= outerWidth - left && height <= outerHeight - top
  }
}

extension Image {
  /// The image, or the part of it in `box`, at another size: Pillow's `crop(box).resize((width, height), filter)`,
  /// bit for bit.
  ///
  /// A pass along the rows and one down the columns; each rounds and clamps to 8 bits, and is skipped when that
  /// side keeps its length. Pixels outside the box have no influence.
  ///
  /// - window: the part of the result to compute, as `cropped(window)` would give; only what it needs is computed.
  ///
  /// Traps when a side is not positive, the box is not inside the image, or the window not inside the result.
  package func resized(
    width newWidth: Int, height newHeight: Int, _ filter: Resample, box: PixelBox? = nil, window: PixelBox? = nil
  ) -> Image {
    require(newWidth > 0 && newHeight > 0, "resize: expected a positive size, found \(newWidth) × \(newHeight)")
    let box = box ?? PixelBox(left: 0, top: 0, width: width, height: height)
    require(box.isInside(width, height), "resize: expected a box inside \(width) × \(height), found \(box)")
    let window = window ?? PixelBox(left: 0, top: 0, width: newWidth, height: newHeight)
    require(
      window.isInside(newWidth, newHeight),
      "resize: expected a window inside \(newWidth) × \(newHeight), found \(window)")

    let across = ResizePass(old: box.width, new: newWidth, filter: filter, outputs: window.columns)
    let down = ResizePass(old: box.height, new: newHeight, filter: filter, outputs: window.rows)
    // Pillow 13 (pull request 9549): down first when that loses far more rows than there are columns to lose. The rule
    // was found by comparing both orders on 8167 random sizes; before version 13 it was always across first.
    let downFirst = box.height - newHeight > 2 * max(box.width - newWidth, 0)
    let result = pixels.withUnsafeBufferPointer { pixels in
      let rowBytes = 3 * width
      let corner = pixels.baseAddress! + box.top * rowBytes + 3 * box.left
      let source = corner + across.needed.lowerBound * 3 + down.needed.lowerBound * rowBytes
      if downFirst {
        let columns = across.needed.count
        return across.across(
          down.down(source, rowBytes: rowBytes, columns: columns), rowBytes: 3 * columns, rows: window.height)
      }
      return down.down(
        across.across(source, rowBytes: rowBytes, rows: down.needed.count), rowBytes: 3 * window.width,
        columns: window.width)
    }
    return Image(width: window.width, height: window.height, pixels: result)
  }

  /// The part of the image in `box`. Traps if the box is not inside the image.
  package func cropped(_ box: PixelBox) -> Image {
    require(box.isInside(width, height), "crop: expected a box inside \(width) × \(height), found \(box)")
    var part: [UInt8] = []
    part.reserveCapacity(box.width * box.height * 3)
    for row in box.top..<box.top + box.height {
      let start = (row * width + box.left) * 3
      part += pixels[start..<start + 3 * box.width]
    }
    return Image(width: box.width, height: box.height, pixels: part)
  }
}
