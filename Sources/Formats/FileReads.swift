import Foundation
import Synchronization

/// The files that are opened while something is read: all that it may depend on, whatever their names.
///
///     let (model, files) = try FileReads.recorded { try Model(contentsOf: folder) }
package final class FileReads: Sendable {
  @TaskLocal private static var current: FileReads?
  private let urls = Mutex<[URL]>([])

  /// The result of `body`, and the files that it opened on the same thread, each once, in order.
  package static func recorded<Result>(_ body: () throws -> Result) rethrows -> (result: Result, files: [URL]) {
    let reads = FileReads()
    let result = try $current.withValue(reads) { try body() }
    return (result, reads.urls.withLock { $0 })
  }

  /// Notes a file that was opened.
  static func note(_ url: URL) {
    current?.urls.withLock { urls in if !urls.contains(url) { urls.append(url) } }
  }
}
