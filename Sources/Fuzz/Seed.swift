import Checks
import Foundation
import Methods
import Tensor

/// A file that is changed, and the folder of files that are read with it.
struct Seed {
  /// The name of the changed file in the folder; readers go by it.
  let name: String
  let bytes: [UInt8]
  /// Files of the same folder that stay as they are.
  var companions: [(name: String, bytes: [UInt8])] = []
  /// Where it lies in the fixtures, if it does: several are called `config.json`.
  var path: String?

  /// What no other seed of its kind is called.
  var identifier: String { path ?? name }

  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Tests/Fixtures")

  /// A file of the fixtures.
  static func file(_ path: String) -> URL { fixtures.appendingPathComponent(path) }

  /// The seeds of a kind, in an order that does not depend on the file system.
  static func all(of kind: Kind) throws -> [Seed] {
    switch kind {
    case .safetensors: try files(in: "golden/weights-io", ending: "safetensors")
    case .numpy: try files(in: "golden/weights-io/npy", ending: "npy")
    case .npz: try files(in: "golden/weights-io", ending: "npz")
    case .torch: try files(in: "golden/weights-io", ending: "pt") { $0.starts(with: [0x50, 0x4B]) }
    case .legacyTorch: try files(in: "golden/weights-io", ending: "pt") { $0.starts(with: [0x80]) }
    case .shards:
      [
        try seed(
          "golden/weights-io/sharded/model.safetensors.index.json",
          with: (1...2).map { "golden/weights-io/sharded/model-0000\($0)-of-00002.safetensors" })
      ]
    case .inflate: try inflateSeeds()
    case .tokenizer:
      try ["vocab.json", "merges.txt", "tokenizer_config.json"].map { name in
        try seed(
          "tiny-clip/\(name)", with: ["vocab.json", "merges.txt", "tokenizer_config.json"].map { "tiny-clip/\($0)" })
      } + [seed("Fuzz/tokenizer.json", with: ["tiny-clip/tokenizer_config.json"])]
    case .configuration:
      try [
        seed("tiny-clip/config.json"), seed("tiny-clip/preprocessor_config.json"),
        seed("Fuzz/open_clip_config.json", with: ["open-clip/model.safetensors"]),
        seed("peft/vit/config.json", with: ["peft/vit/model.safetensors"]),
        seed("peft/convnext/config.json", with: ["peft/convnext/model.safetensors"]),
      ]
    case .adapter:
      try ["vit", "convnext", "clip"].flatMap { model in
        let names = ["adapter_config.json", "adapter_model.safetensors"].map { "peft/\(model)-adapter/\($0)" }
        return try names.map { try seed($0, with: names) }
      }
    case .jpeg: try files(in: "golden/images", ending: "jpg") + files(in: "images", ending: "jpg")
    case .png: try files(in: "golden/images", ending: "png") + files(in: "images", ending: "png")
    case .gif: try files(in: "images", ending: "gif")
    case .bmp: try files(in: "images", ending: "bmp")
    case .webp: try files(in: "images", ending: "webp")
    case .delta: try ["masks", "residual", "branches"].map { try seed("Fuzz/\($0).safetensors") }
    case .run:
      try ["config.json", "metrics.jsonl", "predictions.jsonl", "result.json", "timing.json"].map {
        try seed("Fuzz/\($0)")
      }
    case .checkpoint: [Seed(name: "checkpoint.safetensors", bytes: try checkpoint())]
    case .pretraining:
      try ["pretraining.json", "metrics.jsonl"].map {
        try seed(
          "Fuzz/pretraining/\($0)", with: ["Fuzz/pretraining/pretraining.json", "Fuzz/pretraining/metrics.jsonl"])
      }
    case .list:
      try ["list.csv", "list.jsonl"].map { try seed("Fuzz/\($0)") } + [
        seed("Fuzz/classnames.txt", with: ["Fuzz/list.csv"])
      ]
    case .captions: try ["captions.csv", "captions.jsonl"].map { try seed("Fuzz/\($0)") }
    case .planted: [Seed(name: "planted", bytes: Array(0..<16))]
    }
  }

  private static func seed(_ path: String, with companions: [String] = []) throws -> Seed {
    func read(_ path: String) throws -> (name: String, bytes: [UInt8]) {
      let url = file(path)
      return (url.lastPathComponent, Array(try Data(contentsOf: url)))
    }
    let (name, bytes) = try read(path)
    return Seed(name: name, bytes: bytes, companions: try companions.filter { $0 != path }.map(read), path: path)
  }

  private static func files(
    in folder: String, ending: String, where isWanted: ([UInt8]) -> Bool = { _ in true }
  ) throws -> [Seed] {
    let names = try FileManager.default.contentsOfDirectory(atPath: file(folder).path)
    return try names.filter { $0.hasSuffix(".\(ending)") }.sorted().map { try seed("\(folder)/\($0)") }
      .filter { isWanted($0.bytes) }
  }

  /// Streams in the three containers; the first byte says which.
  private static func inflateSeeds() throws -> [Seed] {
    let text = Array(try Data(contentsOf: file("Fuzz/config.json")))
    let noise = text.indices.map { UInt8(truncatingIfNeeded: $0 &* $0 &* 2_654_435_761 >> 11) }
    return [text, noise, Array(repeating: 7, count: 5000), []].flatMap { plain in
      CompressedFile.Container.allCases.map {
        Seed(name: "stream", bytes: CompressedFile(container: $0, plain: plain).bytes)
      }
    }
  }

  /// The training that a checkpoint is of: both halves, with a best epoch.
  static let training: TrainingState = {
    guard let name = MethodName("r-amt+task-res") else { trap("Seed: expected a method, found none") }
    var state = MethodTraces.stateAfterOneStep(of: name, seed: 1)
    state.endEpoch(validationAccuracy: 50)
    return state
  }()
  static let fingerprint = String(repeating: "0", count: 64)

  private static func checkpoint() throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("checkpoint.safetensors")
    try training.write(to: file, fingerprint: fingerprint)
    return Array(try Data(contentsOf: file))
  }
}
