import Synchronization

/// The SHA-256 of weight files, computed once, when first asked for: to map 600 MB takes no time, to hash them seconds.
final class WeightDigest: Sendable {
  private let known = Mutex<String?>(nil)

  /// The digest of the file, or, of several, of their digests one a line.
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
