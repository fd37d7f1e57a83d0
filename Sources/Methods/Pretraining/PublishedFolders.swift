import Datasets
import Formats
import Foundation
import Models
import Tensor

/// A trained CLIP as the directory that Hugging Face's `CLIPModel` and `CLIPProcessor` read.
enum HuggingFaceModel {
  /// Writes `config.json`, `model.safetensors` in half precision, `tokenizer_config.json` and
  /// `preprocessor_config.json`.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  static func write(_ model: CLIP, _ values: [Tensor], _ tokenizer: Tokenizer, to folder: URL) throws {
    try StoredWeights.write(values, of: model.parameters, .huggingFaceCLIP, to: folder)
    let configuration = model.configuration
    let size = configuration.vision.imageSize
    guard case .visionTransformer(let vision) = configuration.vision else {
      trap("HuggingFaceModel: expected a vision transformer, found a ResNet")
    }
    func section(_ type: String, _ size: TransformerConfiguration, _ more: [String: JSONContent]) -> JSONContent {
      .object(
        [
          "model_type": .string(type), "hidden_act": .string(size.activation.rawValue),
          "hidden_size": .number(size.width),
          "intermediate_size": .number(size.hiddenWidth), "num_hidden_layers": .number(size.blocks),
          "num_attention_heads": .number(size.heads), "layer_norm_eps": .real(size.epsilon),
          "projection_dim": .number(configuration.embedding),
        ].merging(more) { $1 })
    }
    let end = Int(tokenizer.endOfText)
    let text = section(
      "clip_text_model", configuration.text.transformer,
      [
        "vocab_size": .number(configuration.text.vocabulary),
        "max_position_embeddings": .number(configuration.text.contextLength),
        "bos_token_id": .number(Int(tokenizer.startOfText)), "eos_token_id": .number(end), "pad_token_id": .number(end),
      ])
    let image = section(
      "clip_vision_model", vision.transformer,
      ["image_size": .number(size), "patch_size": .number(vision.patchSize), "num_channels": .number(3)])
    try JSONContent.object([
      "architectures": .list([.string("CLIPModel")]), "model_type": .string("clip"),
      "projection_dim": .number(configuration.embedding), "torch_dtype": .string("float16"), "text_config": text,
      "vision_config": image,
    ]).write(to: folder.appendingPathComponent("config.json"))
    try JSONContent.object([
      "tokenizer_class": .string("CLIPTokenizer"), "bos_token": .string("<|startoftext|>"),
      "eos_token": .string("<|endoftext|>"), "pad_token": .string("<|endoftext|>"),
      "unk_token": .string("<|endoftext|>"), "model_max_length": .number(configuration.text.contextLength),
    ]).write(to: folder.appendingPathComponent("tokenizer_config.json"))
    let constants = try Preprocessing.clip(size: size)
    let side = JSONContent.object(["height": .number(size), "width": .number(size)])
    try JSONContent.object([
      "image_processor_type": .string("CLIPImageProcessor"), "do_resize": .bool(true), "do_center_crop": .bool(true),
      "do_normalize": .bool(true), "do_rescale": .bool(true), "do_convert_rgb": .bool(true), "resample": .number(3),
      "size": .object(["shortest_edge": .number(size)]), "crop_size": side,
      "image_mean": .list(constants.mean.map { .real($0) }), "image_std": .list(constants.std.map { .real($0) }),
    ]).write(to: folder.appendingPathComponent(Preprocessing.fileName))
  }
}

/// A trained vision transformer as the folder that timm's `create_model` with a local checkpoint, and its hub, read.
enum TimmModel {
  /// Writes `config.json` and `model.safetensors` in half precision.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  static func write(_ backbone: ImageBackbone, _ values: [Tensor], to folder: URL) throws {
    try StoredWeights.write(values, of: backbone.parameters, .timmVisionTransformer, to: folder)
    guard case .visionTransformer(let size) = backbone.configuration else {
      trap("TimmModel: expected a vision transformer, found a \(backbone.configuration.architecture)")
    }
    let constants = Normalization.imagenet.constants
    let side = JSONContent.number(size.imageSize)
    try JSONContent.object([
      "architecture": .string("vit_tiny_patch16_224"), "num_classes": .number(backbone.classes ?? 0),
      "num_features": .number(size.transformer.width),
      "model_args": .object([
        "img_size": side, "patch_size": .number(size.patchSize), "embed_dim": .number(size.transformer.width),
        "depth": .number(size.transformer.blocks), "num_heads": .number(size.transformer.heads),
      ]),
      "pretrained_cfg": .object([
        "input_size": .list([.number(3), side, side]), "mean": .list(constants.mean.map { .real($0) }),
        "std": .list(constants.std.map { .real($0) }), "interpolation": .string("bicubic"),
        "crop_pct": .number(1), "crop_mode": .string("squash"),
        "num_classes": .number(backbone.classes ?? 0), "first_conv": .string("patch_embed.proj"),
        "classifier": .string("head"),
      ]),
    ]).write(to: folder.appendingPathComponent("config.json"))
  }
}

/// Trained tensors under the names of a published layout.
private enum StoredWeights {
  /// Writes `model.safetensors`, every element rounded to half precision.
  static func write(_ values: [Tensor], of parameters: [Parameter], _ layout: WeightLayout, to folder: URL) throws {
    let sites = zip(parameters, values).map { (site: $0.site.name, value: $1) }
    let stored = layout.stored(sites) { name in
      // Where three tensors are stacked there is room for all of them; any other replaces the old one.
      guard
        let part = sites.first(where: {
          layout.location(of: $0.site).map { $0.name == name && $0.part != nil } ?? false
        })
      else { return Tensor(0) }
      return .zeros(Shape([3 * part.value.shape[0]] + part.value.shape.extents.dropFirst()))
    }
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    for (name, tensor) in stored { writer.add(name, tensor, as: .f16) }
    try writer.write(to: folder.appendingPathComponent("model.safetensors"))
  }
}
