import Datasets
import Foundation
import Models

/// The preprocessing that a Hugging Face folder states: `image_processor` in `processor_config.json`, as version 5 of
/// transformers writes it, or else `preprocessor_config.json`.
struct ProcessorConfiguration {
  /// The preprocessing.
  let preprocessing: Preprocessing
  /// The file that states it.
  let fileName: String
  /// The origins of its numbers.
  let origins: SettingOrigins
  /// One for each key that is not known.
  let warnings: [String]

  private static let library = "transformers"

  /// Reads the file of a folder; `nil` if there is none.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  init?(in folder: URL) throws(ConfigurationError) {
    func file(_ name: String) -> URL? {
      let url = folder.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    if let nested = file("processor_config.json") {
      let keys = try StatedKeys(contentsOf: nested)
      keys.acknowledge(["processor_class", "tokenizer", "image_seq_length"])
      if let section = try keys.section("image_processor") {
        try self.init(section, unknownIn: keys)
        return
      }
    }
    guard let plain = file(Preprocessing.fileName) else { return nil }
    let keys = try StatedKeys(contentsOf: plain)
    try self.init(keys, unknownIn: keys)
  }

  /// Reads the keys of an image processor of CLIP; those that are absent or null have its defaults.
  init(_ keys: StatedKeys, unknownIn file: StatedKeys) throws(ConfigurationError) {
    try Self.requireCLIP(keys)
    try keys.require([
      "do_resize": true, "do_convert_rgb": true, "do_pad": false, "use_square_size": false,
      "do_flip_channel_order": false, "do_reduce_labels": false, "do_thumbnail": false,
    ])
    // Torchvision's layout and device, not the numbers.
    keys.acknowledge([
      "crop_pct", "data_format", "default_to_square", "device", "disable_grouping", "feature_extractor_type",
      "image_processor_type", "input_data_format", "pad_size", "processor_class", "return_tensors", "_processor_class",
      "_valid_processor_keys",
    ])
    let size = try keys.pixels("size", ["shortest_edge", "height", "width"]) ?? 224
    let isDirect = keys.isDirect("size")
    let crops = try keys.bool("do_center_crop") ?? true
    guard crops || isDirect else {
      throw keys.error("do_center_crop", "true, unless size states height and width", "false")
    }
    let crop = try (crops ? keys.pixels("crop_size", ["height", "width"]) : nil) ?? (isDirect ? size : min(size, 224))
    if !crops { keys.acknowledge(["crop_size"]) }
    guard crop <= size else { throw keys.error("crop_size", "at most size \(size)", "\(crop)") }
    guard !isDirect || crop == size else { throw keys.error("crop_size", "that of size, \(size)", "\(crop)") }
    let code = try keys.number("resample", in: 0...5) ?? 3
    // Pillow's codes for its filters.
    guard let resample = [2: Resample.bilinear, 3: Resample.bicubic][Int(code)], code == code.rounded() else {
      throw keys.error("resample", "2 (bilinear) or 3 (bicubic)")
    }
    let normalizes = try keys.bool("do_normalize") ?? true
    let mean = try keys.channels("image_mean", -10...10) ?? [0.48145466, 0.4578275, 0.40821073]
    let std = try keys.channels("image_std", 1e-3...10) ?? [0.26862954, 0.26130258, 0.27577711]
    let factor = try keys.number("rescale_factor", in: 1e-6...1) ?? 1 / 255
    let rescales = try keys.bool("do_rescale") ?? true
    do throws(PreprocessingError) {
      preprocessing = try Preprocessing(
        geometry: isDirect ? .direct(height: size, width: size) : .shortestEdge(size, crop: crop), resample: resample,
        mean: normalizes ? mean : [0, 0, 0], std: normalizes ? std : [1, 1, 1],
        rescale: rescales ? factor : 1)
    } catch { throw ConfigurationError("\(keys.location): \(error)") }
    fileName = keys.file
    var origins = SettingOrigins()
    func add(_ setting: String, _ value: String, _ key: String) {
      origins.add(setting, value, keys.origin(key, defaultOf: Self.library))
    }
    add("image mean", "\(preprocessing.mean)", normalizes ? "image_mean" : "do_normalize")
    add("image std", "\(preprocessing.std)", normalizes ? "image_std" : "do_normalize")
    add("image resize", isDirect ? "squash" : "shortest", "size")
    add("image interpolation", resample.rawValue, "resample")
    self.origins = origins
    warnings = file.unknown
  }

  /// Processors of other models have other defaults.
  private static func requireCLIP(_ keys: StatedKeys) throws(ConfigurationError) {
    for key in ["image_processor_type", "feature_extractor_type"] {
      guard let name = try keys.string(key) else { continue }
      guard name.hasPrefix("CLIPImageProcessor") || name == "CLIPFeatureExtractor" else {
        throw keys.error(key, "CLIPImageProcessor", "\"\(name)\"")
      }
    }
  }
}

extension Preprocessing {
  /// Reads `preprocessor_config.json` as Hugging Face's image processors write it, in its older form (`"size": 224`)
  /// and its newer ones (`"size": {"shortest_edge": 224}`; with `height` and `width`, the aspect ratio is not kept).
  ///
  /// Images are cropped as torchvision and OpenAI's CLIP crop them; Hugging Face's processor takes the pixel
  /// before when the margin is odd and its half rounds up.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  public init(contentsOf url: URL) throws(ConfigurationError) {
    let keys = try StatedKeys(contentsOf: url)
    self = try ProcessorConfiguration(keys, unknownIn: keys).preprocessing
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

  /// Returns whether a size states height and width, so that the aspect ratio is not kept.
  fileprivate func isDirect(_ key: String) -> Bool {
    switch value(key) {
    case .list: true
    case .object(let object): (object["shortest_edge"] ?? .null) == .null
    default: false
    }
  }
}
