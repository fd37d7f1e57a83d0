import Formats
import Foundation

/// How fast files are written that must reach the disk.
package enum DiskSpeed {
  private static let bytes = 16 << 20

  /// Seconds per byte in the nearest folder above a path that exists, by one file that is removed again; 0 where none
  /// can be written.
  package static func secondsPerByte(near url: URL) -> Double {
    var folder = url.standardizedFileURL
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
      folder = folder.deletingLastPathComponent()
    }
    let file = folder.appendingPathComponent(".frugal-plan-\(getpid())")
    defer { unlink(file.path) }
    let cost = try? WorkCost.measured { try AtomicFile.write([UInt8](repeating: 1, count: bytes), to: file) }.cost
    return (cost?.seconds ?? 0) / Double(bytes)
  }
}
