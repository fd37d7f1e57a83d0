import Formats
import Foundation

/// Class folders and the images in them, as they are on disk.
///
/// Names that differ only in how letters are composed are one class: file systems and archives change that unasked.
struct ClassFolders {
  let url: URL
  /// The folder, relative to the root, or nothing for the root itself.
  private let prefix: String
  /// By class, in byte order: the first of its names, and the paths of its images below `url`.
  private(set) var classes: [(folder: String, images: [String])] = []
  /// Class folders without images.
  private(set) var empty: [String] = []
  private(set) var ignored: [String] = []

  /// Reads all folders below `url`.
  init(_ url: URL, prefix: String) throws(ImageFolderError) {
    (self.url, self.prefix) = (url, prefix)
    var indices: [String: Int] = [:]
    for folder in try ImageFiles.entries(of: url) {
      let classURL = url.appendingPathComponent(folder)
      guard try ImageFiles.kind(of: classURL).kind == .folder else {
        ignored.append(prefix + folder)
        continue
      }
      let tree = try ImageTree(of: classURL)
      ignored += tree.ignored.map { "\(prefix)\(folder)/\($0)" }
      guard !tree.images.isEmpty else {
        empty.append(folder)
        continue
      }
      let images = tree.images.map { "\(folder)/\($0)" }
      if let index = indices[folder] {
        classes[index].images += images
      } else {
        indices[folder] = classes.count
        classes.append((folder, images))
      }
    }
  }

  /// Every image with its label, the index of its folder in `folders`.
  func labelled(folders: [String]) throws(ImageFolderError) -> [LabelledImage] {
    var labels: [String: Int] = [:]
    for (label, folder) in folders.enumerated() { labels[folder] = label }
    var items: [LabelledImage] = []
    for (folder, images) in classes {
      guard let label = labels[folder] else { throw .unknownClass(folder: url.appendingPathComponent(folder).shown) }
      items += images.map {
        LabelledImage(url: url.appendingPathComponent($0), label: label, name: prefix + $0)
      }
    }
    return items
  }
}
