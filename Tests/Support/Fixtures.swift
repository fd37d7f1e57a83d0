import Foundation

/// The folders that tests read: the files that every clone carries, and large golden files, made with PyTorch and the
/// authors' own code and not shipped in the clone (`GoldenRoot`).
package enum Fixtures {
  /// The folder that `FRUGAL_FIXTURES` names.
  private static let named = ProcessInfo.processInfo.environment["FRUGAL_FIXTURES"]

  /// The root folder of the large golden files: `FRUGAL_FIXTURES`, else `shared/fixtures` beside the clone.
  package static let large: URL =
    if let named {
      URL(fileURLWithPath: named, isDirectory: true)
    } else {
      package.appendingPathComponent("../shared/fixtures", isDirectory: true).standardizedFileURL
    }

  /// Whether large golden files are expected: a folder of them is named, or there is one at the default location.
  package static var areLargeExpected: Bool { named != nil || FileManager.default.fileExists(atPath: large.path) }

  /// The root folder of the clone.
  package static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The small files that every clone carries.
  package static let embedded = package.appendingPathComponent("Tests/Fixtures", isDirectory: true)
}
