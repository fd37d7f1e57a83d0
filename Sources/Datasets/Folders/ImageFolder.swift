import Formats
import Foundation
import Tensor

/// A dataset of image files: folders of splits with a folder per class, folders of classes to draw splits from, a list,
/// or a published dataset with the files that state its splits.
///
/// Labels follow the names of the class folders of `train` in byte order, and so do the images within a class, so that
/// a seed means the same images on every machine. Class folders are read at any depth, links are followed, hidden and
/// system files are skipped, and endings are those of any image format in either case.
public struct ImageFolder: Sendable {
  /// The folder, as it was named.
  public let root: URL
  /// The names of the class folders, or the labels of a list, by label.
  package let folders: [String]
  /// The class names as given: from `classnames.txt`, or else the folder names, with their underscores.
  package let rawClassNames: [String]
  /// The class names for prompts: `rawClassNames` with spaces for underscores.
  public let classNames: [String]
  /// The training images.
  public let train: ImageSet
  /// The validation images, if there is such a split.
  public let validation: ImageSet?
  /// The test images.
  public let test: ImageSet
  /// The name of the test split: that of the validation folder if there is no other.
  public let testName: String
  /// True if the test split is the validation split, as there is no other.
  public var isTestValidation: Bool { SplitName(testName) != .test }
  /// How splits were drawn, if they are not those of the folder.
  public let drawn: DrawnSplit?
  /// Files and folders that are not images of a class, relative to the root and sorted; hidden ones are not listed.
  package let ignored: [String]
  /// Links to folders that were not followed, as they lead back; relative to the root and sorted.
  package let links: [String]
  /// The paths of each folder that links make part of several classes or splits.
  package let sharedFolders: [[String]]
  /// The classes that train has and test has not, by folder: allowed, but worth a warning.
  package let untestedClasses: [String]
  /// The layout in words: "folders of splits", "CoOp's split file".
  package let layoutName: String
  /// True if the first part of each image's path is its split.
  private let hasSplitFolders: Bool
  /// The number of lines of `classnames.txt` about other folders.
  package let surplusNames: Int

  /// Reads the folder; no image is decoded.
  ///
  /// - drawing: how to divide a folder that has a folder per class, but no splits, or a list without splits.
  /// - list: a file of paths, labels and splits; paths are relative to the folder.
  /// - Throws: `ImageFolderError` if there are no splits and none are to be drawn, or the other way round; if train is
  ///   missing, or both val and test; if a class folder of train contains no image, if another split has a class that
  ///   train lacks, if something is unreadable, or if `classnames.txt` or the list is wrong.
  public init(contentsOf root: URL, drawing: DrawnSplit? = nil, list: URL? = nil) throws(ImageFolderError) {
    if let list {
      self = try ImageFolder(root, ImageLayout(root, list: DataList(list), drawing), drawing)
    } else {
      self = try ImageFolder(root, ImageLayout(root, drawing), drawing)
    }
  }

  private init(_ root: URL, _ layout: ImageLayout, _ drawing: DrawnSplit?) throws(ImageFolderError) {
    let folders = layout.folders
    let nameFile = root.appendingPathComponent(ClassNames.fileName)
    let hasFile = try ImageFiles.kind(of: nameFile).kind != .missing
    let hasNames = hasFile && layout.names == nil
    let named =
      try hasNames
      ? ClassNames.read(nameFile, folders: folders)
      : (names: layout.names ?? folders.map { FileName.text($0) }, surplus: 0)
    let classes = named.names.map { $0.replacing("_", with: " ") }
    (self.root, self.folders, rawClassNames, classNames) = (root, folders, named.names, classes)
    (surplusNames, hasSplitFolders, testName) = (named.surplus, layout.hasSplitFolders, layout.testName)
    (drawn, layoutName) = (drawing, layout.layoutName)
    train = ImageSet(items: layout.items[.train] ?? [], classes: classes)
    test = ImageSet(items: layout.items[.test] ?? [], classes: classes)
    validation = layout.items[.validation].map { ImageSet(items: $0, classes: classes) }
    ignored = layout.ignored.sorted { FileName.bytes($0).lexicographicallyPrecedes(FileName.bytes($1)) }
    (links, sharedFolders) = (layout.links.sorted(), layout.sharedFolders)
    let tested = test.countByClass
    untestedClasses = folders.indices.filter { tested[$0] == 0 }.map { folders[$0] }
  }

  /// The same folder with a part of its classes, whose labels are counted from 0.
  package func keeping(_ part: ClassPart) -> ImageFolder { ImageFolder(self, part) }

  private init(_ whole: ImageFolder, _ part: ClassPart) {
    let labels = part.labels(of: whole.folders.count)
    (root, ignored, drawn, layoutName) = (whole.root, whole.ignored, whole.drawn, whole.layoutName)
    (links, sharedFolders) = (whole.links, whole.sharedFolders)
    (testName, hasSplitFolders, surplusNames) = (whole.testName, whole.hasSplitFolders, whole.surplusNames)
    (folders, rawClassNames) = (Array(whole.folders[labels]), Array(whole.rawClassNames[labels]))
    classNames = Array(whole.classNames[labels])
    (train, test) = (whole.train.keeping(part), whole.test.keeping(part))
    validation = whole.validation?.keeping(part)
    untestedClasses = whole.untestedClasses.filter(folders.contains)
  }

  /// The path of an image within its split.
  package func path(of item: LabelledImage) -> String {
    guard hasSplitFolders, let slash = item.name.firstIndex(of: "/") else { return item.name }
    return String(item.name[item.name.index(after: slash)...])
  }

  /// The header of the rows below in a list that `init` reads.
  package static let splitHeader = Array("path,label,split\n".utf8)

  /// The split of every image: a row each with path, label and split.
  ///
  /// The bytes are those of the names, which need not be UTF-8.
  package var splitRows: [UInt8] {
    var lines: [UInt8] = []
    for (split, set) in [(SplitName.train, train), (.validation, validation), (.test, test)] {
      for item in set?.items ?? [] {
        let fields = [item.name, folders[item.label], split.rawValue].map { field in
          let isPlain = !field.contains { $0.isNewline || ",;\"\t".contains($0) }
          return isPlain ? field : "\"\(field.replacing("\"", with: "\"\""))\""
        }
        lines += FileName.bytes(fields.joined(separator: ",")) + [UInt8(ascii: "\n")]
      }
    }
    return lines
  }
}
