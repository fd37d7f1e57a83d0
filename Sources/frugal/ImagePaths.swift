import Datasets
import Formats
import Foundation
import Methods

/// The image files that operands name: each itself, or all in a folder and those below it; `-` stands for the lines of
/// standard input.
struct ImagePaths {
  /// The paths of the files, in the order of the operands; those of a folder in the order of their bytes.
  private(set) var files: [String] = []
  /// Files of folders that are not images by their names.
  private(set) var skipped: [String] = []

  /// - Throws: `RunError` for a folder without images; `FileError` and `ImageFolderError` for what cannot be listed.
  init(_ operands: [String]) throws {
    for path in try operands.flatMap({ try $0 == "-" ? Self.lines(of: .standardInput) : [$0] }) {
      let url = URL(fileURLWithPath: path)
      guard try FolderListing.kind(of: url).kind == .folder else {
        files.append(path)
        continue
      }
      let folder = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
      let tree = try ImageTree(of: url)
      guard !tree.images.isEmpty else {
        let found = tree.ignored.isEmpty ? "none" : plural(tree.ignored.count, "other file")
        throw RunError("\(path): expected images, found \(found)")
      }
      files += tree.images.map { "\(folder)/\($0)" }
      skipped += (tree.ignored + tree.links).map { "\(folder)/\($0)" }
    }
  }

  /// The lines of a file that are not empty; names of files need not be UTF-8.
  private static func lines(of file: FileHandle) throws -> [String] {
    try (file.readToEnd() ?? Data()).split(separator: 10).map { line in
      let name = line.last == 13 ? line.dropLast() : line
      return Array(name).withUnsafeBytes { FileName.string($0) }
    }.filter { !$0.isEmpty }
  }

  /// Says which files of folders were skipped.
  func reportSkipped() {
    guard !skipped.isEmpty else { return }
    let shown = skipped.prefix(3).map { FileName.shown($0) }.joined(separator: ", ") + (skipped.count > 3 ? ", …" : "")
    note("note: skipped \(plural(skipped.count, "file")) not named as images: \(shown)")
  }
}
