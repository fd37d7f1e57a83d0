import Foundation

/// A folder of golden files, which has an `index.json`.
///
/// A suite names the folders it needs (`GoldenTrait`). `GoldenSetTests` fails where one of them is not in the clone,
/// or where large golden files are present but one of these folders is not, so that a renamed folder cannot skip its
/// suites unnoticed.
package enum GoldenSet: String, CaseIterable, Sendable {
  case clip, images, ops, optim, ramt, spt, taskres, tokenizer, vit
  case weightsIO = "weights-io"

  /// The files whose absence skips the suites of this folder.
  package func needed(in root: GoldenRoot = .ofTheTest) -> [URL] {
    let names: [String] =
      switch self {
      case .images: ["bad.json"]
      case .optim: ["schedules.json"]
      case .spt: ["allocation.json"]
      case .tokenizer: ["strings.json", "padded.json"]
      case .weightsIO: ["bad.json"]
      case .clip, .ops, .ramt, .taskres, .vit: []
      }
    let files = (["index.json"] + names).map { url($0, in: root) }
    return self == .tokenizer ? files + [publishedMerges(in: root)] : files
  }

  /// The packed merge list that the index of the tokenizer's folder names.
  package func publishedMerges(in root: GoldenRoot = .ofTheTest) -> URL {
    url((try? json("index.json", in: root))?["data"].string ?? "no data in index.json", in: root).standardizedFileURL
  }

  /// The first needed file that is absent.
  package func missing(in root: GoldenRoot = .ofTheTest) -> URL? {
    needed(in: root).first { !FileManager.default.fileExists(atPath: $0.path) }
  }

  /// A file of the folder.
  package func url(_ name: String, in root: GoldenRoot = .ofTheTest) -> URL {
    root.url.appendingPathComponent(rawValue, isDirectory: true).appendingPathComponent(name)
  }
}
