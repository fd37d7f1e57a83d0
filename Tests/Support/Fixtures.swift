import Foundation

/// The golden files that tests compare with: made with PyTorch and the authors' own code, not shipped in the clone.
///
/// They are looked for in the folder named by `FRUGAL_FIXTURES`, else in `shared/fixtures` beside the clone.
/// A suite that needs a folder of them is disabled by name where it is missing:
///
///     @Suite(.enabled(if: Fixtures.has("ops"), "golden files of ops are absent: set FRUGAL_FIXTURES"))
package enum Fixtures {
  /// The root folder of the golden files.
  package static let root: URL =
    if let path = ProcessInfo.processInfo.environment["FRUGAL_FIXTURES"] {
      URL(fileURLWithPath: path, isDirectory: true)
    } else {
      package.appendingPathComponent("../shared/fixtures", isDirectory: true).standardizedFileURL
    }

  /// The root folder of the clone.
  package static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The small golden files that every clone carries.
  package static let embedded = package.appendingPathComponent("Tests/Fixtures", isDirectory: true)

  /// Whether the folder or file `name` of the golden files exists.
  package static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url(name).path) }

  /// The place of a golden file.
  package static func url(_ name: String) -> URL { root.appendingPathComponent(name) }
}
