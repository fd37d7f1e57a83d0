import Foundation
import Methods

/// The image files that operands name: each itself, or all in a folder and those below it.
struct ImagePaths {
  /// The paths of the files, in the order of the operands; those of a folder in the order of their bytes.
  private(set) var files: [String] = []
  /// Files of folders that are not images by their names, and folders that cannot be entered.
  private(set) var skipped: [String] = []

  /// The endings of names that files in folders have; what is in them is found when they are read.
  private static let endings = [".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"]

  /// - Throws: `RunError` for a folder without images.
  init(_ operands: [String]) throws(RunError) {
    for path in operands {
      guard [.folder, .link].contains(Self.kind(path)) else {
        files.append(path)
        continue
      }
      let before = files.count
      add(path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path)
      guard files.count > before else {
        let found = skipped.isEmpty ? "none" : "\(plural(skipped.count, "other file"))"
        throw RunError("\(path): expected images (\(Self.endings.joined(separator: ", "))), found \(found)")
      }
    }
  }

  /// Says which files of folders were skipped.
  func reportSkipped() {
    guard !skipped.isEmpty else { return }
    let shown = skipped.prefix(3).joined(separator: ", ") + (skipped.count > 3 ? ", …" : "")
    note("note: skipped \(plural(skipped.count, "file")) not named as images: \(shown)")
  }

  /// Names that begin with a dot are hidden; links to folders are not followed, as they may lead back.
  private mutating func add(_ folder: String) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      skipped.append(folder)
      return
    }
    for name in names.filter({ !$0.hasPrefix(".") }).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      let path = "\(folder)/\(name)"
      switch Self.kind(path) {
      case .folder: add(path)
      case .file where Self.endings.contains(where: { name.lowercased().hasSuffix($0) }): files.append(path)
      default: skipped.append(path)
      }
    }
  }

  private enum Kind { case file, folder, link, other }

  /// The kind of file at a path; a link to a folder is a kind of its own.
  private static func kind(_ path: String) -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else { return .other }
    guard status.st_mode & S_IFMT == S_IFDIR else { return status.st_mode & S_IFMT == S_IFREG ? .file : .other }
    var own = stat()
    return lstat(path, &own) == 0 && own.st_mode & S_IFMT == S_IFLNK ? .link : .folder
  }
}
