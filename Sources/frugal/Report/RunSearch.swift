import Foundation
import Methods

/// Runs and sensitivity maps at and below some folders.
struct RunSearch {
  /// A folder that is not a finished run, with the reason.
  struct Skipped: Equatable {
    let name: String
    let reason: String
  }

  private(set) var runs: [ReportedRun] = []
  private(set) var surveys: [ReportedSurvey] = []
  private(set) var skipped: [Skipped] = []

  /// The maximal search depth: a link that leads back up would not end.
  private static let deepest = 16

  /// Searches the given folders, in any order.
  ///
  /// - Throws: `ReportError` for a path that is not a folder.
  init(_ urls: [URL]) throws(ReportError) {
    var (found, seen) = ([URL](), Set<String>())
    for url in urls {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
        throw ReportError("\(url.relativePath): expected the folder of a run or of several, found nothing")
      }
      guard isFolder.boolValue else {
        throw ReportError("\(url.relativePath): expected the folder of a run or of several, found a file")
      }
      let folder = url.resolvingSymlinksInPath()
      let (before, isNew) = (found.count, !seen.contains(folder.path))
      Self.collect(folder, depth: 0, into: &found, &seen)
      if found.count == before, isNew {
        skipped.append(Skipped(name: url.lastPathComponent, reason: "expected runs, found no config.json"))
      }
    }
    found.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let names = Self.names(of: found)
    var known: [String: String] = [:]
    for (url, name) in zip(found, names) {
      do throws(ReportError) {
        if ReportedSurvey.isSurvey(url) {
          surveys.append(try ReportedSurvey(url, named: name))
        } else {
          // Candidates for the settings of other runs have no accuracy to report.
          if (try? RunFolder(url).settings())?.evaluation == .validation { continue }
          let run = try ReportedRun(RunFolder(url), named: name)
          // Two folders with the same settings, seed among them, hold one measurement, not two; other images of the
          // same names have other logits.
          let fingerprint = ((try? run.settings.fingerprint) ?? name) + run.result.test.logitsSHA256
          if let twin = known[fingerprint] {
            skipped.append(Skipped(name: name, reason: "the same run as \(twin): counted once"))
          } else {
            known[fingerprint] = name
            runs.append(run)
          }
        }
      } catch { skipped.append(Skipped(name: name, reason: error.description)) }
    }
  }

  /// Adds folders with something to report. Parts of a run, such as the runs of single budgets, are not searched.
  private static func collect(_ folder: URL, depth: Int, into found: inout [URL], _ seen: inout Set<String>) {
    guard depth <= deepest, seen.insert(folder.path).inserted else { return }
    let isRun = FileManager.default.fileExists(atPath: folder.appendingPathComponent("config.json").path)
    let isSurvey = ReportedSurvey.isSurvey(folder)
    if isRun || isSurvey { found.append(folder) }
    let isKnown = isSurvey || isRun && (try? RunFolder(folder).settings()) != nil
    guard !isKnown, let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else { return }
    for name in names.sorted() where !name.hasPrefix(".") {
      let entry = folder.appendingPathComponent(name)
      let values = try? entry.resourceValues(forKeys: [.isDirectoryKey, .isSymbolicLinkKey])
      if values?.isDirectory == true, values?.isSymbolicLink != true {
        collect(entry, depth: depth + 1, into: &found, &seen)
      }
    }
  }

  /// The paths relative to the folder that all have in common, so that the report does not reveal where they are
  /// stored.
  static func names(of folders: [URL]) -> [String] {
    let paths = folders.map { $0.standardizedFileURL.pathComponents }
    guard let first = paths.first else { return [] }
    let shortest = paths.map(\.count).min() ?? 0
    let common = (0..<shortest).first { index in paths.contains { $0[index] != first[index] } } ?? shortest
    return paths.map { path in path.dropFirst(min(common, path.count - 1)).joined(separator: "/") }
  }
}
