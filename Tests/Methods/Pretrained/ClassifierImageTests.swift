import Checks
import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The preparation of images that a classifier's files state: obeyed, refused by key, or said.
@Suite struct ClassifierImageTests {
  private let folder: TemporaryFolder

  /// A ViT in timm's names for images of 8 pixels.
  init() throws {
    folder = try TemporaryFolder()
    var numbers = CheckNumbers(seed: 1)
    var writer = SafeTensorsWriter()
    func add(_ name: String, _ shape: Shape) { writer.add(name, numbers.next(shape, scale: 0.5), as: .f32) }
    for (name, shape) in [
      ("cls_token", [1, 1, 64]), ("pos_embed", [1, 5, 64]), ("patch_embed.proj.weight", [64, 3, 4, 4]),
      ("patch_embed.proj.bias", [64]), ("blocks.0.norm1.weight", [64]), ("blocks.0.norm1.bias", [64]),
      ("blocks.0.attn.qkv.weight", [192, 64]), ("blocks.0.attn.qkv.bias", [192]),
      ("blocks.0.attn.proj.weight", [64, 64]), ("blocks.0.attn.proj.bias", [64]), ("blocks.0.norm2.weight", [64]),
      ("blocks.0.norm2.bias", [64]), ("blocks.0.mlp.fc1.weight", [8, 64]), ("blocks.0.mlp.fc1.bias", [8]),
      ("blocks.0.mlp.fc2.weight", [64, 8]), ("blocks.0.mlp.fc2.bias", [64]), ("norm.weight", [64]),
      ("norm.bias", [64]),
    ] as [(String, Shape)] { add(name, shape) }
    try writer.write(to: try folder.file("model.safetensors"))
  }

  private func read(
    _ text: String, _ name: String = "config.json", _ request: ImageRequest = ImageRequest()
  ) throws -> PretrainedClassifier {
    try folder.write(text, to: name)
    return try PretrainedClassifier(contentsOf: folder.url, request)
  }

  @Test func withoutFilesTheConstantsAreImageNets() throws {
    let model = try PretrainedClassifier(contentsOf: folder.url)
    #expect(model.images == nil && model.preprocessing.mean == [0.485, 0.456, 0.406])
    #expect(model.preprocessing.geometry == .direct(height: 8, width: 8) && model.preprocessing.resample == .bicubic)
    let text =
      "image mean, image std, image interpolation: assumed [0.485, 0.456, 0.406]; [0.229, 0.224, 0.225]; bicubic: "
    #expect(model.warnings.contains { $0.hasPrefix(text) && $0.contains("image_mean, image_std and resample") })
    let told = try PretrainedClassifier(contentsOf: folder.url, ImageRequest(normalization: .imagenet))
    #expect(told.origins["image mean"]?.origin == .caller)
    #expect(told.warnings.contains { $0.hasPrefix("image interpolation: assumed bicubic: ") })
  }

  /// Whether images were cropped decides what a classifier's own head says of them.
  @Test func aResizingThatNobodyStatesIsSaid() throws {
    let model = try PretrainedClassifier(contentsOf: folder.url, ImageRequest(resizing: .checkpoint))
    #expect(model.warnings.contains { $0.hasPrefix("image resize: assumed resize to 8 × 8: ") })
    // timm's own default is a crop.
    let timm = try read(#"{"architecture": "vit_small"}"#, "config.json", ImageRequest(resizing: .checkpoint))
    #expect(timm.preprocessing.geometry == .shortestEdge(9, crop: 8))
    #expect(
      timm.origins["image resize"]?.origin
        == .standard(library: "timm", key: "config.json: crop_pct"))
  }

  private static let timm =
    #"{"architecture": "vit", "model_args": {"num_heads": 1}, "pretrained_cfg": {"input_size": [3, 8, 8], "#
    + #""mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 0.5], "interpolation": "bilinear", "crop_pct": 0.7, "#
    + #""crop_mode": "center"}}"#

  @Test func timmsConfigurationIsObeyed() throws {
    let model = try read(Self.timm)
    #expect(model.preprocessing.mean == [0.5, 0.5, 0.5] && model.preprocessing.std == [0.25, 0.5, 0.5])
    #expect(model.preprocessing.resample == .bilinear)
    #expect(model.preprocessing.geometry == .direct(height: 8, width: 8))
    #expect(
      model.warnings == [
        "image resize: to 8 × 8 whatever the proportions, as in published runs on VTAB-1k; config.json: "
          + "pretrained_cfg.crop_pct states shorter side to 11, centre crop 8, which a resizing as the checkpoint's "
          + "follows"
      ])
    let filter = model.origins["image interpolation"]
    #expect(filter?.value == "bilinear" && filter?.origin == .stated("config.json: pretrained_cfg.interpolation"))
    // ⌊8 / 0.7⌋, as timm calculates it.
    let cropped = try read(Self.timm, "config.json", ImageRequest(resizing: .checkpoint))
    #expect(cropped.preprocessing.geometry == .shortestEdge(11, crop: 8) && cropped.warnings.isEmpty)
    let stated = try read(Self.timm, "config.json", ImageRequest(normalization: .imagenet, resizing: .direct))
    #expect(stated.preprocessing.mean == [0.485, 0.456, 0.406] && stated.warnings.isEmpty)
  }

  /// What a run used holds for its delta, whatever lies next to the weights later.
  @Test func theSettingsOfARunPrecedeThoseOfTheFiles() throws {
    let used = try #require(try read(Self.timm, "config.json", ImageRequest(resizing: .checkpoint)).images)
    #expect(
      used == ImageSettings(mean: [0.5, 0.5, 0.5], std: [0.25, 0.5, 0.5], resample: "bilinear", shortestEdge: 11))
    let later = try PretrainedClassifier(
      contentsOf: folder.url.appendingPathComponent("model.safetensors"), ImageRequest().known(used))
    #expect(later.images == used && later.preprocessing.geometry == .shortestEdge(11, crop: 8))
    #expect(later.preprocessing.mean == [0.5, 0.5, 0.5] && later.preprocessing.resample == .bilinear)
    let data = try JSONEncoder().encode(used)
    #expect(try JSONDecoder().decode(ImageSettings.self, from: data) == used)
  }

  @Test(arguments: [
    (#"{"image_processor_type": "ViTImageProcessor"}"#, [0.5, 0.5, 0.5], Resample.bilinear, 224),
    (#"{"image_processor_type": "ViTImageProcessorFast", "size": 8}"#, [0.5, 0.5, 0.5], .bilinear, 8),
    (
      #"{"feature_extractor_type": "ConvNextFeatureExtractor", "size": {"shortest_edge": 8}, "resample": 3, "#
        + #""image_mean": [0.4, 0.5, 0.6]}"#, [0.4, 0.5, 0.6], .bicubic, 8
    ),
    (#"{"do_normalize": false, "size": {"height": 8, "width": 8}}"#, [0, 0, 0], .bicubic, 8),
  ]) func huggingFacesProcessorIsObeyed(_ text: String, mean: [Double], filter: Resample, size: Int) throws {
    let model = try read(text, Preprocessing.fileName)
    #expect(model.preprocessing.mean == mean && model.preprocessing.resample == filter)
    #expect(model.preprocessing.geometry == .direct(height: size, width: size))
  }

  /// DINOv3's processor resizes fractions, which is not done here.
  @Test func whatAProcessorDoesOtherwiseIsSaid() throws {
    func warnings(_ type: String) throws -> [String] {
      try read(#"{"image_processor_type": "\#(type)", "size": 8}"#, Preprocessing.fileName).warnings
    }
    let words = "DINOv3ViTImageProcessor keeps fractions of pixel values when it resizes"
    #expect(try warnings("DINOv3ViTImageProcessorFast").contains { $0.contains(words) })
    #expect(try !warnings("ViTImageProcessorFast").contains { $0.contains("fractions") })
  }

  @Test func aProcessorsCropIsFollowedWhenAskedFor() throws {
    let bit =
      #"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 10}, "#
      + #""crop_size": {"height": 8, "width": 8}}"#
    let cropped = try read(bit, Preprocessing.fileName, ImageRequest(resizing: .checkpoint))
    #expect(cropped.preprocessing.geometry == .shortestEdge(10, crop: 8, rounding: .down))
    // Both sides to 10, then the middle; the offset of a crop is rounded down, as in that library.
    let deit = #"{"image_processor_type": "DeiTImageProcessor", "size": 10, "crop_size": 8}"#
    let told = try read(deit, Preprocessing.fileName)
    #expect(told.preprocessing.geometry == .direct(height: 8, width: 8))
    #expect(told.warnings.contains { $0.contains("json: size states resize to 10 × 10, centre crop 8, ") })
    let followed = try read(deit, Preprocessing.fileName, ImageRequest(resizing: .checkpoint))
    #expect(followed.preprocessing.geometry == .square(10, crop: 8, rounding: .down))
    let kept = try PretrainedClassifier(contentsOf: folder.url, ImageRequest().known(followed.images))
    #expect(kept.preprocessing.geometry == followed.preprocessing.geometry)
  }

  @Test(arguments: [
    (
      "config.json", #"{"architecture": "vit", "pretrained_cfg": {"interpolation": "lanczos"}}"#,
      "interpolation: expected one of bilinear, bicubic"
    ),
    (
      "config.json", #"{"architecture": "vit", "pretrained_cfg": {"mean": [1, 2]}}"#,
      "pretrained_cfg.mean: expected 3 numbers"
    ),
    (
      "config.json", #"{"architecture": "vit", "pretrained_cfg": {"crop_pct": 2}}"#,
      "pretrained_cfg.crop_pct: expected a number"
    ),
    ("preprocessor_config.json", #"{"do_resize": false}"#, "do_resize: expected true, as nothing else is supported"),
    ("preprocessor_config.json", #"{"resample": 1}"#, "resample: expected 2 (bilinear) or 3 (bicubic)"),
    ("preprocessor_config.json", #"{"rescale_factor": 1}"#, "rescale_factor: expected 1/255"),
    ("preprocessor_config.json", #"{"size": {"height": 8, "width": 4}}"#, "size: expected one whole number of pixels"),
  ]) func whatIsNotSupportedIsRefusedByItsKey(_ name: String, _ text: String, _ message: String) throws {
    let error = #expect(throws: ConfigurationError.self) { try read(text, name) }
    #expect(error?.description.contains("\(name): ") == true && error?.description.contains(message) == true)
  }

  @Test func imagesOfAnotherSizeThanTheModelsAreRefused() throws {
    try folder.write(#"{"model_type": "vit", "num_attention_heads": 2, "image_size": 8}"#, to: "config.json")
    let error = #expect(throws: ConfigurationError.self) {
      try read(#"{"image_processor_type": "ViTImageProcessor", "size": 16}"#, Preprocessing.fileName)
    }
    #expect(
      error?.description.hasSuffix(
        "preprocessor_config.json: size: expected images of the model's size 8 (config.json: image_size), found 16")
        == true)
  }

  @Test func unknownKeysOfAProcessorAreNamed() throws {
    #expect(
      try read(#"{"size": 8, "novel": true}"#, Preprocessing.fileName).warnings.contains {
        $0.hasSuffix("/preprocessor_config.json: novel: unknown key, ignored")
      })
  }

  /// The model's own processor gives defaults to a file that does not name one; without either nothing does.
  @Test func absentKeysHaveTheDefaultsOfTheModelsProcessor() throws {
    let assumed = try read(#"{"size": 8}"#, Preprocessing.fileName)
    #expect(assumed.preprocessing.mean == [0.485, 0.456, 0.406])
    #expect(assumed.origins.warnings.contains { $0.hasPrefix("image mean") })
    try folder.write(#"{"model_type": "vit", "num_attention_heads": 1, "image_size": 8}"#, to: "config.json")
    let model = try read(#"{"size": 8}"#, Preprocessing.fileName)
    #expect(model.preprocessing.mean == [0.5, 0.5, 0.5] && model.preprocessing.resample == .bilinear)
    #expect(!model.origins.warnings.contains { $0.hasPrefix("image") }, "\(model.origins.warnings)")
    let error = #expect(throws: ConfigurationError.self) {
      try read(#"{"image_processor_type": "LevitImageProcessor"}"#, Preprocessing.fileName)
    }
    #expect(error?.description.contains("image_processor_type: expected BeitImageProcessor, Bit") == true)
  }
}
