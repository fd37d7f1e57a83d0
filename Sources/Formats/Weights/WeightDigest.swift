import Synchronization

/// The SHA-256 of weight files, computed on first use: mapping 600 MB takes no time, hashing them takes seconds.
final class WeightDigest: Sendable {
  private let known = Mutex<String?>(nil)

  /// The digest of the file or, for several, of their digests, one per line.
  func value(of files: [any WeightFile]) -> String {
    known.withLock { known in
      if let known { return known }
      let digests = files.map(\.sha256.description)
      let value =
        digests.count == 1 ? digests[0] : SHA256.digest(of: Array(digests.joined(separator: "\n").utf8)).description
      known = value
      return value
    }
  }
}
