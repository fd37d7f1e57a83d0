import Tensor

/// Settings that the shapes of a checkpoint do not determine, stated by its user or a `config.json`.
public struct BackboneHints: Sendable, Equatable {
  /// The height and width of an image, in pixels; positions of another size are resized.
  public var imageSize: Int?
  /// The number of attention heads of a vision transformer.
  public var heads: Int?
  /// ε of the layer norms; of a ConvNeXt, of the last one.
  public var epsilon: Double?
  /// The nonlinearity of the MLPs.
  public var activation: Activation?
  /// The pooling of a vision transformer's tokens.
  public var pooling: GlobalPooling?
  /// The resampling of positions; `nil` for that of the checkpoint's family.
  public var resampling: PositionResampling?
  /// The base of the periods of rotary positions (DINOv3); `nil` without these.
  package var rotaryBase: Double?
  /// The tokens along one side of the windows of a Swin V2.
  package var window: Int?
  /// The windows of the pretraining of a Swin V2, by stage; `nil` if they are those in use.
  package var pretrainedWindows: [Int]?
  /// True if the gate of a gated MLP is a SiLU, as timm's statement of the model says.
  package var gatesBySiLU = false
  /// The `model_type` of a Hugging Face `config.json`, by which modules are called.
  package var modelType: String?
  /// True if ε is that of all norms of a ConvNeXt, as in timm, not of the last one.
  package var isEpsilonOfAll = false
  /// True if timm fills images up to whole patches.
  package var padsImages = false
  /// A pooling that the file states where the library does not read it, by its name.
  package var unreadPooling: String?
  /// The origin of a setting: the file and key that state it, or the default of the library that wrote the file.
  package var origins: [Setting: SettingOrigin] = [:]

  /// The name of a setting.
  package enum Setting: String, Sendable, CaseIterable {
    case imageSize = "image size"
    case heads, activation, pooling, gate
    case epsilon = "ε"
    case window = "windows"
    case rotaryBase = "rotary positions"
  }

  /// The given settings and no others.
  public init(
    imageSize: Int? = nil, heads: Int? = nil, epsilon: Double? = nil, activation: Activation? = nil,
    pooling: GlobalPooling? = nil, resampling: PositionResampling? = nil
  ) {
    (self.imageSize, self.heads, self.epsilon, self.activation) = (imageSize, heads, epsilon, activation)
    (self.pooling, self.resampling) = (pooling, resampling)
  }

  /// These settings, completed by others where absent.
  package func filled(from others: BackboneHints) -> BackboneHints {
    var all = BackboneHints(
      imageSize: imageSize ?? others.imageSize, heads: heads ?? others.heads, epsilon: epsilon ?? others.epsilon,
      activation: activation ?? others.activation, pooling: pooling ?? others.pooling,
      resampling: resampling ?? others.resampling)
    (all.window, all.pretrainedWindows) = (window ?? others.window, pretrainedWindows ?? others.pretrainedWindows)
    all.rotaryBase = rotaryBase ?? others.rotaryBase
    all.modelType = modelType ?? others.modelType
    all.unreadPooling = unreadPooling ?? others.unreadPooling
    all.gatesBySiLU = gatesBySiLU || others.gatesBySiLU
    all.padsImages = padsImages || others.padsImages
    all.isEpsilonOfAll = epsilon == nil ? others.isEpsilonOfAll : isEpsilonOfAll
    for setting in Setting.allCases {
      // A library's default may be noted without a value.
      let isOthers = !states(setting) && (others.states(setting) || others.origins[setting] != nil)
      all.origins[setting] = isOthers ? others.origins[setting] : origins[setting]
    }
    return all
  }

  /// The origin of a setting; `nil` if neither a file nor the caller says anything about it.
  package func origin(_ setting: Setting) -> SettingOrigin? { origins[setting] ?? (states(setting) ? .caller : nil) }

  /// Returns whether a setting is stated.
  package func states(_ setting: Setting) -> Bool {
    switch setting {
    case .imageSize: imageSize != nil
    case .heads: heads != nil
    case .epsilon: epsilon != nil
    case .activation: activation != nil
    case .pooling: pooling != nil
    case .window: window != nil
    case .rotaryBase: rotaryBase != nil
    case .gate: gatesBySiLU
    }
  }
}

/// The pooling of a vision transformer's tokens, as configurations name it; whether the mean is normalised is seen from
/// the tensors.
public enum GlobalPooling: String, Sendable, CaseIterable {
  /// The class token, or the mean of it and the distillation token.
  case token
  /// The class token alone, even next to a distillation token.
  case classToken = "class"
  /// The mean over the patches.
  case average = "avg"
  /// Attention of a learned query.
  case attention = "map"
}

extension BackboneHints {
  /// A size that no model has, as sizes may come from a file: its key, expected and found.
  package var problem: (key: String, expected: String, found: Int)? {
    for (key, value) in [("heads", heads), ("imageSize", imageSize)] {
      if let value, !(1...65_536).contains(value) { return (key, "1 to 65536", value) }
    }
    return nil
  }
}
