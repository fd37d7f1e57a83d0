import Formats
import Foundation

/// What a sweep keeps besides its runs, in `.sweep` of its folder: who is at work on which run, and what failed.
struct SweepFolder: Sendable {
  private let url: URL

  init(in out: URL) { url = out.appendingPathComponent(".sweep") }

  /// What became of a run.
  enum State: Equatable {
    case finished
    /// By the process of this name.
    case running(String)
    /// With this error; begun or not.
    case failed(String)
    /// Stopped, and to be resumed.
    case begun
    case waiting
  }

  /// Makes the folder, unless it is there.
  ///
  /// - Returns: the time now, by the clock of its file system.
  /// - Throws: `FileError` if it cannot be written.
  func make() throws -> Double {
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw FileError(file: url.shown, expected: "a folder that can be written", found: error.localizedDescription)
    }
    return try FileClaim.now(in: url)
  }

  func state(of cell: SweepCell) -> State {
    if cell.isFinished { return .finished }
    if let holder = FileClaim.holder(of: file(cell, "claim")) { return .running(holder) }
    if let failure = failure(of: cell) { return .failed(failure.error) }
    return cell.folder.isBegun ? .begun : .waiting
  }

  /// The right to work on a run; `nil` if another process has it.
  func claim(_ cell: SweepCell) throws(FileError) -> FileClaim? { try FileClaim(file(cell, "claim")) }

  private struct Failure: Codable {
    let run, error: String
    /// By the clock of the file system.
    let time: Double
  }

  /// Writes down why a run failed.
  func record(_ error: String, of cell: SweepCell) throws {
    let failure = Failure(run: cell.name, error: error, time: try FileClaim.now(in: url))
    try AtomicFile.write(Array(try JSON.encoded(failure, isPretty: true)) + [10], to: file(cell, "failed.json"))
  }

  /// Forgets an earlier failure.
  func forgetFailure(of cell: SweepCell) { unlink(file(cell, "failed.json").path) }

  /// Removes what a process left that died, or could not write any more, after the end of a run.
  func tidy(_ cell: SweepCell) {
    func exists(_ file: URL) -> Bool { access(file.path, F_OK) == 0 }
    forgetFailure(of: cell)
    // Who takes what nobody holds removes it afterwards.
    if exists(file(cell, "claim")) { _ = try? claim(cell) }
    let run = cell.folder.url
    if exists(run.appendingPathComponent(FolderLock.fileName)) { try? FolderLock.requireFree(run) }
  }

  /// Why a run failed, and when; `nil` if it did not.
  func failure(of cell: SweepCell) -> (error: String, time: Double)? {
    let found = (try? MappedFile.bytes(of: file(cell, "failed.json"), limit: 1 << 20)).flatMap {
      try? JSON.decoded(Failure.self, from: $0, upTo: JSON.largestMeasurement)
    }
    return found.map { ($0.error, $0.time) }
  }

  /// A file about a run. Names of runs that differ stay different.
  private func file(_ cell: SweepCell, _ kind: String) -> URL {
    let name = cell.name.replacing("%", with: "%25").replacing("/", with: "%2F")
    // A name may have 255 bytes.
    let short = name.utf8.count <= 200 ? name : SHA256.digest(of: Array(name.utf8)).description
    return url.appendingPathComponent("\(short).\(kind)")
  }
}
