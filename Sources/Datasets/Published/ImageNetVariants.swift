import Formats
import Foundation

extension PublishedSplit {
  /// Other pictures of ImageNet's classes, to test on alone: ImageNetV2, ImageNet-Sketch, ImageNet-A and ImageNet-R, as
  /// CoOp's users keep them: `classnames.txt` beside one folder of class folders.
  ///
  /// Classes are those that have a folder, in the order of the folders of ImageNet, whose names `classnames.txt` gives.
  /// ImageNetV2's folders are numbers: that of a line of `classnames.txt`, counted from 0.
  static func imageNetVariant(_ root: URL, _ entries: [String]) throws(ImageFolderError) -> PublishedSplit? {
    let numbered = "imagenetv2-matched-frequency-format-val"
    guard entries.contains(ClassNames.fileName),
      let name = [numbered, "imagenet-a", "imagenet-r", "images"].first(where: entries.contains)
    else { return nil }
    let url = root.appendingPathComponent(name)
    guard try !ImageFiles.entries(of: url).contains(where: { SplitName($0) != nil }) else { return nil }
    let found = try ClassFolders(url, prefix: name + "/", of: root)
    guard !found.classes.isEmpty else { throw .noClasses(folder: url.shown) }
    let file = root.appendingPathComponent(ClassNames.fileName)
    let known = try lines(of: file).map { line throws(ImageFolderError) in
      let parts = line.text.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else {
        throw .classNames(file: file.shown, line: line.number, expected: "a folder and a name", found: "one word")
      }
      return (folder: String(parts[0]), name: parts[1].trimmingCharacters(in: .whitespaces))
    }
    var lineOf: [String: Int] = [:]
    for (index, line) in known.enumerated() { lineOf[name == numbered ? "\(index)" : line.folder] = index }
    let numbers = try found.classes.map { item throws(ImageFolderError) in
      guard let line = lineOf[item.folder] else {
        throw .classNames(
          file: file.shown, line: 0, expected: "a line for the class folder \"\(FileName.shown(item.folder))\"",
          found: "none")
      }
      return line
    }
    let order = found.classes.indices.sorted { known[numbers[$0]].folder < known[numbers[$1]].folder }
    let images = order.enumerated().flatMap { label, index in
      found.classes[index].images.map { Entry(path: "\(name)/\($0)", label: label, line: 0) }
    }
    return PublishedSplit(
      test: images, "a variant of ImageNet", root, folders: order.map { known[numbers[$0]].folder },
      names: order.map { known[numbers[$0]].name })
  }

  /// Images to test on alone, which were found on disk.
  private init(test images: [Entry], _ layout: String, _ root: URL, folders: [String], names: [String]) {
    (self.layout, self.folders, self.names, entries, files) = (layout, folders, names, [.test: images], [:])
    self.images = root
  }
}
