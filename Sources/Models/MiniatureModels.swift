import Formats
import Foundation

/// The small pretrained models that come with the library, as folders like those of any other model.
///
/// Trained on the miniature world by `frugal pretrain`; see their README. A program that was moved finds them in
/// `frugal_Models.resources` next to itself, or in `../share/frugal`.
public enum MiniatureModels {
  /// A CLIP for images of 32 × 32, with the names of Hugging Face.
  public static var clip: URL { folder("clip") }
  /// A vision transformer for images of 32 × 32, with the names of timm.
  public static var vit: URL { folder("vit") }

  /// Recorded runs with both, one line each (`frugal demo --recorded`).
  package static var runs: URL { folder("runs.jsonl") }

  /// Checks that the models are where they are looked for.
  ///
  /// - Throws: `FileError` that says where that is.
  package static func requirePresence() throws(FileError) {
    for model in [clip, vit] where !isThere(model) {
      throw FileError(
        file: model.path, expected: "the miniature models next to the program or in ../share/frugal", found: "none")
    }
  }

  /// The folders that may hold the models: next to the program, as it was built and as it is installed, and that of the
  /// sources.
  private static let candidates: [URL] = {
    let link = "/proc/self/exe"
    let file = FileManager.default.fileExists(atPath: link) ? link : CommandLine.arguments.first ?? ""
    let program = URL(fileURLWithPath: file).resolvingSymlinksInPath().deletingLastPathComponent()
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return [
      program.appendingPathComponent("frugal_Models.resources/Miniature"),
      program.deletingLastPathComponent().appendingPathComponent("share/frugal/Miniature"),
      source.appendingPathComponent("Miniature"),
    ]
  }()

  private static func folder(_ name: String) -> URL {
    (candidates.first(where: isThere) ?? candidates[0]).appendingPathComponent(name)
  }

  private static func isThere(_ folder: URL) -> Bool { FileManager.default.fileExists(atPath: folder.path) }
}
