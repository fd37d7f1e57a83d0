import Formats
import Foundation
import Tensor

/// The file that gives class folders their names: one line `folder name` each, separated by a tab or spaces.
///
/// This is how ImageNet's folders (`n01440764`) get theirs. Blank lines and comments (`# …`) are skipped; a name may
/// contain spaces, and so may a folder, if a tab follows it or no shorter one fits. Lines about folders that are not
/// there are counted, as the file of a whole dataset also serves a part of it.
enum ClassNames {
  static let fileName = "classnames.txt"

  /// The names of `folders`, in their order, and the number of lines about other ones.
  ///
  /// - Throws: `ImageFolderError` if the file is unreadable, or if it names a folder twice or does not name one.
  static func read(_ url: URL, folders: [String]) throws(ImageFolderError) -> (names: [String], surplus: Int) {
    var bytes: [UInt8]
    do throws(FileError) { bytes = try MappedFile.text(of: url) } catch { throw .unreadable(error) }
    // Some editors put a byte-order mark at the beginning.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    let known = Folders(folders)
    var names = [String?](repeating: nil, count: folders.count)
    var surplus = 0
    // A line end is one character here, whether written as one byte or two.
    let lines = FileName.string(bytes).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      func wrong(_ expected: String, _ found: String) -> ImageFolderError {
        .classNames(file: url.shown, line: index + 1, expected: expected, found: found)
      }
      guard let (label, rest) = known.match(line) else {
        if !line.hasPrefix("#") { surplus += 1 }
        continue
      }
      let (folder, name) = (FileName.shown(folders[label]), rest.trimmingCharacters(in: .whitespaces))
      guard !name.isEmpty else { throw wrong("a name after \"\(folder)\"", "none") }
      guard FileName.text(name) == name else { throw wrong("a name in UTF-8", "other bytes") }
      guard names[label] == nil else { throw wrong("each folder once", "\"\(folder)\" again") }
      names[label] = name
    }
    var inOrder: [String] = []
    for (folder, name) in zip(folders, names) {
      guard let name else {
        throw .classNames(
          file: url.shown, line: 0, expected: "a line for the class folder \"\(FileName.shown(folder))\"",
          found: "none")
      }
      inOrder.append(name)
    }
    return (inOrder, surplus)
  }

  /// The folders as lines may name them.
  private struct Folders {
    private var labels: [String: Int] = [:]
    /// Those with spaces, the longest first.
    private var spaced: [String] = []

    init(_ folders: [String]) {
      for (label, folder) in folders.enumerated() {
        labels[folder] = label
        // The way that names which are no UTF-8 are printed.
        if labels[FileName.text(folder)] == nil { labels[FileName.text(folder)] = label }
      }
      spaced = labels.keys.filter { $0.contains(where: \.isWhitespace) }.sorted { $0.count > $1.count }
    }

    /// The label of the folder at the beginning of a line, and what follows.
    func match(_ line: Substring) -> (label: Int, rest: Substring)? {
      if let tab = line.firstIndex(of: "\t"), let label = labels[String(line[..<tab])] {
        return (label, line[tab...])
      }
      for folder in spaced where line.hasPrefix(folder) {
        let rest = line.dropFirst(folder.count)
        if rest.first?.isWhitespace ?? true, let label = labels[folder] { return (label, rest) }
      }
      let trimmed = line.drop(while: \.isWhitespace)
      let folder = trimmed.prefix { !$0.isWhitespace }
      return labels[String(folder)].map { ($0, trimmed[folder.endIndex...]) }
    }
  }
}
