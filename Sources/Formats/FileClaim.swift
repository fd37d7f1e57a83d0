@preconcurrency import Dispatch
import Foundation
import Synchronization

/// The right to do one piece of work, as a file that every machine with the same file system sees.
///
/// `FolderLock` ends with its process, but not every network file system carries such locks from one machine to the
/// other. A claim needs two things of a file system: that a file can be created by one process only, and times of
/// change by one clock, the file system's own. Its holder renews the time of change; a claim that was not renewed for
/// long, or whose process on this machine is gone, is taken over.
///
///     guard let claim = try FileClaim(file) else { return }  // somebody else is at work
package final class FileClaim: Sendable {
  private let file: URL
  private let descriptor: Int32
  private let text: String
  private let lost = Atomic<Bool>(false)
  private let timer: any DispatchSourceTimer

  /// Seconds after which a claim that was not renewed is taken over.
  package static let patience = 300.0

  /// Takes the claim; `nil` if another process holds it.
  ///
  /// - patience: seconds without renewal after which it is taken over; ten renewals fit in.
  /// - Throws: `FileError` if the folder cannot be written.
  package convenience init?(_ file: URL, patience: Double = FileClaim.patience) throws(FileError) {
    let text = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n\(Self.machine)\n\(UUID())\n"
    if let descriptor = try Self.created(file, text) {
      self.init(file, descriptor, text, patience)
      return
    }
    guard try Self.isAbandoned(file, patience) else { return nil }
    // One process at a time may take over, and looks again once it is the one.
    let taking = file.appendingPathExtension("taken-over")
    guard let turn = try Self.created(taking, text) else {
      if try Self.isAbandoned(taking, patience) { unlink(taking.path) }
      return nil
    }
    defer {
      unlink(taking.path)
      close(turn)
    }
    guard try Self.isAbandoned(file, patience) else { return nil }
    unlink(file.path)
    guard let descriptor = try Self.created(file, text) else { return nil }
    self.init(file, descriptor, text, patience)
  }

  private init(_ file: URL, _ descriptor: Int32, _ text: String, _ patience: Double) {
    (self.file, self.descriptor, self.text) = (file, descriptor, text)
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "claim"))
    self.timer = timer
    timer.setEventHandler { [weak self] in self?.renew() }
    timer.schedule(deadline: .now() + patience / 10, repeating: patience / 10)
    timer.activate()
  }

  deinit {
    timer.cancel()
    if Self.contents(of: file) == text { unlink(file.path) }
    close(descriptor)
  }

  /// False once another process has taken it over, as this one stood still for too long.
  package var isHeld: Bool { !lost.load(ordering: .relaxed) }

  /// Who holds a claim, as its file says; `nil` if nobody does, or whoever did is gone.
  package static func holder(of file: URL, patience: Double = FileClaim.patience) -> String? {
    // Where nothing can be written, its age is not known.
    guard let text = contents(of: file), (try? isAbandoned(file, patience)) != true else { return nil }
    return text.split(separator: "\n").first.map { FileName.shown(String($0)) } ?? "another process"
  }

  private func renew() {
    guard Self.contents(of: file) == text else { return lost.store(true, ordering: .relaxed) }
    futimens(descriptor, nil)
  }

  /// A new file with a text; `nil` if there is one of that name.
  private static func created(_ file: URL, _ text: String) throws(FileError) -> Int32? {
    let descriptor = open(file.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST { return nil }
      throw FileError(file.deletingLastPathComponent(), expected: "a folder that can be written")
    }
    let bytes = Array(text.utf8)
    let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == bytes.count else {
      unlink(file.path)
      close(descriptor)
      throw FileError(file: file.shown, expected: "space for \(bytes.count) more bytes", found: "none")
    }
    return descriptor
  }

  private static func isAbandoned(_ file: URL, _ patience: Double) throws(FileError) -> Bool {
    guard let text = contents(of: file), let changed = time(of: file) else { return false }
    let lines = text.split(separator: "\n")
    if lines.count == 3, lines[1] == Self.machine, let process = lines[0].split(separator: " ").dropFirst().first,
      let identifier = Int32(process), kill(identifier, 0) != 0, errno == ESRCH
    {
      return true
    }
    return try now(in: file.deletingLastPathComponent()) - changed > patience
  }

  private static func contents(of file: URL) -> String? {
    (try? MappedFile.bytes(of: file, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func time(of file: URL) -> Double? {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    return seconds(status.st_mtim)
  }

  private static func seconds(_ time: timespec) -> Double { Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9 }

  /// The time by the clock of a folder's file system, in seconds.
  package static func now(in folder: URL) throws(FileError) -> Double {
    let probe = folder.appendingPathComponent(".clock-\(UUID())")
    guard let descriptor = try created(probe, "") else { return 0 }
    defer {
      unlink(probe.path)
      close(descriptor)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(folder, expected: "a folder that can be written")
    }
    return seconds(status.st_mtim)
  }

  /// What tells whether process numbers mean the same: the boot of the machine, and the space of its processes.
  private static let machine: String = {
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? UUID().uuidString
    let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
    return boot.filter { !$0.isWhitespace } + space
  }()
}
