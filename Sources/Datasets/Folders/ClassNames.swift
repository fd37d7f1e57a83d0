import Formats
import Foundation
import Tensor

/// The file that gives class folders their names: one line `folder name` each, separated by a tab or spaces.
///
/// This is how ImageNet's folders (`n01440764`) get theirs. Blank lines are skipped; a name may contain spaces.
enum ClassNames {
  static let fileName = "classnames.txt"

  /// The names of `folders`, in their order.
  ///
  /// - Throws: `ImageFolderError` if the file is unreadable, or if it names a folder twice, one that is not there, or
  ///   does not name one that is.
  static func read(_ url: URL, folders: [String]) throws(ImageFolderError) -> [String] {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    guard let whole = mapped.withBytes({ String(validating: $0, as: UTF8.self) }) else {
      throw .classNames(file: url.shown, line: 0, expected: "text in UTF-8", found: "other bytes")
    }
    // Some editors put a byte-order mark at the beginning.
    let text = whole.trimmingPrefix("\u{feff}")
    let known = Set(folders)
    var names: [String: String] = [:]
    // A line end is one character here, whether written as one byte or two.
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let fields = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
      guard let folder = fields.first.map(String.init) else { continue }
      func wrong(_ expected: String, _ found: String) -> ImageFolderError {
        .classNames(file: url.shown, line: index + 1, expected: expected, found: found)
      }
      let name = fields.dropFirst().first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
      guard known.contains(folder) else { throw wrong("a class folder of train", "\"\(folder)\"") }
      guard !name.isEmpty else { throw wrong("a name after \"\(folder)\"", "none") }
      guard names.updateValue(name, forKey: folder) == nil else {
        throw wrong("each folder once", "\"\(folder)\" again")
      }
    }
    var inOrder: [String] = []
    for folder in folders {
      guard let name = names[folder] else {
        throw .classNames(
          file: url.shown, line: 0, expected: "a line for the class folder \"\(folder)\"", found: "none")
      }
      inOrder.append(name)
    }
    return inOrder
  }
}
