import Foundation

/// A file that cannot be opened, read or written, with the system's reason.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file, as it was named.
  public let file: String
  /// The expectation: "a readable file", "a writable folder".
  public let expected: String
  /// The system's reason.
  public let found: String

  /// An error about one file.
  package init(file: String, expected: String, found: String) {
    self.file = file
    self.expected = expected
    self.found = found
  }

  /// The failure that the last system call left in `errno`.
  init(_ url: URL, expected: String) {
    self.init(file: url.shown, expected: expected, found: String(cString: strerror(errno)).lowercased())
  }

  /// The message: expected and found.
  public var description: String { "\(file): expected \(expected), found \(found)" }
}

extension URL {
  /// The path as the user named it: relative if it was given so, on one line.
  package var shown: String { FileName.shown(relativePath.isEmpty ? path : relativePath) }
}

/// A name from a file between quotation marks, with control characters escaped and cut to a readable length.
func quoted(_ name: String) -> String {
  let scalars = name.unicodeScalars
  let start = String(String.UnicodeScalarView(scalars.prefix(120)))
  return start.debugDescription + (scalars.dropFirst(120).isEmpty ? "" : "…")
}
