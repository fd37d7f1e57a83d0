import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal export`: a delta as a PEFT adapter, as a checkpoint of R-AMT's authors, or merged into full weights.
enum ExportCommand: Command {
  static let name = "export"
  static let summary = "a delta as a PEFT adapter, as R-AMT's authors save masks, or merged into full weights"
  static let operands = ""
  static let options =
    [
      Option("--model", "PATH", "the model of the delta"),
      Option("--delta", "FILE", "delta of a run"),
      Option(
        "--peft", "DIR", "new folder for adapter_config.json and adapter_model.safetensors: the low-rank branches"),
      Option("--ramt", "FILE", "new PyTorch checkpoint of the masks, as R-AMT's authors save it: model.pth.tar-30"),
      Option("--merged", "FILE", "new safetensors file with all weights, under the model's own names"),
    ] + hintOptions

  static func run(_ arguments: Arguments) throws {
    try arguments.requireNoOperands()
    let flags = ["--peft", "--ramt", "--merged"]
    guard flags.contains(where: arguments.has) else {
      throw UsageError("\(flags.joined(separator: ", ")): expected one of them or more, found none")
    }
    for flag in flags {
      if let path = arguments.string(flag), FileManager.default.fileExists(atPath: path) {
        throw UsageError(flag, expected: "a new path", found: "\(path), which exists")
      }
    }
    let (modelPath, deltaPath) = (try arguments.required("--model"), try arguments.required("--delta"))
    let known = try Delta.description(of: URL(fileURLWithPath: deltaPath))
    let model = try load(model: modelPath, hints: arguments.hints(known.hints))
    let delta = try Delta(contentsOf: URL(fileURLWithPath: deltaPath), for: model)
    // All are made before any is written.
    let adapter = try arguments.string("--peft").map { _ in try PEFTAdapter(delta, layout: model.layout) }
    let masks = try arguments.string("--ramt").map { _ in try MaskCheckpoint(delta, of: model) }
    let merged = try arguments.string("--merged").map { _ in try delta.merged(into: model.tower.parameters) }
    if let adapter, let path = arguments.string("--peft") { try write(adapter, to: path, base: modelPath) }
    if let masks, let path = arguments.string("--ramt") {
      try masks.write(to: URL(fileURLWithPath: path))
      print("\(path): \(masks.count) masks")
      if !masks.leftOut.isEmpty {
        note(
          "not exported, as such a checkpoint cannot hold them: \(masks.leftOut.count) "
            + "\(masks.leftOut.count == 1 ? "tensor" : "tensors") (\(masks.leftOut.prefix(3).joined(separator: ", ")))")
      }
    }
    if let merged, let path = arguments.string("--merged") { try write(merged, of: model, to: path) }
  }

  /// `adapter_config.json` of PEFT.
  private struct Configuration: Encodable {
    let baseModel: String
    let rank: Int
    let ranks: [String: Int]
    let modules: [String]
    let dropout: Double

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: Key.self)
      try values.encode("LORA", forKey: .init("peft_type"))
      try values.encode(baseModel, forKey: .init("base_model_name_or_path"))
      try values.encode(rank, forKey: .init("r"))
      // W + lora_alpha / r · B A: our branches have no scale.
      try values.encode(rank, forKey: .init("lora_alpha"))
      try values.encode(ranks, forKey: .init("rank_pattern"))
      try values.encode(ranks, forKey: .init("alpha_pattern"))
      try values.encode(modules, forKey: .init("target_modules"))
      try values.encode(dropout, forKey: .init("lora_dropout"))
      try values.encode("none", forKey: .init("bias"))
      try values.encode(false, forKey: .init("fan_in_fan_out"))
      try values.encode(true, forKey: .init("inference_mode"))
      try values.encodeNil(forKey: .init("task_type"))
    }

    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ name: String) { stringValue = name }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }

  private static func write(_ adapter: PEFTAdapter, to path: String, base: String) throws {
    let folder = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    for (module, tensors) in adapter.modules {
      writer.add("base_model.model.\(module).lora_A.weight", tensors.a)
      writer.add("base_model.model.\(module).lora_B.weight", tensors.b)
    }
    let ranks = adapter.modules.mapValues(\.a.shape[0])
    let rank = ranks.values.min() ?? 1
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    let json = try encoder.encode(
      Configuration(
        baseModel: base, rank: rank, ranks: ranks.filter { $0.value != rank }, modules: ranks.keys.sorted(),
        dropout: adapter.dropout))
    try AtomicFile.write(Array(json) + [10], to: folder.appendingPathComponent("adapter_config.json"))
    try writer.write(to: folder.appendingPathComponent("adapter_model.safetensors"))
    print("\(path): \(adapter.modules.count) modules")
    if !adapter.leftOut.isEmpty {
      note(
        "not exported, as a low-rank PEFT adapter cannot hold them: \(adapter.leftOut.count) tensors "
          + "(\(adapter.leftOut.prefix(3).joined(separator: ", "))…); --merged writes all")
    }
  }

  private static func write(
    _ merged: [(site: String, value: Tensor)], of model: any PretrainedModel, to path: String
  ) throws {
    let weights = model.weights
    let known = Set(weights.names)
    // A head the checkpoint does not have is stored under its own name.
    let strangers = merged.filter { entry in
      model.layout.location(of: entry.site).map { !known.contains($0.name) } ?? true
    }
    let inside = merged.filter { entry in !strangers.contains { $0.site == entry.site } }
    let replaced = try model.layout.stored(inside) { try weights.tensor($0) }
    // In the layout's name and form where it has one for a head; no added tensor is stacked with others.
    let added = model.layout.stored(strangers) { _ in Tensor(0) }
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    for name in weights.names { writer.add(name, try replaced[name] ?? weights.tensor(name)) }
    for (name, value) in added.sorted(by: { $0.key < $1.key }) { writer.add(name, value) }
    for stranger in strangers where model.layout.location(of: stranger.site) == nil {
      writer.add(stranger.site == "head" ? "head.weight" : stranger.site, stranger.value)
    }
    try writer.write(to: URL(fileURLWithPath: path))
    print(
      "\(path): \(weights.names.count + strangers.count) tensors, \(replaced.count + strangers.count) of them changed")
  }
}
