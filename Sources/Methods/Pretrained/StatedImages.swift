import Datasets
import Foundation
import Models

/// The preparation of images that the files next to a model's weights state: `pretrained_cfg` of timm's `config.json`,
/// or Hugging Face's `processor_config.json` or `preprocessor_config.json`.
struct StatedImages {
  /// The name of the file; `nil` if there is none.
  private(set) var file: String?
  /// The side of the result, where a file states one.
  private(set) var size: Int?
  private(set) var mean, std: [Double]?
  private(set) var resample: Resample?
  /// The factor of pixel values from 0 to 255.
  private(set) var rescale = 1.0 / 255
  /// The resizing.
  private(set) var geometry = Geometry.unstated
  /// The rounding of a crop's offset: that of the library whose file it is.
  private(set) var rounding = Preprocessing.CropRounding.halfToEven
  /// The origin of each setting that is stated, or left to the default of the library that wrote the file.
  private(set) var origins: [Setting: SettingOrigin] = [:]
  /// Warnings about keys that nothing has read.
  private(set) var warnings: [String] = []

  /// The settings, by name.
  enum Setting: String, CaseIterable {
    case mean = "image mean"
    case std = "image std"
    case resize = "image resize"
    case filter = "image interpolation"
    case rescale
  }

  /// The resizing of a file.
  enum Geometry: Equatable {
    case unstated
    /// To height and width.
    case direct
    /// The shorter side to the size divided by this share, rounded down, then a crop of the middle.
    case cropping(share: Double)
    /// The shorter side to so many pixels, then a crop of the middle.
    case shortestEdge(Int)
    /// Both sides to so many pixels, then a crop of the middle.
    case square(Int)
    /// A way that is not supported: the key, what was expected, and the value.
    case other(ConfigurationError)
  }

  /// Nothing stated.
  private init() {}

  /// Reads the statements next to a classifier's weights.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  init(nextTo url: URL, _ backbone: StatedBackbone) throws(ConfigurationError) {
    if let keys = try backbone.images() {
      try self.init(timm: keys)
    } else if let processor = try ImageProcessorFile(in: url) {
      try self.init(processor, of: backbone.modelType)
    } else {
      self.init()
    }
  }

  /// timm's: absent keys have the values of its `PretrainedCfg`.
  private init(timm keys: StatedKeys) throws(ConfigurationError) {
    func origin(_ key: String) -> SettingOrigin { keys.origin(key, defaultOf: "timm") }
    let own = Normalization.imagenet.constants
    file = keys.file
    mean = try keys.channels("mean", -10...10) ?? own.mean
    std = try keys.channels("std", 1e-3...10) ?? own.std
    let name = try keys.string("interpolation") ?? Resample.bicubic.rawValue
    guard let known = Resample(rawValue: name) else {
      throw keys.error(
        "interpolation",
        "one of \(Resample.allCases.map(\.rawValue).joined(separator: ", ")), as nothing else is supported")
    }
    resample = known
    let share = try keys.number("crop_pct", in: 0.01...1)
    geometry =
      switch (try keys.string("crop_mode") ?? "center", share ?? 0.875) {
      case ("center", let share): .cropping(share: share)
      case ("squash", 1): .direct
      default: .other(keys.error("crop_mode", "center, or squash with a crop_pct of 1, as nothing else is supported"))
      }
    origins = [
      .mean: origin("mean"), .std: origin("std"), .filter: origin("interpolation"),
      .resize: origin(share == nil && keys.has("crop_mode") ? "crop_mode" : "crop_pct"),
    ]
  }

  /// Hugging Face's: absent keys have the values of the processor that the file names, or else of that of the model.
  ///
  /// - model: its `model_type`.
  init(_ processor: ImageProcessorFile, of model: String?) throws(ConfigurationError) {
    let keys = processor.keys
    let standard = try processor.defaults(of: model)
    func origin(_ key: String) -> SettingOrigin { keys.origin(key, defaultOf: "transformers") }
    file = keys.file
    guard try keys.isOn("do_resize") ?? true else {
      throw keys.error("do_resize", "true, as nothing else is supported")
    }
    try keys.require([
      "do_pad": false, "rescale_offset": false, "use_square_size": false,
      "do_flip_channel_order": false, "do_thumbnail": false,
    ])
    keys.acknowledge(ImageProcessorFile.withoutEffect)
    let factor = try keys.number("rescale_factor", in: 1e-6...1) ?? 1 / 255
    let rescales = try keys.isOn("do_rescale") ?? true
    rescale = rescales ? factor : 1
    let normalizes = try keys.isOn("do_normalize") ?? true
    mean = try keys.channels("image_mean", -10...10) ?? standard?.mean
    std = try keys.channels("image_std", 1e-3...10) ?? standard?.std
    let code = try keys.number("resample", in: 0...5)
    // Pillow's codes for its filters.
    let filters: [Double: Resample] = [2: .bilinear, 3: .bicubic]
    resample = code.map { filters[$0] } ?? standard?.resample
    guard code == nil || resample != nil else { throw keys.error("resample", "2 (bilinear) or 3 (bicubic)") }
    if !normalizes { (mean, std) = ([0, 0, 0], [1, 1, 1]) }
    origins = [
      .mean: origin(normalizes ? "image_mean" : "do_normalize"),
      .std: origin(normalizes ? "image_std" : "do_normalize"), .filter: origin("resample"), .resize: origin("size"),
      .rescale: origin(rescales ? "rescale_factor" : "do_rescale"),
    ]
    (size, geometry) = try processor.geometry(standard)
    rounding = .down
    // Without defaults an absent key says nothing.
    if mean == nil { origins[.mean] = nil }
    if std == nil { origins[.std] = nil }
    if resample == nil { origins[.filter] = nil }
    if geometry == .unstated { origins[.resize] = nil }
    let deviation = try processor.deviation(of: model)
    warnings = processor.warnings + (deviation.map { [$0] } ?? [])
  }

  /// The origin of a setting in words, for messages.
  func name(of setting: Setting) -> String { origins[setting].map { "\($0)" } ?? setting.rawValue }
}

extension StatedImages {
  /// The preprocessing of a CLIP.
  ///
  /// - Throws: `ConfigurationError` for a resizing that is not supported, or values that no preparation has.
  func preprocessing() throws(ConfigurationError) -> Preprocessing {
    if case .other(let error) = geometry { throw error }
    guard let size, let mean, let std, let resample else {
      throw ConfigurationError("\(file ?? Preprocessing.fileName): expected size, mean, std and filter")
    }
    do throws(PreprocessingError) {
      let shape: Preprocessing.Geometry =
        switch geometry {
        case .shortestEdge(let edge): .shortestEdge(edge, crop: size, rounding: rounding)
        case .square(let edge): .square(edge, crop: size, rounding: rounding)
        default: .direct(height: size, width: size)
        }
      return try Preprocessing(geometry: shape, resample: resample, mean: mean, std: std, rescale: rescale)
    } catch { throw ConfigurationError("\(file ?? Preprocessing.fileName): \(error)") }
  }

  /// The settings of a classifier for images of a size, with their origins and warnings.
  ///
  /// - Throws: `ConfigurationError` for a resizing that is asked for and not supported.
  func settings(
    size: Int, _ request: ImageRequest
  ) throws(ConfigurationError) -> (settings: ImageSettings, origins: [Setting: SettingOrigin], warnings: [String]) {
    guard abs(rescale * 255 - 1) < 1e-6 else {
      throw ConfigurationError("\(name(of: .rescale)): expected 1/255, as nothing else is supported, found \(rescale)")
    }
    let constants = request.normalization?.constants
    let (own, known) = (Normalization.imagenet.constants, request.known)
    var settings = ImageSettings(
      mean: constants?.mean ?? known?.mean ?? mean ?? own.mean, std: constants?.std ?? known?.std ?? std ?? own.std,
      resample: known?.resample ?? (resample ?? .bicubic).rawValue, shortestEdge: known?.shortestEdge,
      squareEdge: known?.squareEdge, cropRounding: known?.cropRounding)
    var (notes, origins) = (warnings, origins)
    switch request.resizing ?? (known == nil ? nil : .direct) {
    case .checkpoint:
      try crop(&settings, to: size)
      origins[.resize] =
        origins[.resize] ?? .assumed("preprocessor_config.json in the folder of the weights can state a crop")
    case .direct?:
      if request.resizing != nil {
        (settings.shortestEdge, settings.squareEdge, settings.cropRounding) = (nil, nil, nil)
        origins[.resize] = .caller
      }
    case nil:
      if geometry != .direct {
        if geometry != .unstated, case .stated(let key)? = origins[.resize] {
          var cropped = settings
          let own = (try? crop(&cropped, to: size)).flatMap { _ in try? cropped.preprocessing(size: size).geometry.words
          }
          notes.append(
            "image resize: to \(size) × \(size) whatever the proportions, as in published runs on VTAB-1k; \(key) "
              + "states \(own ?? "a way that is not supported"), which a resizing as the checkpoint's follows")
        }
        origins[.resize] = .published("runs on VTAB-1k")
      }
    }
    let assumed = SettingOrigin.assumed(
      "usual with ImageNet; preprocessor_config.json in the folder of the weights can state image_mean, image_std and "
        + "resample")
    for setting in [Setting.mean, .std, .filter] {
      if constants != nil, setting != .filter {
        origins[setting] = .caller
      } else if known != nil {
        origins[setting] = .run
      } else {
        origins[setting] = origins[setting] ?? assumed
      }
    }
    if known != nil, request.resizing == nil { origins[.resize] = .run }
    return (settings, origins, notes)
  }

  /// Sets the resizing before a crop to the size of the model, if there is a crop.
  private func crop(_ settings: inout ImageSettings, to size: Int) throws(ConfigurationError) {
    (settings.shortestEdge, settings.squareEdge, settings.cropRounding) = (nil, nil, nil)
    switch geometry {
    case .direct, .unstated: return
    case .other(let error): throw error
    case .cropping(let share): settings.shortestEdge = Int(Double(size) / share)
    case .shortestEdge(let edge): settings.shortestEdge = edge
    case .square(let edge): settings.squareEdge = edge
    }
    if case .cropping = geometry {
    } else if self.size != size {
      throw ConfigurationError(
        "\(name(of: .resize)): expected a model of size \(self.size ?? 0), that of the crop, found \(size)")
    }
    if rounding != .halfToEven { settings.cropRounding = rounding }
  }
}

extension SettingOrigin {
  /// A setting that a run keeps.
  fileprivate static let run = SettingOrigin.stated("stated by the run")
}

extension SettingOrigins {
  /// Adds the preparation of images.
  mutating func add(_ images: Preprocessing, _ origin: (StatedImages.Setting) -> SettingOrigin?) {
    func add(_ setting: StatedImages.Setting, _ value: String) {
      self.add(setting.rawValue, value, origin(setting) ?? .caller)
    }
    add(.mean, "\(images.mean)")
    add(.std, "\(images.std)")
    add(.resize, images.geometry.words)
    add(.filter, images.resample.rawValue)
  }
}
