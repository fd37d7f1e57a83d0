import Formats
import Tensor

/// Many small images on one sheet, in groups with a label each: a dataset at a glance.
package struct ContactSheet: Sendable {
  /// Images that belong together, and their label.
  package struct Group: Sendable {
    /// Small letters, digits and spaces; other characters leave a gap.
    package let label: String
    /// Images of one size, side by side.
    package let images: [Image]

    /// A group.
    package init(label: String, images: [Image]) { (self.label, self.images) = (label, images) }
  }

  /// The groups, from left to right and then down.
  package let groups: [Group]
  /// The number of groups per row; by default as many as make the sheet about square.
  package let columns: Int?
  /// The width and height of an image's pixel in pixels of the sheet.
  package let scale: Int
  /// The least width of a group, in pixels of its images: room for its label.
  package let leastWidth: Int

  private static let margin = 3
  private static let ground: UInt8 = 250
  private static let ink: UInt8 = 40

  /// A sheet; traps on groups without images, images of different sizes, and on a scale or number of columns below 1.
  package init(_ groups: [Group], columns: Int? = nil, scale: Int = 2, leastWidth: Int = 0) {
    require(scale > 0 && columns ?? 1 > 0, "ContactSheet: expected a scale and columns of at least 1")
    require(
      groups.allSatisfy { !$0.images.isEmpty }, "ContactSheet: expected an image in every group, found an empty one")
    let images = groups.flatMap(\.images)
    require(
      images.allSatisfy { $0.width == images[0].width && $0.height == images[0].height } && !images.isEmpty,
      "ContactSheet: expected images of one size, found several")
    (self.groups, self.columns, self.scale, self.leastWidth) = (groups, columns, scale, leastWidth)
  }

  /// The sheet.
  package func rendered() -> Image {
    let (width, height) = (scale * groups[0].images[0].width, scale * groups[0].images[0].height)
    let margin = Self.margin
    let most = groups.map(\.images.count).max() ?? 1
    let groupWidth = max(most * (width + margin), scale * leastWidth) + 3 * margin
    let labels = groups.map { Self.lines($0.label, width: (groupWidth - 3 * margin) / BitmapFont.advance) }
    let lineHeight = BitmapFont.height + 2
    let groupHeight = height + margin + lineHeight * max(1, labels.map(\.count).max() ?? 1) + margin
    let columns = min(groups.count, self.columns ?? Self.squareColumns(groups.count, groupWidth, groupHeight))
    let rows = (groups.count + columns - 1) / columns
    var canvas = Canvas(width: columns * groupWidth + margin, height: rows * groupHeight + margin, ground: Self.ground)
    for (index, group) in groups.enumerated() {
      let (left, top) = (margin + index % columns * groupWidth, margin + index / columns * groupHeight)
      for (offset, image) in group.images.enumerated() {
        canvas.paint(image, x: left + offset * (width + margin), y: top, scale: scale)
      }
      for (number, line) in labels[index].enumerated() {
        canvas.write(line, x: left, y: top + height + margin + number * lineHeight, ink: Self.ink)
      }
    }
    return Image(width: canvas.width, height: canvas.height, pixels: canvas.pixels)
  }

  /// The number of columns that makes width and height most similar.
  private static func squareColumns(_ count: Int, _ width: Int, _ height: Int) -> Int {
    (1...max(1, count)).min {
      func side(_ columns: Int) -> Int { max(columns * width, (count + columns - 1) / columns * height) }
      return side($0) < side($1)
    } ?? 1
  }

  /// The words of a label in lines of at most `width` letters; a longer word has a line of its own.
  static func lines(_ label: String, width: Int) -> [String] {
    label.split(separator: " ").reduce(into: []) { lines, word in
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
  }
}

/// An image being painted; anything outside of it is clipped.
private struct Canvas {
  let width, height: Int
  /// [height, width, 3]
  var pixels: [UInt8]

  init(width: Int, height: Int, ground: UInt8) {
    (self.width, self.height) = (width, height)
    pixels = [UInt8](repeating: ground, count: 3 * width * height)
  }

  mutating func paint(_ image: Image, x: Int, y: Int, scale: Int) {
    for row in 0..<image.height * scale {
      for column in 0..<image.width * scale {
        let from = 3 * (row / scale * image.width + column / scale)
        set(x + column, y + row, (image.pixels[from], image.pixels[from + 1], image.pixels[from + 2]))
      }
    }
  }

  mutating func write(_ text: String, x: Int, y: Int, ink: UInt8) {
    for (offset, letter) in text.enumerated() {
      for pixel in BitmapFont.pixels(of: letter) {
        set(x + offset * BitmapFont.advance + pixel.column, y + pixel.row, (ink, ink, ink))
      }
    }
  }

  private mutating func set(_ x: Int, _ y: Int, _ color: (UInt8, UInt8, UInt8)) {
    guard 0..<width ~= x, 0..<height ~= y else { return }
    let offset = 3 * (y * width + x)
    (pixels[offset], pixels[offset + 1], pixels[offset + 2]) = color
  }
}
