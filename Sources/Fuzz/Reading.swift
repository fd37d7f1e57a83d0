import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// The readers of all kinds: each reads a file of a folder as the commands do, and every value in it.
struct Reading {
  /// Where an input is written for readers that take files.
  let folder: URL
  /// The model that deltas belong to.
  private let model: (any PretrainedModel)?

  /// - folder: exists, and holds nothing else.
  init(_ kind: Kind, in folder: URL) throws {
    self.folder = folder
    // Pictures of ordinary size, so that inputs a second are many.
    Image.maximumPixels = 1 << 20
    if kind == .list || kind == .captions {
      // What the lists name.
      for name in ["a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "b/x,1.png", "b/ä.png"] {
        let picture = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: picture.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Self.write([], to: picture)
      }
    }
    model = kind == .delta ? try Pretrained.model(at: Seed.file("tiny-clip").path) : nil
  }

  /// Reads an input.
  ///
  /// - Throws: what the reader throws.
  func read(_ kind: Kind, _ seed: Seed, _ bytes: [UInt8]) throws {
    switch kind {
    case .jpeg, .png, .gif, .bmp, .webp: _ = try Image.decode(bytes, name: "input")
    case .inflate: try Self.inflate(bytes)
    case .planted: try Self.fail(bytes)
    default:
      let file = folder.appendingPathComponent(seed.name)
      try Self.write(bytes, to: file)
      for (name, bytes) in seed.companions { try Self.write(bytes, to: folder.appendingPathComponent(name)) }
      defer { for name in [seed.name] + seed.companions.map(\.name) { unlink("\(folder.path)/\(name)") } }
      try read(kind, file)
    }
  }

  /// Without Foundation, which takes longer than most readers.
  private static func write(_ bytes: [UInt8], to file: URL) throws {
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(descriptor) }
    guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw CocoaError(.fileWriteOutOfSpace)
    }
  }

  private func read(_ kind: Kind, _ file: URL) throws {
    switch kind {
    case .safetensors, .numpy, .npz, .torch, .legacyTorch:
      let weights = try WeightFiles.open(file)
      for name in weights.names {
        _ = try weights.tensor(name)
        if weights.type(of: name) == .i64 { _ = try weights.integers(name) }
      }
      if let torch = weights as? TorchFile { _ = try torch.object() }
    case .shards:
      let weights = try PretrainedWeights(contentsOf: folder)
      for name in weights.names { _ = try weights.tensor(name) }
    case .tokenizer: _ = try Tokenizer.load(from: folder).encode("a red square, 1 + ∂")
    case .configuration:
      switch file.lastPathComponent {
      case "preprocessor_config.json": _ = try Preprocessing(contentsOf: file)
      case "config.json" where !FileManager.default.fileExists(atPath: folder.path + "/model.safetensors"):
        _ = try CLIPConfiguration(contentsOf: file)
      default: _ = try Pretrained.model(at: folder.path)
      }
    case .adapter: _ = try PEFTAdapterFolder(at: folder)
    case .delta: if let model { _ = try Delta(contentsOf: file, for: model, anyway: true) }
    case .run:
      switch file.lastPathComponent {
      case "config.json": _ = try RunFolder(folder).settings()
      case "metrics.jsonl": _ = try RunFolder(folder).epochs()
      case "predictions.jsonl": _ = try RunFolder(folder).readPredictions()
      case "result.json": _ = try JSON.decoded(RunResult.self, from: MappedFile.bytes(of: file))
      default: _ = try JSON.decoded(RunTiming.self, from: MappedFile.bytes(of: file))
      }
    case .checkpoint:
      var state = Seed.training
      try state.read(from: file, fingerprint: Seed.fingerprint)
    case .pretraining:
      let pretraining = PretrainingFolder(folder)
      _ = (try pretraining.read(), try pretraining.metricsLines(before: .max))
    case .list:
      let isList = file.lastPathComponent.hasPrefix("list")
      _ = try ImageFolder(contentsOf: folder, list: isList ? file : folder.appendingPathComponent("list.csv"))
    case .captions: _ = try CaptionedImages(contentsOf: folder)
    case .jpeg, .png, .gif, .bmp, .webp, .inflate, .planted: break
    }
  }

  /// The three ways of decompressing must agree: with the fast loop, without it, and through a window.
  private static func inflate(_ bytes: [UInt8]) throws {
    guard let container = CompressedFile.Container(rawValue: bytes.first ?? 9) else {
      throw InflateError.container(expected: "a container", found: "none")
    }
    let limit = 1 << 20
    func whole(isCareful: Bool) throws -> [UInt8] {
      try bytes[1...].withUnsafeBufferPointer { source in
        let output = try Inflate.output(
          of: source, container: container.form, limit: limit, excess: .ignored, isCareful: isCareful)
        return Array(output.written)
      }
    }
    let (fast, careful) = (Result { try whole(isCareful: false) }, Result { try whole(isCareful: true) })
    require((try? fast.get()) == (try? careful.get()), "inflate: expected the same bytes of both loops")
    if container == .zlib {
      var taken: [UInt8] = []
      let streamed = Result {
        try bytes[1...].withUnsafeBufferPointer { source in
          var output = try Inflate.stream(source, limit: limit, room: 1) { bytes in
            taken += bytes
            return bytes.count
          }
          output.hand()
        }
      }
      let found = (try? streamed.get()) == nil ? nil : taken
      require(found == (try? fast.get()), "inflate: expected the same bytes through a window")
    }
    _ = try fast.get()
  }

  /// Fails on purpose: a trap, a loop or memory, by the first byte.
  private static func fail(_ bytes: [UInt8]) throws {
    switch bytes.first {
    case 1: trap("a planted failure")
    case 200: while true { usleep(1000) }
    case 128: withExtendedLifetime([UInt8](repeating: 1, count: 512 << 20)) {}
    default: break
    }
  }
}
