import Formats
import Foundation

/// The splits of a published dataset, as the files that its users keep beside the images state them.
///
/// | files | datasets |
/// | --- | --- |
/// | `split_zhou_NAME.json` | CoOp's: ten of the eleven datasets of the CLIP literature (Zhou et al. 2022) |
/// | `variants.txt`, `images_variant_{train,val,test}.txt` | FGVC-Aircraft |
/// | `train800.txt`, `val200.txt`, `train800val200.txt`, `test.txt` | a task of VTAB-1k |
/// | `classnames.txt` and a folder `imagenet-a`, … | ImageNetV2, ImageNet-Sketch, -A and -R, to test on alone |
/// | `train.json`, `val.json`, `test.json` | the five FGVC datasets as VPT splits them (Jia et al. 2022) |
struct PublishedSplit {
  struct Entry: Equatable {
    /// As the file has it.
    let path: String
    let label: Int
    /// Of its file, from 1; 0 where lines mean nothing.
    let line: Int
  }

  /// What the file is called in words.
  let layout: String
  /// The folders or labels that are the classes, by label.
  let folders: [String]
  /// Class names that the files give, by label.
  let names: [String]?
  let entries: [SplitName: [Entry]]
  /// The files of each split, for messages.
  let files: [SplitName: URL]
  /// The folder that paths are relative to.
  let images: URL

  /// The splits of a folder; `nil` if it holds no such files.
  ///
  /// - Throws: `ImageFolderError` for a file of the layout that is missing or wrong, and for an image that is missing.
  static func read(_ root: URL) throws(ImageFolderError) -> PublishedSplit? {
    let names = try ImageFiles.entries(of: root)
    if let found = try coOp(root, names) { return found }
    if let found = try aircraft(root, names) { return found }
    if let found = try vtab(root, names) { return found }
    if let found = try imageNetVariant(root, names) { return found }
    return try fgvc(root, names)
  }

  /// - Throws: `ImageFolderError` for a class without training images, an empty list, and an image that is missing.
  init(
    _ layout: String, _ root: URL, folders: [String], names: [String]? = nil, _ entries: [SplitName: [Entry]],
    files: [SplitName: URL]
  ) throws(ImageFolderError) {
    (self.layout, self.folders, self.names, self.entries, self.files) = (layout, folders, names, entries, files)
    images = try Self.folder(of: entries, files, root)
    try checkLabels()
    try checkImages()
  }

  /// The folder of the images: the root, or the one folder in it where the first image of train is.
  private static func folder(
    of entries: [SplitName: [Entry]], _ files: [SplitName: URL], _ root: URL
  ) throws(ImageFolderError) -> URL {
    guard let first = entries[.train]?.first, let file = files[.train] else { return root }
    var candidates = [root]
    for name in try ImageFiles.entries(of: root) {
      let url = root.appendingPathComponent(name)
      if try ImageFiles.kind(of: url).kind == .folder { candidates.append(url) }
    }
    for folder in candidates where try ImageFiles.kind(of: folder.appendingPathComponent(first.path)).kind == .file {
      return folder
    }
    throw .list(
      file: file.shown, line: first.line,
      expected: "the image \(FileName.shown(first.path)) in \(root.shown) or in a folder of it", found: "none")
  }

  private func checkLabels() throws(ImageFolderError) {
    let trained = Set((entries[.train] ?? []).map(\.label))
    if let untrained = folders.indices.first(where: { !trained.contains($0) }), let file = files[.train] {
      throw .list(
        file: file.shown, line: 0, expected: "images of each of the \(folders.count) classes",
        found: "none of \"\(FileName.shown(names?[untrained] ?? folders[untrained]))\"")
    }
    for (split, file) in files where (entries[split] ?? []).isEmpty {
      throw .list(file: file.shown, line: 0, expected: "images", found: "none")
    }
  }

  private func checkImages() throws(ImageFolderError) {
    for split in SplitName.allCases {
      guard let file = files[split] else { continue }
      for entry in entries[split] ?? [] {
        let kind = try ImageFiles.kind(of: images.appendingPathComponent(entry.path)).kind
        guard kind == .file || kind == .other else {
          throw .list(
            file: file.shown, line: entry.line, expected: "the image \(FileName.shown(entry.path)) in \(images.shown)",
            found: "none")
        }
      }
    }
  }
}
