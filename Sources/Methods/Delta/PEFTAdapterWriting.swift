import Formats
import Foundation
import Tensor

extension PEFTAdapter {
  /// The files that PEFT reads in the folder of an adapter.
  static let (configurationName, weightsName) = ("adapter_config.json", "adapter_model.safetensors")

  /// Writes `adapter_config.json`, `adapter_model.safetensors` and a `README.md`, a card with the code that loads them,
  /// into a folder, which is made. The names of the classes are in the metadata of the tensors' file.
  ///
  /// - base: the path or name of the model, for whoever reads the folder; origin: the run of its delta, if it is known.
  /// - Throws: `FileError` if the folder or a file cannot be written, or if something has its name.
  public func write(
    to folder: URL, base: String, origin: ModelCard.Origin? = nil, commands: CardCommands? = nil
  ) throws {
    let new = try AtomicFolder(folder)
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    if !classes.isEmpty { writer.metadata[Self.classesKey] = Self.json(classes) }
    for (module, tensors) in modules {
      writer.add("\(Self.prefix)\(module).lora_A.weight", tensors.a)
      writer.add("\(Self.prefix)\(module).lora_B.weight", tensors.b)
    }
    for path in headPaths {
      for (name, tensor) in head?.tensors ?? [:] { writer.add("\(Self.prefix)\(path).\(name)", tensor) }
    }
    try JSONContent.object(configuration(base: base)).write(to: new.url.appendingPathComponent(Self.configurationName))
    try writer.write(to: new.url.appendingPathComponent(Self.weightsName))
    let card = readme(base: base, origin, commands: commands)
    try AtomicFile.write(Array(card.utf8), to: new.url.appendingPathComponent("README.md"))
    try new.commit()
  }

  private var headPaths: [String] { [head?.path, otherHead].compactMap(\.self) }

  /// The key of the classes' names, a JSON list, in the metadata of the tensors' file.
  static let classesKey = "classes"

  private static func json(_ names: [String]) -> String {
    let data = try? JSONSerialization.data(withJSONObject: names, options: .withoutEscapingSlashes)
    return String(decoding: data ?? Data(), as: UTF8.self)
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
    if head != nil { values["modules_to_save"] = .list(headPaths.map { .string($0) }) }
    if let pythonClass {
      // By which PEFT's `AutoPeftModel` finds the class of the model.
      values["auto_mapping"] = .object([
        "base_model_class": .string(pythonClass), "parent_library": .string("transformers"),
      ])
    }
    return values
  }
}
