import Synchronization

/// The files of which parts were missing, and that were read all the same: for a word to the user when all is done.
package enum IncompletePictures {
  private static let found = Mutex<[String: String]>([:])

  /// Notes a picture, once by its name.
  static func add(_ name: String, lack: String) { found.withLock { $0[name] = lack } }

  /// The names and what they lack, in the order of names; they are forgotten.
  package static func take() -> [(name: String, lack: String)] {
    found.withLock { found in
      defer { found = [:] }
      return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }
}
