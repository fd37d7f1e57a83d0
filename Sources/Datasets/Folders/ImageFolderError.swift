import Formats
import Tensor

/// An error in a folder of images.
public enum ImageFolderError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file or folder cannot be read.
  case unreadable(FileError)
  /// There is no folder of that split.
  case missingSplit(folder: String)
  /// There are folders of classes, or a list, but no splits.
  case noSplits(String)
  /// Splits are to be drawn, but there are some.
  case hasSplits(String)
  /// Several folders whose names mean the same split.
  case severalSplits(folder: String, split: String, names: [String])
  /// A split contains no class folder.
  case noClasses(folder: String)
  /// A class folder contains no image.
  case emptyClass(folder: String)
  /// A class of another split that train does not have.
  case unknownClass(folder: String)
  /// A line of the file of class names is wrong, or (line 0) one is missing.
  case classNames(file: String, line: Int, expected: String, found: String)
  /// A line of a list of images is wrong, or (line 0) the whole list.
  case list(file: String, line: Int, expected: String, found: String)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .unreadable(let error): error.description
    case .missingSplit(let folder): "\(folder): expected a folder with one folder per class, found none"
    case .noSplits(let source): "\(source): expected splits train and test, or how to draw them, found neither"
    case .hasSplits(let source): "\(source): expected no splits, as they are to be drawn, found some"
    case .severalSplits(let folder, let split, let names):
      "\(folder): expected one folder for \(split), found \(names.joined(separator: " and "))"
    case .noClasses(let folder): "\(folder): expected one folder per class, found no folder with images"
    case .emptyClass(let folder): "\(folder): expected images (files with an ending such as .jpg or .png), found none"
    case .unknownClass(let folder): "\(folder): expected only classes that train has, found another"
    case .classNames(let file, let line, let expected, let found), .list(let file, let line, let expected, let found):
      "\(file)\(line > 0 ? ":\(line)" : ""): expected \(expected), found \(found)"
    }
  }
}
