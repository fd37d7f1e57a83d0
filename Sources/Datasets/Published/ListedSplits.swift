import Formats
import Foundation

extension PublishedSplit {
  private static let (train800, val200, both) = ("train800.txt", "val200.txt", "train800val200.txt")

  /// A task of VTAB-1k as its users keep it: `train800.txt`, `val200.txt` and `test.txt`, each line a path and a label.
  ///
  /// `train800val200.txt` repeats the first two, and is read where they are missing.
  static func vtab(_ root: URL, _ entries: [String]) throws(ImageFolderError) -> PublishedSplit? {
    guard entries.contains(train800) || entries.contains(both) else { return nil }
    var files: [SplitName: URL] = [.test: root.appendingPathComponent("test.txt")]
    if entries.contains(train800) {
      files[.train] = root.appendingPathComponent(train800)
      files[.validation] = root.appendingPathComponent(val200)
    } else {
      files[.train] = root.appendingPathComponent(both)
    }
    var splits: [SplitName: [Entry]] = [:]
    for (split, file) in files {
      splits[split] = try lines(of: file).map { line throws(ImageFolderError) in
        guard let space = line.text.lastIndex(of: " "), let label = Int(line.text[line.text.index(after: space)...]),
          label >= 0, label < 1 << 20
        else {
          throw .list(
            file: file.shown, line: line.number, expected: "a path, a space and a label of 0 or more",
            found: "\"\(FileName.shown(String(line.text.prefix(60))))\"")
        }
        return Entry(path: String(line.text[..<space]), label: label, line: line.number)
      }
    }
    let count = (splits.values.joined().map(\.label).max() ?? -1) + 1
    return try PublishedSplit(
      "VTAB-1k's lists", root, folders: (0..<count).map { "\($0)" }, splits, files: files)
  }

  /// FGVC-Aircraft: `variants.txt` names the classes; each line of `images_variant_SPLIT.txt` is the number of an image
  /// and its class.
  static func aircraft(_ root: URL, _ entries: [String]) throws(ImageFolderError) -> PublishedSplit? {
    guard entries.contains("variants.txt"), entries.contains("images_variant_train.txt") else { return nil }
    let names = try lines(of: root.appendingPathComponent("variants.txt")).map { String($0.text) }
    let labels = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    var (splits, files): ([SplitName: [Entry]], [SplitName: URL]) = ([:], [:])
    for split in SplitName.allCases {
      let file = root.appendingPathComponent("images_variant_\(split.rawValue).txt")
      files[split] = file
      splits[split] = try lines(of: file).map { line throws(ImageFolderError) in
        let parts = line.text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let label = labels[String(parts[1])] else {
          throw .list(
            file: file.shown, line: line.number, expected: "an image and a line of variants.txt",
            found: "\"\(FileName.shown(String(line.text.prefix(60))))\"")
        }
        return Entry(path: "\(parts[0]).jpg", label: label, line: line.number)
      }
    }
    return try PublishedSplit(
      "FGVC-Aircraft's lists", root, folders: names, names: names, splits, files: files)
  }

  /// The lines of a text file that are not empty, without the ends of lines, numbered from 1.
  static func lines(of file: URL) throws(ImageFolderError) -> [(number: Int, text: Substring)] {
    let text = FileName.string(try contents(of: file))
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.enumerated().compactMap { index, line in
      let trimmed = line.drop(while: \.isWhitespace)
      let end = trimmed.lastIndex { !$0.isWhitespace }
      return end.map { (index + 1, trimmed[...$0]) }
    }
  }
}
