import Datasets
import Formats
import Methods

/// The first training images of each class on one sheet.
enum DataSheet {
  private static let (side, perClass, mostClasses) = (64, 6, 120)

  /// The sheet; images that cannot be read are left out.
  ///
  /// - Throws: `RunError` where no image can be read.
  static func image(of folder: ImageFolder) throws(RunError) -> Image {
    var chosen = [[LabelledImage]](repeating: [], count: folder.classNames.count)
    for item in folder.train.items where chosen[item.label].count < perClass { chosen[item.label].append(item) }
    var groups: [ContactSheet.Group] = []
    for (name, items) in zip(folder.classNames, chosen).prefix(mostClasses) {
      let images = items.compactMap { try? Image(contentsOf: $0.url).upright() }.map(square)
      if !images.isEmpty { groups.append(.init(label: name.lowercased(), images: images)) }
    }
    guard !groups.isEmpty else { throw RunError("--sheet: expected a training image that can be read, found none") }
    return ContactSheet(groups, scale: 1, leastWidth: 2 * side).rendered()
  }

  /// The square in the middle, resized.
  private static func square(_ image: Image) -> Image {
    let edge = min(image.width, image.height)
    let box = PixelBox(left: (image.width - edge) / 2, top: (image.height - edge) / 2, width: edge, height: edge)
    return image.cropped(box).resized(width: side, height: side, .bicubic)
  }
}
