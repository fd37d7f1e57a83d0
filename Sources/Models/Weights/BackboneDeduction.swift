import Tensor

/// The inference of a classifier's sizes: from tensor shapes, statements about what those leave open, and for what
/// nobody states the values of the published models of these shapes, or usual ones, which are then assumed.
struct BackboneDeduction {
  /// The library or the authors whose names the tensors have.
  enum Library: String { case timm, transformers, torchvision, authors }

  let shapes: CanonicalShapes
  let hints: BackboneHints
  let library: Library
  /// ε of the family.
  let epsilon: Double
  /// The name of the published model with these shapes, if there is one.
  var published: String?
  /// The origin of every setting that has been added.
  private(set) var origins = SettingOrigins()

  init(_ shapes: CanonicalShapes, _ hints: BackboneHints, _ library: Library = .timm, epsilon: Double = 1e-6) {
    (self.shapes, self.hints, self.library, self.epsilon) = (shapes, hints, library, epsilon)
  }

  /// Adds a setting with the origin that is stated, or else the given one.
  mutating func add(
    _ setting: BackboneHints.Setting, _ value: some CustomStringConvertible, _ unstated: SettingOrigin? = nil
  ) {
    origins.add(setting.rawValue, value, hints.origin(setting) ?? unstated ?? usual)
  }

  /// Adds a setting that no caller states.
  mutating func add(_ name: String, _ value: String, _ origin: SettingOrigin) { origins.add(name, value, origin) }

  /// The origin of a usual value.
  var usual: SettingOrigin {
    // Its classes leave no choice.
    if library == .torchvision { return .published("models of torchvision") }
    return published.map { .published($0) } ?? assumed("usual, but in no tensor")
  }

  /// The origin of a value that is in doubt, with the way out.
  func assumed(_ reason: String) -> SettingOrigin {
    let isOfTransformers = library == .transformers
    return assumed(
      reason,
      statedBy: isOfTransformers
        ? "hidden_act, layer_norm_eps, image_size" : "global_pool; act_layer, norm_eps, img_size in model_args")
  }

  /// The origin of a number of heads that is in doubt, with the way out.
  func assumedHeads(_ reason: String) -> SettingOrigin {
    assumed(reason, statedBy: library == .transformers ? "num_attention_heads" : "num_heads in model_args")
  }

  private func assumed(_ reason: String, statedBy keys: String) -> SettingOrigin {
    .assumed("\(reason); config.json in the folder of the weights can state it (\(keys))")
  }

  /// Refuses any other pooling than the mean of architectures that have no other.
  func requireMean() throws(ConfigurationError) {
    guard let pooling = hints.pooling, pooling != .average else { return }
    throw ConfigurationError(
      "\(hints.origin(.pooling) ?? .caller): expected avg, as nothing else is supported, found \(pooling.rawValue)")
  }

  /// The presence of a tensor, by its canonical name.
  func deduced(_ name: String) -> SettingOrigin { .deduced(tensor: shapes.stored(name)) }
}
