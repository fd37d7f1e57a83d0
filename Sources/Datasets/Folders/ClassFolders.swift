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
  /// Links that are not followed, as they lead to a folder around them or to one of their class.
  private(set) var links: [String] = []
  /// The folders with images, by identity: their paths, several where links make one folder part of several classes.
  private(set) var paths: [FileIdentity: [String]] = [:]

  /// Reads all folders below `url`.
  ///
  /// - root: the dataset's folder.
  init(_ url: URL, prefix: String, of root: URL) throws(ImageFolderError) {
    (self.url, self.prefix) = (url, prefix)
    var indices: [String: Int] = [:]
    var outer: Set<FileIdentity> = []
    for folder in [root, url] { if let identity = try ImageFiles.kind(of: folder).identity { outer.insert(identity) } }
    for folder in try ImageFiles.entries(of: url) {
      let classURL = url.appendingPathComponent(folder)
      guard try ImageFiles.kind(of: classURL).kind == .folder else {
        ignored.append(prefix + folder)
        continue
      }
      let tree = try ImageTree(of: classURL, in: outer)
      let path = prefix + folder
      ignored += tree.ignored.map { "\(path)/\($0)" }
      links += tree.links.map { $0.isEmpty ? path : "\(path)/\($0)" }
      for (identity, below) in tree.folders {
        paths[identity, default: []].append(below.isEmpty ? path : "\(path)/\(below)")
      }
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
