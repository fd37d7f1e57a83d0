import Formats
import Foundation
import Tensor

/// The files of a CLIP: a folder, or one weight file and what lies next to it.
///
/// A folder may hold the same model twice, as LAION's do: Hugging Face's names with `config.json`, and open_clip's with
/// `open_clip_config.json`. Hugging Face's is then read, once it is certain that the two agree.
struct CLIPFiles {
  let folder: URL
  /// The weight file that the user named; `nil` for a folder.
  let file: URL?
  /// `config.json`, if there is one that describes a CLIP.
  let huggingFace: HuggingFaceConfiguration?
  /// The reason why it cannot be followed, where it may be about something else.
  private let configError: ConfigurationError?
  /// `open_clip_config.json`, if there is one.
  let openCLIP: OpenCLIPConfiguration?

  static let configName = "config.json"
  private static let huggingFaceWeights = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
  ]
  private static let openCLIPWeights = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]

  /// Reads the configurations.
  ///
  /// - Throws: `ConfigurationError` for a path without a CLIP, and for a configuration that cannot be followed.
  init(_ url: URL) throws(ConfigurationError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
      throw ConfigurationError("\(url.path): expected a directory with a CLIP checkpoint, found none")
    }
    folder = isDirectory.boolValue ? url : url.deletingLastPathComponent()
    file = isDirectory.boolValue ? nil : url
    let config = folder.appendingPathComponent(Self.configName)
    let hasConfig = FileManager.default.fileExists(atPath: config.path)
    openCLIP = try OpenCLIPConfiguration(in: folder)
    do {
      huggingFace = hasConfig ? try HuggingFaceConfiguration(contentsOf: config) : nil
      configError = nil
    } catch {
      guard file != nil || openCLIP != nil else { throw error }
      (huggingFace, configError) = (nil, error)
    }
  }

  /// The configuration of weights with Hugging Face's names.
  ///
  /// - Throws: `ConfigurationError` if there is none.
  func requireHuggingFace() throws(ConfigurationError) -> HuggingFaceConfiguration {
    if let configError { throw configError }
    if let huggingFace { return huggingFace }
    return try HuggingFaceConfiguration(contentsOf: folder.appendingPathComponent(Self.configName))
  }

  /// Opens the weights.
  func weights() throws -> PretrainedWeights {
    if let file { return try PretrainedWeights(contentsOf: file) }
    guard huggingFace != nil else {
      // Next to them may lie the image tower alone.
      let first = openCLIP == nil ? [] : Self.openCLIPWeights
      return try PretrainedWeights(contentsOf: folder, preferred: first + PretrainedWeights.preferred)
    }
    return try PretrainedWeights(contentsOf: folder, preferred: Self.huggingFaceWeights + PretrainedWeights.preferred)
  }

  /// True for a folder with a CLIP in the files of open_clip: configuration and weights.
  var holdsOpenCLIP: Bool { file == nil && openCLIP != nil && Self.openCLIPWeights.contains { exists($0) } }

  /// The weights of another model than the CLIP of open_clip in the same folder, which `config.json` describes: of
  /// timm's image tower, as in its repositories; `nil` without.
  var tower: String? {
    guard holdsOpenCLIP, huggingFace == nil, StatedBackbone.isStated(in: folder) else { return nil }
    return Self.huggingFaceWeights.first { exists($0) }
  }

  /// Refuses a folder whose two models contradict each other: the one that is read, and open_clip's or Hugging Face's.
  ///
  /// - Throws: `ConfigurationError` naming both files, and the key or the tensor.
  func requireAgreement(
    _ configuration: CLIPConfiguration, _ family: CLIPNames.Family, _ source: any TensorSource
  ) throws(ConfigurationError) {
    guard file == nil, let huggingFace, let openCLIP else { return }
    let other = family == .openAI ? huggingFace.configuration : configuration
    try openCLIP.requireAgreement(with: other)
    let names = family == .openAI ? Self.huggingFaceWeights : Self.openCLIPWeights
    guard let name = names.first(where: { exists($0) }), name != URL(fileURLWithPath: source.label).lastPathComponent,
      let second = try? PretrainedWeights(contentsOf: folder.appendingPathComponent(name)),
      let found = try CLIPNames.of(second), found.family != family
    else { return }
    let pairs = Self.samples.map { family == .openAI ? ($0.openCLIP, $0.huggingFace) : ($0.huggingFace, $0.openCLIP) }
    let stripped = found.stripped(second)
    for (mine, theirs) in pairs {
      guard let a = try? source.tensor(mine), let b = try? stripped.tensor(theirs), a.count == b.count,
        !zip(a.values, b.values).allSatisfy({ abs($0 - $1) <= 0.01 * max(abs($0), 0.1) })
      else { continue }
      throw ConfigurationError(
        "\(source.label): tensor \"\(mine)\": expected the values of \"\(theirs)\" in \(name), found others: "
          + "the folder holds two models; \(Self.wayOut)")
    }
  }

  static let wayOut = "give the path of the weight file that is meant"

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// Small tensors that both layouts store alike.
  private static let samples: [(openCLIP: String, huggingFace: String)] = [
    ("logit_scale", "logit_scale"), ("ln_final.weight", "text_model.final_layer_norm.weight"),
    ("visual.class_embedding", "vision_model.embeddings.class_embedding"),
    ("positional_embedding", "text_model.embeddings.position_embedding.weight"),
  ]
}

extension OpenCLIPConfiguration {
  /// Refuses a `config.json` that describes another model than this file.
  ///
  /// - Throws: `ConfigurationError` naming both files and the key.
  func requireAgreement(with other: CLIPConfiguration) throws(ConfigurationError) {
    func agree(
      _ keys: StatedKeys?, _ key: String, _ own: some CustomStringConvertible, _ other: some CustomStringConvertible
    ) throws(ConfigurationError) {
      guard let keys, "\(own)" != "\(other)" else { return }
      throw keys.error(
        key, "\(other), as \(CLIPFiles.configName) has it", "\(own): two different models; \(CLIPFiles.wayOut)")
    }
    try agree(model, "embed_dim", try model.extent("embed_dim") ?? other.embedding, other.embedding)
    if let vision, case .visionTransformer(let size) = other.vision, !(vision.value("layers")?.numbers != nil) {
      let own = try vision.extent("width") ?? 768
      try agree(vision, "width", own, size.transformer.width)
      try agree(vision, "layers", try vision.extent("layers") ?? 12, size.transformer.blocks)
      try agree(vision, "patch_size", try vision.side("patch_size") ?? 16, size.patchSize)
      try agree(vision, "image_size", try vision.side("image_size") ?? 224, size.imageSize)
      let hidden = Int(Double(own) * (try vision.number("mlp_ratio", in: 0.01...100) ?? 4))
      try agree(vision, "mlp_ratio", hidden, size.transformer.hiddenWidth)
      try agree(vision, "head_width", own / (try vision.extent("head_width") ?? 64), size.transformer.heads)
      try agree(model, "quick_gelu", try activation(vision).0.rawValue, size.transformer.activation.rawValue)
      try agree(vision, "norm_kwargs", try epsilon(vision).0, size.transformer.epsilon)
      try agree(vision, "pool_type", try visionForm().0.pooling.rawValue, size.form.pooling.rawValue)
      try agree(vision, "ls_init_value", vision.value("ls_init_value") != nil, size.transformer.form.hasLayerScale)
      try agree(vision, "no_ln_pre", try !visionForm().0.hasPreNorm, !size.form.hasPreNorm)
    }
    if let text {
      let size = other.text
      let own = try text.extent("width") ?? 512
      try agree(text, "width", own, size.transformer.width)
      let hidden = Int(Double(own) * (try text.number("mlp_ratio", in: 0.01...100) ?? 4))
      try agree(text, "mlp_ratio", hidden, size.transformer.hiddenWidth)
      try agree(text, "vocab_size", try text.extent("vocab_size") ?? 49408, size.vocabulary)
      try agree(text, "layers", try text.extent("layers") ?? 12, size.transformer.blocks)
      try agree(text, "ls_init_value", text.value("ls_init_value") != nil, size.transformer.form.hasLayerScale)
      try agree(text, "heads", try text.extent("heads") ?? 8, size.transformer.heads)
      try agree(text, "context_length", try text.extent("context_length") ?? 77, size.contextLength)
      try agree(model, "quick_gelu", try activation(text).0.rawValue, size.transformer.activation.rawValue)
      try agree(text, "norm_kwargs", try epsilon(text).0, size.transformer.epsilon)
      try agree(text, "no_causal_mask", try !textForm().0.isCausal, !size.form.isCausal)
    }
  }
}
