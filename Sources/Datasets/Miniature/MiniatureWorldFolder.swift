import Formats
import Foundation
import Tensor

/// The reason why a part of the miniature world was not written.
public enum MiniatureWorldError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The folder holds something else.
  case occupied(folder: String, expected: String, found: String)
  /// A file or folder cannot be written.
  case unwritable(FileError)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .occupied(let folder, let expected, let found): "\(folder): expected \(expected), found \(found)"
    case .unwritable(let error): error.description
    }
  }
}

extension MiniatureWorld {
  /// Creates a folder that appears complete or not at all.
  ///
  /// - fill: writes into a hidden folder and returns the digest of its images; the manifest is written last, then the
  ///   folder is renamed.
  /// - Returns: false if the folder already exists.
  static func publish(
    _ manifest: Manifest, in folder: URL, fill: (URL) throws(FileError) -> String
  ) throws(MiniatureWorldError) -> Bool {
    try requireOnlyWorlds(in: folder)
    let target = folder.appendingPathComponent(manifest.name)
    if exists(target) {
      let found = self.manifest(of: target)
      if let found, found.isAnother(of: manifest) { return false }
      throw .occupied(
        folder: target.shown, expected: "nothing, or \(manifest.pictures) images of \(text(manifest))",
        found: found.map { "\($0.pictures) of \(text($0))" } ?? "another folder")
    }
    let isNew = !exists(folder)
    do throws(FileError) {
      let hidden = try AtomicFolder(target)
      var manifest = manifest
      manifest.digest = try fill(hidden.url)
      try put(json(manifest), hidden.url.appendingPathComponent(manifestName))
      try hidden.commit()
      return true
    } catch {
      // Fails, as it should, where other tasks are.
      if isNew { rmdir(folder.path) }
      throw .unwritable(error)
    }
  }

  private static func text(_ manifest: Manifest) -> String {
    "\(manifest.name), seed \(manifest.seed), version \(manifest.version)"
  }

  /// Refuses a folder in which anything but tasks of the world can be seen.
  private static func requireOnlyWorlds(in folder: URL) throws(MiniatureWorldError) {
    guard exists(folder) else { return }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      throw .occupied(folder: folder.shown, expected: "a folder that can be read", found: "one that is not")
    }
    for name in names.sorted() where !name.hasPrefix(".") {
      guard exists(folder.appendingPathComponent("\(name)/\(manifestName)")) else {
        throw .occupied(
          folder: folder.shown, expected: "an empty folder, or one of this world's tasks", found: "\"\(name)\" in it")
      }
    }
  }

  /// The manifest of a folder; `nil` if there is none that can be read.
  static func manifest(of folder: URL) -> Manifest? {
    guard let bytes = try? MappedFile.bytes(of: folder.appendingPathComponent(manifestName), limit: 1 << 16) else {
      return nil
    }
    return try? JSONDecoder().decode(Manifest.self, from: Data(bytes))
  }

  private static func json(_ manifest: Manifest) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    guard let data = try? encoder.encode(manifest) else {
      trap("MiniatureWorld: numbers and texts encode")
    }
    return Array(data) + [10]
  }

  private static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  static func makeFolder(_ url: URL) throws(FileError) {
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw FileError(file: url.shown, expected: "a folder that can be written", found: error.localizedDescription)
    }
  }

  /// Thousands of files need not wait for the disk one by one: files lost in a crash can be generated again.
  static func put(_ bytes: [UInt8], _ url: URL) throws(FileError) {
    try AtomicFile.write(bytes, to: url, flushing: false)
  }

  static func put(_ text: String, _ url: URL) throws(FileError) { try put(Array(text.utf8), url) }
}
