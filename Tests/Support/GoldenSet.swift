import Foundation
import Testing

/// A folder of golden files, which has an `index.json`.
///
/// A suite names the folders it needs, and is skipped with the path of what is missing:
///
///     @Suite(.golden(.ops))
///
/// `GoldenSetTests` fails where golden files are present but one of these folders is not, so that a renamed folder
/// cannot skip its suites unnoticed.
package enum GoldenSet: String, CaseIterable, Sendable {
  case clip, images, ops, optim, ramt, spt, taskres, tokenizer, vit
  case weightsIO = "weights-io"

  /// The files whose absence skips the suites of this folder.
  package var needed: [URL] {
    let index = url("index.json")
    switch self {
    case .images: return [index, url("bad.json")]
    case .optim: return [index, url("schedules.json")]
    case .spt: return [index, url("allocation.json")]
    case .tokenizer: return [index, url("strings.json"), url("padded.json"), publishedMerges]
    case .weightsIO: return [index, url("bad.json")]
    case .clip, .ops, .ramt, .taskres, .vit: return [index]
    }
  }

  /// The packed merge list that the index of the tokenizer's folder names.
  package var publishedMerges: URL {
    url((try? json("index.json"))?["data"].string ?? "no data in index.json").standardizedFileURL
  }

  /// The first needed file that is absent.
  package var missing: URL? { needed.first { !FileManager.default.fileExists(atPath: $0.path) } }

  /// A file of the folder.
  package func url(_ name: String) -> URL {
    Fixtures.root.appendingPathComponent(rawValue, isDirectory: true).appendingPathComponent(name)
  }
}

extension Trait where Self == ConditionTrait {
  /// Runs a test only where the golden files it compares with are present; says which file is missing, and where.
  package static func golden(_ sets: GoldenSet..., sourceLocation: SourceLocation = #_sourceLocation) -> Self {
    let missing = sets.compactMap(\.missing).map(\.path)
    return .enabled(
      if: missing.isEmpty,
      "no golden file \(missing.joined(separator: ", ")): FRUGAL_FIXTURES names the folder of all of them",
      sourceLocation: sourceLocation)
  }
}
