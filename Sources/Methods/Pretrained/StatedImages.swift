import Datasets
import Foundation
import Models

/// The preparation of images that a classifier's files state: `pretrained_cfg` of timm, or Hugging Face's
/// `preprocessor_config.json`.
struct StatedImages {
  /// The side of the result, where a file states one.
  private(set) var size: Int?
  private(set) var mean, std: [Double]?
  private(set) var resample: Resample?
  /// The resizing.
  private(set) var geometry = Geometry.unstated
  /// The file and key of each setting.
  private(set) var origins: [String: String] = [:]
  /// Warnings about keys that nothing has read.
  private(set) var warnings: [String] = []

  /// The resizing of a file.
  enum Geometry: Equatable {
    case unstated
    /// To height and width.
    case direct
    /// The shorter side to the size divided by this share, rounded down, then a crop of the middle.
    case cropping(share: Double)
    /// The shorter side to so many pixels, then a crop of the middle.
    case shortestEdge(Int)
    /// A way that is not supported: the key, what was expected, and the value.
    case other(ConfigurationError)
  }

  /// Nothing stated.
  private init() {}

  /// Reads the statements next to a model's weights.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  init(nextTo url: URL, _ backbone: StatedBackbone) throws(ConfigurationError) {
    let file = url.appendingPathComponent(Preprocessing.fileName)
    if let keys = try backbone.images() {
      try self.init(timm: keys)
    } else if FileManager.default.fileExists(atPath: file.path) {
      try self.init(huggingFace: StatedKeys(contentsOf: file))
    } else {
      self.init()
    }
  }

  /// timm's: absent keys have the values of timm's `DEFAULT_CROP_PCT` and of its evaluation.
  private init(timm keys: StatedKeys) throws(ConfigurationError) {
    try readConstants(keys, "mean", "std")
    if let name = try keys.string("interpolation") {
      guard let known = Resample(rawValue: name) else {
        throw keys.error(
          "interpolation",
          "one of \(Resample.allCases.map(\.rawValue).joined(separator: ", ")), as nothing else is supported")
      }
      resample = known
      origins["resample"] = keys.name(of: "interpolation")
    }
    let share = try keys.number("crop_pct", in: 0.01...1)
    let mode = try keys.string("crop_mode")
    guard share != nil || mode != nil else { return }
    origins["resize"] = keys.name(of: share == nil ? "crop_mode" : "crop_pct")
    geometry =
      switch (mode ?? "center", share ?? 0.875) {
      case ("center", let share): .cropping(share: share)
      case ("squash", 1): .direct
      default: .other(keys.error("crop_mode", "center, or squash with a crop_pct of 1, as nothing else is supported"))
      }
  }

  /// Hugging Face's: absent keys have the values of the processor.
  private init(huggingFace keys: StatedKeys) throws(ConfigurationError) {
    let (processor, extractor) = (try keys.string("image_processor_type"), try keys.string("feature_extractor_type"))
    let type = ["ImageProcessorFast", "ImageProcessor", "FeatureExtractor"].reduce(processor ?? extractor ?? "") {
      $0.replacing($1, with: "")
    }
    let standard = Processor.known[type] ?? Processor()
    try keys.require(["do_resize": true, "do_rescale": true, "rescale_offset": false, "do_pad": false])
    keys.acknowledge([
      "do_convert_rgb", "do_reduce_labels", "processor_class", "auto_map", "_processor_class", "data_format",
      "input_data_format", "device", "return_tensors", "default_to_square", "disable_grouping", "image_seq_length",
      "feature_extractor_type", "image_processor_type", "_valid_processor_keys", "pad_size",
    ])
    if let factor = try keys.number("rescale_factor", in: 0...1), abs(factor * 255 - 1) > 1e-6 {
      throw keys.error("rescale_factor", "1/255, as nothing else is supported")
    }
    try readConstants(keys, "image_mean", "image_std")
    if try keys.bool("do_normalize") == false {
      (mean, std) = ([0, 0, 0], [1, 1, 1])
      (origins["mean"], origins["std"]) = (keys.name(of: "do_normalize"), keys.name(of: "do_normalize"))
    }
    func absent(_ key: String) -> String { "\(keys.name(of: key)), absent: transformers' default" }
    if mean == nil { (mean, origins["mean"]) = (standard.mean, absent("image_mean")) }
    if std == nil { (std, origins["std"]) = (standard.std, absent("image_std")) }
    let code = try keys.number("resample", in: 0...5)
    // Pillow's codes for its filters.
    guard let filter = code.map({ [2: Resample.bilinear, 3: .bicubic][$0] }) ?? standard.resample else {
      throw keys.error("resample", "2 (bilinear) or 3 (bicubic), as nothing else is supported")
    }
    (resample, origins["resample"]) = (filter, code == nil ? absent("resample") : keys.name(of: "resample"))
    try readSize(keys, standard, type)
    warnings = keys.unknown
  }

  private mutating func readConstants(
    _ keys: StatedKeys, _ meanKey: String, _ stdKey: String
  ) throws(ConfigurationError) {
    mean = try keys.numbers(meanKey, count: 3, in: -10...10)
    if mean != nil { origins["mean"] = keys.name(of: meanKey) }
    std = try keys.numbers(stdKey, count: 3, in: 1e-3...10)
    if std != nil { origins["std"] = keys.name(of: stdKey) }
  }

  private mutating func readSize(
    _ keys: StatedKeys, _ standard: Processor, _ type: String
  ) throws(ConfigurationError) {
    let (edge, isShortest) =
      try Self.size(keys, "size", isShortest: standard.keepsProportions) ?? (standard.size, standard.keepsProportions)
    let crops = try keys.bool("do_center_crop") ?? standard.crops
    let crop = try Self.size(keys, "crop_size", isShortest: false)?.0 ?? standard.crop
    let share = try keys.number("crop_pct", in: 0.01...1) ?? 0.875
    origins["resize"] = keys.name(of: "size") + (keys.has("size") ? "" : ", absent: transformers' default")
    if type == "ConvNext" {
      // Below 384 a crop, from there on none (`ConvNextImageProcessor.resize`).
      (size, geometry) = (edge, edge < 384 ? .cropping(share: share) : .direct)
    } else if isShortest {
      size = crops ? crop : edge
      geometry =
        crops
        ? .shortestEdge(edge)
        : .other(
          keys.error("do_center_crop", "true with a shortest edge, as only square images are supported", "false"))
    } else {
      size = crops ? crop : edge
      geometry =
        !crops || crop == edge
        ? .direct : .other(keys.error("crop_size", "that of size, \(edge), as nothing else is supported", "\(crop)"))
    }
  }

  /// One number of pixels, and whether it is that of the shorter side: a number, or an object of equal ones.
  private static func size(
    _ keys: StatedKeys, _ key: String, isShortest: Bool
  ) throws(ConfigurationError) -> (Int, isShortest: Bool)? {
    guard case .object = keys.value(key) else { return try keys.extent(key).map { ($0, isShortest) } }
    guard let object = try keys.section(key) else { return nil }
    if let edge = try object.extent("shortest_edge") { return (edge, true) }
    let (height, width) = (try object.extent("height"), try object.extent("width"))
    guard let height, height == width else {
      throw keys.error(key, "one size, as only square images are supported")
    }
    return (height, false)
  }

  /// The defaults of a processor of transformers.
  private struct Processor {
    var mean = [0.5, 0.5, 0.5]
    var std = [0.5, 0.5, 0.5]
    var resample = Resample.bicubic
    var size = 224
    var crop = 224
    var crops = false
    var keepsProportions = false

    private static let imageNet = (mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

    /// By the first part of its class's name.
    static let known: [String: Processor] = [
      "ViT": Processor(resample: .bilinear), "DeiT": Processor(size: 256, crops: true), "Beit": Processor(),
      "ConvNext": Processor(size: 384, keepsProportions: true),
      "Bit": Processor(
        mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711], crops: true,
        keepsProportions: true),
      "DINOv3ViT": Processor(mean: imageNet.mean, std: imageNet.std, resample: .bilinear),
    ]
  }
}

extension StatedImages {
  /// The settings for a model of an image size, with the origin of each and warnings.
  ///
  /// - Throws: `ConfigurationError` for a resizing that is asked for and not supported.
  func settings(
    size: Int, _ request: ImageRequest
  ) throws(ConfigurationError) -> (settings: ImageSettings, origins: [BackboneOrigin], warnings: [String]) {
    let constants = request.normalization?.constants
    let (own, known) = (Normalization.imagenet.constants, request.known)
    var settings = ImageSettings(
      mean: constants?.mean ?? known?.mean ?? mean ?? own.mean, std: constants?.std ?? known?.std ?? std ?? own.std,
      resample: known?.resample ?? (resample ?? .bicubic).rawValue, shortestEdge: known?.shortestEdge)
    var notes = warnings
    var resize = known == nil ? "assumed: that of published runs on VTAB-1k" : "stated by the run"
    switch request.resizing ?? (known == nil ? nil : .direct) {
    case .checkpoint:
      settings.shortestEdge = try shortestEdge(size)
      resize = origins["resize"] ?? "assumed: the files state no resizing"
    case .direct:
      if request.resizing != nil { (settings.shortestEdge, resize) = (nil, "stated by the caller") }
    case nil:
      if ![.direct, .unstated].contains(geometry), let origin = origins["resize"] {
        notes.append(
          "\(origin): images are resized to \(size) × \(size) without a crop, as on VTAB-1k, unless the resizing "
            + "of the checkpoint is asked for")
      }
      if geometry == .direct { resize = origins["resize"] ?? resize }
    }
    func origin(_ key: String) -> String {
      if constants != nil, key != "resample" { return "stated by the caller" }
      if known != nil { return "stated by the run" }
      return origins[key] ?? (key == "resample" ? "assumed: the files state none" : "assumed: ImageNet's constants")
    }
    let shown = settings.shortestEdge.map { "shorter side to \($0), centre crop \(size)" } ?? "\(size) × \(size)"
    return (
      settings,
      [
        BackboneOrigin(setting: "mean", value: "\(settings.mean)", origin: origin("mean")),
        BackboneOrigin(setting: "std", value: "\(settings.std)", origin: origin("std")),
        BackboneOrigin(setting: "resize", value: shown, origin: resize),
        BackboneOrigin(setting: "filter", value: settings.resample, origin: origin("resample")),
      ], notes
    )
  }

  /// True if a file states anything about images.
  var isStated: Bool { !origins.isEmpty }

  /// The length of the shorter side before a crop to the size of the model; `nil` without a crop.
  private func shortestEdge(_ size: Int) throws(ConfigurationError) -> Int? {
    switch geometry {
    case .direct, .unstated: return nil
    case .cropping(let share): return Int(Double(size) / share)
    case .shortestEdge(let edge):
      guard self.size == size else {
        throw ConfigurationError(
          "\(origins["resize"] ?? ""): expected a model of size \(self.size ?? 0), that of the crop, found \(size)"
        )
      }
      return edge
    case .other(let error): throw error
    }
  }
}
