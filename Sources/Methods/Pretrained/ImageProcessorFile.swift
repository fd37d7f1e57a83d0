import Datasets
import Foundation
import Models

/// The image processor that a Hugging Face folder describes: `image_processor` in `processor_config.json`, as version 5
/// of transformers writes it, or else `preprocessor_config.json`.
struct ImageProcessorFile {
  /// The keys of the processor.
  let keys: StatedKeys
  private let whole: StatedKeys

  /// Finds the file of a folder; `nil` if there is none.
  ///
  /// - Throws: `ConfigurationError` for a file that cannot be read.
  init?(in folder: URL) throws(ConfigurationError) {
    func file(_ name: String) -> URL? {
      let url = folder.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    if let nested = file("processor_config.json") {
      let whole = try StatedKeys(contentsOf: nested)
      whole.acknowledge(["processor_class", "tokenizer", "image_seq_length"])
      if let section = try whole.section("image_processor") {
        self.init(section, in: whole)
        return
      }
    }
    guard let plain = file(Preprocessing.fileName) else { return nil }
    try self.init(contentsOf: plain)
  }

  /// Reads a file whose keys are those of the processor.
  init(contentsOf url: URL) throws(ConfigurationError) {
    let keys = try StatedKeys(contentsOf: url)
    self.init(keys, in: keys)
  }

  private init(_ keys: StatedKeys, in whole: StatedKeys) { (self.keys, self.whole) = (keys, whole) }

  /// A warning for each key that nothing has read.
  var warnings: [String] { whole.unknown }

  /// The defaults of a processor of transformers.
  struct Defaults {
    var mean = [0.5, 0.5, 0.5]
    var std = [0.5, 0.5, 0.5]
    var resample = Resample.bicubic
    var size = 224
    var crops = false
    var keepsProportions = false
    /// A size below which the middle is cropped, and from which on nothing is.
    var cropsBelow: Int?

    private static let imageNet = Normalization.imagenet.constants

    fileprivate static let clip = Defaults(
      mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711], crops: true,
      keepsProportions: true)

    /// By the first part of its class's name (transformers 5.24).
    fileprivate static let known: [String: Defaults] = [
      "ViT": Defaults(resample: .bilinear), "DeiT": Defaults(size: 256, crops: true), "Beit": Defaults(),
      "Siglip": Defaults(), "ConvNext": Defaults(size: 384, keepsProportions: true, cropsBelow: 384), "Bit": clip,
      "CLIP": clip, "DINOv3ViT": Defaults(mean: imageNet.mean, std: imageNet.std, resample: .bilinear),
    ]

    /// The processor of a `model_type` (`IMAGE_PROCESSOR_MAPPING_NAMES`).
    fileprivate static let ofModel = [
      "vit": "ViT", "vit_mae": "ViT", "vit_msn": "ViT", "swin": "ViT", "swinv2": "ViT", "deit": "DeiT", "beit": "Beit",
      "dinov2": "Bit", "dinov2_with_registers": "Bit", "dinov3_vit": "DINOv3ViT", "convnext": "ConvNext",
      "convnextv2": "ConvNext", "clip": "CLIP",
    ]
  }

  /// The first part of the name of the processor's class.
  private func type(_ model: String?) throws(ConfigurationError) -> String? {
    for key in ["image_processor_type", "feature_extractor_type"] {
      guard let name = try keys.string(key) else { continue }
      let ends = ["ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor"]
      let type = ends.first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) } ?? name
      guard model == "clip" ? type == "CLIP" : Defaults.known[type] != nil else {
        let known = model == "clip" ? ["CLIP"] : Defaults.known.keys.sorted()
        throw keys.error(key, known.map { "\($0)ImageProcessor" }.joined(separator: ", "), "\"\(name)\"")
      }
      return type
    }
    return model.flatMap { Defaults.ofModel[$0] }
  }

  /// The values of absent keys, where the file or the model says of which processor they are.
  ///
  /// - Throws: `ConfigurationError` for a processor of other models, which may do something else.
  func defaults(of model: String?) throws(ConfigurationError) -> Defaults? {
    try type(model).flatMap { Defaults.known[$0] }
  }

  /// What a processor of transformers does that is not done here, in words; `nil` for all but one.
  func deviation(of model: String?) throws(ConfigurationError) -> String? {
    guard try type(model) == "DINOv3ViT" else { return nil }
    return "\(whole.location): DINOv3ViTImageProcessor keeps fractions of pixel values when it resizes; here they are "
      + "rounded to whole numbers, as Pillow and the other processors do"
  }

  /// The side of the result, and the way to it.
  func geometry(_ standard: Defaults?) throws(ConfigurationError) -> (Int?, StatedImages.Geometry) {
    let isShortest =
      switch keys.value("size") {
      case .list: false
      case .object(let object): (object["shortest_edge"] ?? .null) != .null
      case .number: try keys.bool("default_to_square").map { !$0 } ?? standard?.keepsProportions ?? false
      default: standard?.keepsProportions ?? false
      }
    let share = try keys.number("crop_pct", in: 0.01...1) ?? 0.875
    let stated = try keys.pixels("size", ["shortest_edge", "height", "width"])
    let crops = try keys.isOn("do_center_crop") ?? standard?.crops ?? false
    if !crops { keys.acknowledge(["crop_size"]) }
    guard let size = stated ?? standard?.size else { return (nil, .unstated) }
    if let limit = standard?.cropsBelow { return (size, size < limit ? .cropping(share: share) : .direct) }
    guard crops || !isShortest else {
      return (size, .other(keys.error("do_center_crop", "true, unless size states height and width")))
    }
    let crop = try crops ? keys.pixels("crop_size", ["height", "width"]) ?? min(size, 224) : size
    guard crop <= size else { throw keys.error("crop_size", "at most size \(size)", "\(crop)") }
    if isShortest { return (crop, .shortestEdge(size)) }
    return (crop, crop == size ? .direct : .square(size))
  }

  /// Torchvision's layout and device, and what is done to label maps.
  static let withoutEffect = [
    "_processor_class", "_valid_processor_keys", "auto_map", "data_format", "default_to_square", "device",
    "disable_grouping", "do_convert_rgb", "do_reduce_labels", "feature_extractor_type", "image_processor_type",
    "image_seq_length", "input_data_format", "pad_size", "processor_class", "return_tensors",
  ]
}

extension Preprocessing {
  /// Reads `preprocessor_config.json` as Hugging Face's image processors write it, in its older form (`"size": 224`)
  /// and its newer ones (`"size": {"shortest_edge": 224}`; with `height` and `width`, the aspect ratio is not kept).
  ///
  /// The offset of a crop is rounded down, as these processors do it.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  public init(contentsOf url: URL) throws(ConfigurationError) {
    self = try StatedImages(ImageProcessorFile(contentsOf: url), of: "clip").preprocessing()
  }
}

extension StatedKeys {
  /// A size in pixels: a whole number, a list of equal ones, or an object whose given keys all hold the same one.
  fileprivate func pixels(_ key: String, _ members: [String]) throws(ConfigurationError) -> Int? {
    guard let value = value(key) else { return nil }
    let numbers: [Double]
    switch value {
    case .number(let number): numbers = [number]
    case .list: numbers = value.numbers.flatMap { $0.count == 2 ? $0 : nil } ?? []
    case .object(let object):
      let known = Set(members)
      numbers =
        object.contains { $0.value != .null && !known.contains($0.key) }
        ? [] : object.values.compactMap { if case .number(let number) = $0 { number } else { nil } }
    default: numbers = []
    }
    guard Set(numbers).count == 1, let extent = Int(exactly: numbers[0]), (1...8192).contains(extent) else {
      throw error(key, "one whole number of pixels from 1 to 8192")
    }
    return extent
  }
}
