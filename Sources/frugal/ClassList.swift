import Formats
import Foundation
import Methods

/// The value of `--classes`: names separated by commas, or a text file with one name per line.
struct ClassList {
  let names: [String]

  /// The largest list of names that is read.
  private static let maximumBytes = 1 << 24

  /// - Throws: `UsageError` for an empty name; `RunError` for a file that does not exist or is no text.
  init(_ value: String) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: value, isDirectory: &isFolder), !isFolder.boolValue {
      names = try Self.names(in: value)
      return
    }
    guard value.contains(",") || !value.contains("/") && !value.hasSuffix(".txt") else {
      throw RunError("\(value): expected a file with one class name per line, found nothing")
    }
    names = value.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard !names.contains("") else {
      throw UsageError("--classes", expected: "names separated by commas", found: "an empty one")
    }
  }

  /// The lines of a file that are not blank.
  private static func names(in path: String) throws -> [String] {
    let bytes = try MappedFile.text(of: URL(fileURLWithPath: path), limit: maximumBytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw RunError("\(FileName.shown(path)): expected text in UTF-8 with one class name per line, found other bytes")
    }
    let marked = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    let names = marked.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard !names.isEmpty else {
      throw RunError("\(FileName.shown(path)): expected one class name per line, found none")
    }
    return names
  }
}
