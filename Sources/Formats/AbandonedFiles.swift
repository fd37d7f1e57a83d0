import Foundation
import Synchronization

/// Temporary files whose process was killed before it could rename or remove them.
///
/// A writer holds the lock of its file until it dies, so that whoever gets the lock knows the file to be abandoned, on
/// whatever machine its writer ran. File systems without locks keep such files.
enum AbandonedFiles {
  private static let seen = Mutex<Set<String>>([])

  /// The name of a temporary file of this process.
  static func name(_ number: Int) -> String {
    ".frugal-\(getpid())-\(number)-\(UInt32.random(in: 0 ... .max)).tmp"
  }

  /// True if a file has a name that `name` makes.
  private static func isOurs(_ name: String) -> Bool { name.wholeMatch(of: /\.frugal-\d+-\d+-\d+\.tmp/) != nil }

  /// Locks a new temporary file for this process; false if another one has removed it meanwhile, or is about to.
  static func isOwned(_ descriptor: Int32) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }

  /// Removes the abandoned files of a folder, the first time that this process writes there.
  static func removeOnce(in folder: URL) {
    guard seen.withLock({ $0.insert(folder.path).inserted }) else { return }
    remove(in: folder)
  }

  /// Removes the abandoned files of a folder.
  static func remove(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where isOurs(name) {
      let path = folder.appendingPathComponent(name).path
      let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      {
        unlink(path)
      }
      close(descriptor)
    }
  }
}
