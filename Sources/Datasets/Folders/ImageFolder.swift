import Formats
import Foundation
import Tensor

/// A dataset kept as folders: `train/CLASS/*`, `test/CLASS/*` and optionally `val/CLASS/*`.
///
/// Labels follow the names of the class folders of `train` in byte order, and so do the images within a class, so that
/// a seed means the same images on every machine. Images are files ending in .jpg, .jpeg or .png in either case; links
/// are followed; names that begin with a dot are skipped.
public struct ImageFolder: Sendable {
  /// The folder, as it was named.
  public let root: URL
  /// The names of the class folders, by label.
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
  /// Files and folders that are not images of a class, relative to the root and sorted; hidden ones are not listed.
  package let ignored: [String]
  /// The classes that train has and test has not, by folder: allowed, but worth a warning.
  package let untestedClasses: [String]

  /// Reads the folder; no image is opened.
  ///
  /// - Throws: `ImageFolderError` if train or test is missing or without classes, if a class folder contains no image,
  ///   if test or val has a class that train lacks, if something is unreadable, or if `classnames.txt` is wrong.
  public init(contentsOf root: URL) throws(ImageFolderError) {
    let train = try Split("train", in: root)
    let test = try Split("test", in: root)
    let hasValidation = FileManager.default.fileExists(atPath: root.appendingPathComponent("val").path)
    let validation = hasValidation ? try Split("val", in: root) : nil
    let folders = train.images.map(\.folder)
    let nameFile = root.appendingPathComponent(ClassNames.fileName)
    let hasNames = FileManager.default.fileExists(atPath: nameFile.path)
    self.root = root
    self.folders = folders
    rawClassNames = hasNames ? try ClassNames.read(nameFile, folders: folders) : folders
    classNames = rawClassNames.map { $0.replacing("_", with: " ") }
    self.train = try train.labelled(folders: folders, classes: classNames)
    self.test = try test.labelled(folders: folders, classes: classNames)
    self.validation = try validation?.labelled(folders: folders, classes: classNames)
    ignored = (train.ignored + test.ignored + (validation?.ignored ?? [])).sorted(by: Self.byBytes)
    let tested = Set(test.images.map(\.folder))
    untestedClasses = folders.filter { !tested.contains($0) }
  }

  /// The same folder with a part of its classes, whose labels are counted from 0.
  package func keeping(_ part: ClassPart) -> ImageFolder { ImageFolder(self, part) }

  private init(_ whole: ImageFolder, _ part: ClassPart) {
    let labels = part.labels(of: whole.folders.count)
    (root, ignored) = (whole.root, whole.ignored)
    (folders, rawClassNames) = (Array(whole.folders[labels]), Array(whole.rawClassNames[labels]))
    classNames = Array(whole.classNames[labels])
    (train, test) = (whole.train.keeping(part), whole.test.keeping(part))
    validation = whole.validation?.keeping(part)
    untestedClasses = whole.untestedClasses.filter(folders.contains)
  }

  /// The order of the bytes of two names, which unlike `<` does not depend on how letters are composed.
  fileprivate static func byBytes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

/// One split as stored on disk.
private struct Split {
  let url: URL
  /// The class folders and the names of their images, both in byte order.
  private(set) var images: [(folder: String, names: [String])] = []
  private(set) var ignored: [String] = []

  init(_ name: String, in root: URL) throws(ImageFolderError) {
    url = root.appendingPathComponent(name)
    guard try Self.kind(of: url) == .folder else { throw .missingSplit(folder: url.shown) }
    for folder in try Self.entries(of: url) {
      let classURL = url.appendingPathComponent(folder)
      guard try Self.kind(of: classURL) == .folder else {
        ignored.append("\(name)/\(folder)")
        continue
      }
      var names: [String] = []
      for file in try Self.entries(of: classURL) {
        if Self.isImageName(file), try Self.kind(of: classURL.appendingPathComponent(file)) == .file {
          names.append(file)
        } else {
          ignored.append("\(name)/\(folder)/\(file)")
        }
      }
      guard !names.isEmpty else { throw .emptyClass(folder: classURL.shown) }
      images.append((folder, names))
    }
    guard !images.isEmpty else { throw .noClasses(folder: url.shown) }
  }

  /// The images with their labels, each the index of its folder in `folders`.
  func labelled(folders: [String], classes: [String]) throws(ImageFolderError) -> ImageSet {
    let labels = Dictionary(uniqueKeysWithValues: folders.enumerated().map { ($1, $0) })
    var items: [LabelledImage] = []
    for (folder, names) in images {
      let classURL = url.appendingPathComponent(folder)
      guard let label = labels[folder] else { throw .unknownClass(folder: classURL.shown) }
      items += names.map { LabelledImage(url: classURL.appendingPathComponent($0), label: label) }
    }
    return ImageSet(items: items, classes: classes)
  }

  private static func isImageName(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") || name.hasSuffix(".png")
  }

  /// The entries of a folder that are not hidden, in byte order.
  private static func entries(of folder: URL) throws(ImageFolderError) -> [String] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw .unreadable(FileError(file: folder.shown, expected: "a readable folder", found: "one that is not"))
    }
    return names.filter { !$0.hasPrefix(".") }.sorted(by: ImageFolder.byBytes)
  }

  private enum Kind { case file, folder, other, missing }

  /// The kind of file at a path; a dangling link is an error, a path that does not exist is not.
  private static func kind(of url: URL) throws(ImageFolderError) -> Kind {
    var status = stat()
    guard stat(url.path, &status) == 0 else {
      var link = stat()
      if lstat(url.path, &link) != 0 && errno == ENOENT { return .missing }
      throw .unreadable(FileError(file: url.shown, expected: "a readable file or folder", found: "one that is not"))
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFREG: return .file
    default: return .other
    }
  }
}
