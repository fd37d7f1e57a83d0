/// The `preprocess_cfg` of an `open_clip_config.json`: what is done with an image before the model sees it.
///
/// The size is that of the model, whatever `size` says (open_clip, `create_model`).
package struct OpenCLIPPreprocessing: Sendable, Equatable {
  /// The way an image becomes a square.
  package enum ResizeMode: String, Sendable, CaseIterable {
    /// The shorter side to the size, then the middle.
    case shortest
    /// The longer side to the size, then borders of the fill colour.
    case longest
    /// Both sides to the size.
    case squash
  }

  /// Means and divisors of the channels.
  package let mean, std: [Double]
  /// True for bilinear interpolation, false for bicubic.
  package let isBilinear: Bool
  /// The way to the size.
  package let mode: ResizeMode
  /// The value of every channel of a border, 0 to 255.
  package let fill: Int
  /// The origins of these.
  package let origins: SettingOrigins

  /// Reads the section; null or no value is open_clip's default, that of CLIP's published models.
  ///
  /// - Throws: `ConfigurationError` naming the key.
  init(_ keys: StatedKeys?, in model: StatedKeys) throws(ConfigurationError) {
    mean = try keys?.channels("mean", -10...10) ?? [0.48145466, 0.4578275, 0.40821073]
    std = try keys?.channels("std", 1e-3...10) ?? [0.26862954, 0.26130258, 0.27577711]
    // "random" is for training; open_clip then evaluates with bicubic.
    let filter = try keys?.string("interpolation") ?? "bicubic"
    guard ["bicubic", "bilinear", "random"].contains(filter) else {
      throw (keys ?? model).error("interpolation", "bicubic, bilinear or random", "\"\(filter)\"")
    }
    isBilinear = filter == "bilinear"
    let name = try keys?.string("resize_mode") ?? ResizeMode.shortest.rawValue
    guard let mode = ResizeMode(rawValue: name) else {
      throw (keys ?? model).error("resize_mode", "shortest, longest or squash", "\"\(name)\"")
    }
    self.mode = mode
    let fill = try keys?.number("fill_color", in: 0...255) ?? 0
    guard fill == fill.rounded() else { throw (keys ?? model).error("fill_color", "a whole number from 0 to 255") }
    self.fill = Int(fill)
    try keys?.require(["mode": "RGB"])
    keys?.acknowledge(["size"])
    var origins = SettingOrigins()
    func add(_ setting: String, _ value: String, _ key: String) {
      let standard = SettingOrigin.standard(
        library: OpenCLIPConfiguration.library, key: "\(OpenCLIPConfiguration.fileName): preprocess_cfg.\(key)")
      origins.add(setting, value, keys?.origin(key, defaultOf: OpenCLIPConfiguration.library) ?? standard)
    }
    add("image mean", "\(mean)", "mean")
    add("image std", "\(std)", "std")
    add("image resize", name, "resize_mode")
    add("image interpolation", isBilinear ? "bilinear" : "bicubic", "interpolation")
    self.origins = origins
  }
}

extension StatedKeys {
  /// A number for each of three channels, or one for all of them.
  package func channels(_ key: String, _ range: ClosedRange<Double>) throws(ConfigurationError) -> [Double]? {
    if case .number? = value(key) {
      return try number(key, in: range).map { [$0, $0, $0] }
    }
    return try numbers(key, count: 3, in: range)
  }
}
