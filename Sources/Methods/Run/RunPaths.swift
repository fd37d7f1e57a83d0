import Formats
import Foundation

/// Where the model and the data of a run were when it began, and the command that began it: `paths.json` of its folder.
///
/// It decides no bits, so it is no part of `config.json`: a run, its model and its data may be moved, together or
/// apart, and its commands typed in any folder.
public struct RunPaths: Sendable, Codable, Equatable {
  /// A path in the forms that lead back to it.
  public struct Entry: Sendable, Codable, Equatable {
    /// As typed, which holds in the folder where the run began.
    public var given: String
    /// From the root of the file system.
    public var absolute: String
    /// From the folder of the run, which holds where both were moved together.
    public var fromRun: String

    init(_ path: String, from folder: URL) {
      let file = URL(fileURLWithPath: path).standardizedFileURL
      (given, absolute) = (path, file.path)
      fromRun = Self.relative(file.pathComponents, to: folder.standardizedFileURL.pathComponents)
    }

    private static func relative(_ target: [String], to folder: [String]) -> String {
      let shared = zip(target, folder).prefix { $0 == $1 }.count
      let parts = Array(repeating: "..", count: folder.count - shared) + target.dropFirst(shared)
      return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// The paths to try, in this order.
    func candidates(from folder: URL) -> [String] {
      [absolute, folder.appendingPathComponent(fromRun).standardizedFileURL.path, given]
    }
  }

  /// The model.
  public var model: Entry
  /// The folder of images.
  public var data: Entry
  /// The list of images, if there is one.
  public var list: Entry?
  /// The words of the command that began the run, after the program's name; `nil` if none did, and in older runs.
  public var command: [String]?
}

/// What a run needs and what is no longer where it was.
public struct MissingPath: Error, CustomStringConvertible {
  /// The kinds of paths that a run has.
  public enum Subject: String, Sendable {
    case model, images
    case list = "list of images"
  }

  /// What is missing.
  public let subject: Subject
  /// The message: the paths that were tried.
  public let description: String
}

extension RunFolder {
  /// Where model and data were.
  public var paths: URL { url.appendingPathComponent("paths.json") }

  func writePaths(_ settings: RunConfiguration, command: [String]?) throws {
    let found = RunPaths(
      model: .init(settings.model.path, from: url), data: .init(settings.data.path, from: url),
      list: settings.data.list.map { .init($0, from: url) }, command: command)
    try AtomicFile.write(Array(try JSON.encoded(found, isPretty: true)) + [10], to: paths)
  }

  /// `paths.json`; `nil` in older runs, and if it is something else.
  package var storedPaths: RunPaths? {
    (try? MappedFile.bytes(of: paths)).flatMap { try? JSON.decoded(RunPaths.self, from: $0) }
  }

  /// Where what a run needs is now: in the first of its places that still exists.
  ///
  /// - Throws: `MissingPath` with all of them.
  public func located(_ subject: MissingPath.Subject, _ settings: RunConfiguration) throws -> String {
    let stored = storedPaths
    let (entry, given): (RunPaths.Entry?, String) =
      switch subject {
      case .model: (stored?.model, settings.model.path)
      case .images: (stored?.data, settings.data.path)
      case .list: (stored?.list, settings.data.list ?? "")
      }
    var tried: [String] = []
    for path in (entry?.candidates(from: url) ?? []) + [given] where !tried.contains(path) {
      if FileManager.default.fileExists(atPath: path) { return path }
      tried.append(path)
    }
    throw MissingPath(
      subject: subject,
      description: "\(url.shown): expected the \(subject.rawValue) of the run at "
        + "\(tried.map { FileName.shown($0) }.joined(separator: " or ")), found nothing")
  }
}
