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
      Option("--delta", "PATH", "delta of a run, or folder of a PEFT adapter"),
      Option(
        "--peft", "DIR",
        "new folder for adapter_config.json, adapter_model.safetensors and a card: the low-rank branches and a linear "
          + "head"),
      Option(
        "--transformers", "4|5", "version whose names for the modules of a ViT or Swin the adapter has (default 5)"),
      Option("--ramt", "FILE", "new PyTorch checkpoint of the masks, as R-AMT's authors save it: model.pth.tar-30"),
      Option(
        "--merged", "PATH",
        "all weights under the model's own names and types: a new .safetensors file, or else a new folder that opens "
          + "as the model's does, with config.json, tokenizer and preprocessing"),
      forceOption, jsonOption,
    ] + hintOptions

  /// The output of `--json`.
  struct Listing: Encodable {
    /// An adapter, a checkpoint of masks, or merged weights.
    struct Item: Encodable {
      let path: String
      /// Modules, masks, or tensors.
      let count: Int
      /// Of merged weights: those that the delta changed.
      var changed: Int?
      /// Tensors that the form cannot hold.
      var leftOut: [String] = []
    }

    var peft, ramt, merged: Item?
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    [["--model"], ["--delta"]]
  }
  static let examples = [
    Example(
      "frugal export --model clip --delta runs/a/delta.safetensors --merged tuned",
      "a folder that opens as the model's does"),
    Example(
      "frugal export --model vit --delta runs/a/delta.safetensors --peft adapter",
      "an adapter for PEFT"),
  ]

  static func run(_ arguments: Arguments) throws {
    let flags = ["--peft", "--ramt", "--merged"]
    guard flags.contains(where: arguments.has) else {
      throw UsageError("\(flags.joined(separator: ", ")): expected one of them or more, found none")
    }
    for flag in flags {
      if let path = arguments.string(flag), FileManager.default.fileExists(atPath: path) {
        throw UsageError(flag, expected: "a new path", found: "\(path), which exists")
      }
    }
    let version = try arguments.choice("--transformers", of: TransformersVersion.self)
    guard version == nil || arguments.has("--peft") else {
      throw UsageError("--transformers", expected: "--peft with it", found: "none")
    }
    let (modelPath, deltaPath) = (try arguments.required("--model"), try arguments.required("--delta"))
    let (model, delta) = try DeltaSource(arguments, modelPath: modelPath, folder: nil, needsNames: false)
      .read(deltaPath)
    // All are made before any is written.
    let adapter = try arguments.string("--peft").map { _ in
      try PEFTAdapter(delta, layout: model.layout, version: version ?? .five)
    }
    let masks = try arguments.string("--ramt").map { _ in try MaskCheckpoint(delta, of: model) }
    let merged = try arguments.string("--merged").map { _ in try MergedWeights(delta, of: model) }
    var listing = Listing()
    let says = arguments.has("--json") ? { _ in } : { print($0) }
    if let adapter, let path = arguments.string("--peft") {
      let run = RunFolder(URL(fileURLWithPath: deltaPath).deletingLastPathComponent())
      listing.peft = try write(adapter, to: path, base: modelPath, run.origin(of: delta.description), says)
    }
    if let masks, let path = arguments.string("--ramt") {
      try masks.write(to: URL(fileURLWithPath: path))
      says("\(path): \(plural(masks.count, "mask"))")
      report(leftOut: masks.leftOut, "such a checkpoint")
      listing.ramt = Listing.Item(path: path, count: masks.count, leftOut: masks.leftOut)
    }
    if let merged, let path = arguments.string("--merged") {
      listing.merged = try write(merged, delta, of: model, at: modelPath, to: path, says)
    }
    if arguments.has("--json") { try printJSON(listing) }
  }

  private static func write(
    _ adapter: PEFTAdapter, to path: String, base: String, _ origin: ModelCard.Origin?, _ says: (String) -> Void
  ) throws -> Listing.Item {
    try adapter.write(to: URL(fileURLWithPath: path), base: base, origin: origin, commands: .frugal)
    let head = adapter.head.map { " and a head of \($0.tensors["weight"]?.shape[0] ?? 0) classes, \($0.path)" }
    says("\(path): \(plural(adapter.modules.count, "module"))\(head ?? "")")
    report(leftOut: adapter.leftOut, "a low-rank PEFT adapter")
    return Listing.Item(path: path, count: adapter.modules.count, leftOut: adapter.leftOut)
  }

  private static func write(
    _ merged: MergedWeights, _ delta: Delta, of model: any PretrainedModel, at modelPath: String, to path: String,
    _ says: (String) -> Void
  ) throws -> Listing.Item {
    let url = URL(fileURLWithPath: path)
    var files = ""
    if path.lowercased().hasSuffix(".safetensors") {
      try merged.write(to: url)
      let stated = URL(fileURLWithPath: modelPath).appendingPathComponent("config.json").path
      if delta.hasLinearHead, model.clip == nil, FileManager.default.fileExists(atPath: stated) {
        note("note: the model's config.json has the classes of its old head; a folder gets one with the new ones")
      }
    } else {
      let names = try merged.write(
        toFolder: url, likeThatOf: URL(fileURLWithPath: modelPath), delta, of: model)
      files = " in \(names.joined(separator: ", "))"
    }
    says("\(path): \(plural(merged.count, "tensor")), \(merged.changedCount) of them changed\(files)")
    if !merged.roundedTo.isEmpty {
      let types = merged.roundedTo.map(\.rawValue).joined(separator: " and ")
      note("note: changed tensors are rounded to \(types), the type of the model's weights")
    }
    return Listing.Item(path: path, count: merged.count, changed: merged.changedCount)
  }

  private static func report(leftOut: [String], _ holder: String) {
    guard !leftOut.isEmpty else { return }
    let shown = leftOut.prefix(3).joined(separator: ", ") + (leftOut.count > 3 ? ", …" : "")
    note("not exported, as \(holder) cannot hold them: \(plural(leftOut.count, "tensor")) (\(shown))")
  }
}

/// 1 → "1 tensor", 2 → "2 tensors"
func plural(_ count: Int, _ one: String, _ several: String? = nil) -> String {
  "\(grouped(count)) \(count == 1 ? one : several ?? "\(one)s")"
}
