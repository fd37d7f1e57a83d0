import Formats
import Foundation
import Tensor

extension PEFTAdapter {
  /// The files that PEFT reads in the folder of an adapter.
  static let (configurationName, weightsName) = ("adapter_config.json", "adapter_model.safetensors")

  /// Writes `adapter_config.json` and `adapter_model.safetensors` into a folder, which is made.
  ///
  /// - base: the path or name of the model, for whoever reads the folder.
  /// - Throws: `FileError` if a file cannot be written, `CocoaError` if the folder cannot be made.
  public func write(to folder: URL, base: String) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    for (module, tensors) in modules {
      writer.add("\(Self.prefix)\(module).lora_A.weight", tensors.a)
      writer.add("\(Self.prefix)\(module).lora_B.weight", tensors.b)
    }
    for (name, tensor) in head?.tensors ?? [:] { writer.add("\(Self.prefix)\(head?.path ?? "").\(name)", tensor) }
    try JSONContent.object(configuration(base: base)).write(to: folder.appendingPathComponent(Self.configurationName))
    try writer.write(to: folder.appendingPathComponent(Self.weightsName))
  }

  /// The path of the tuned model in PEFT's, which all names begin with.
  static let prefix = "base_model.model."

  private func configuration(base: String) -> [String: JSONContent] {
    let ranks = modules.mapValues(\.a.shape[0])
    let rank = ranks.values.min() ?? 1
    let others = ranks.filter { $0.value != rank }.mapValues { JSONContent.number($0) }
    var values: [String: JSONContent] = [
      "peft_type": .string("LORA"), "base_model_name_or_path": .string(base), "r": .number(rank),
      // W + lora_alpha / r · B A: our branches have no scale.
      "lora_alpha": .number(rank), "rank_pattern": .object(others), "alpha_pattern": .object(others),
      "target_modules": .list(ranks.keys.sorted().map { .string($0) }), "lora_dropout": .real(dropout),
      "bias": .string("none"), "fan_in_fan_out": .bool(false), "inference_mode": .bool(true),
    ]
    if let head { values["modules_to_save"] = .list([.string(head.path)]) }
    return values
  }
}
