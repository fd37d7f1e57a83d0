/// All methods by name: the one list that a new method joins.
public enum MethodList {
  /// The encoder halves.
  package static let encoders: [any EncoderMethod] = {
    let families: [[any EncoderMethod]] = [
      [FrozenMethod()], MaskTuningMethod.all, SensitivityMethod.all, SiteMethod.all, [ScaleAndShiftMethod()],
      VisualPromptMethod.all, [ParallelAdapterMethod()],
      [InputAdapterMethod()], FactorMethod.all, [ConvolutionalBypassMethod()],
      [ProjectionMethod()], [CLIPLoRAMethod()],
      [NeuronSelectionMethod()], [SparseUpdatesMethod()],
      [TwoStageMethod()],
    ]
    return families.flatMap(\.self)
  }()

  /// The heads.
  package static let heads: [any HeadMethod] = [
    ZeroShotMethod(), TaskResMethod(), LinearMethod(), LinearProbeMethod(), GaussianMethod(), CacheMethod.fixed,
    CacheMethod.trained, FeatureAdapterMethod(), BlendMethod(), PrototypeMethod(),
    ContextMethod(), ConditionalContextMethod(),
  ]

  /// The types of the settings that belong to a method.
  static let settings: [any MethodSettings.Type] = [
    MaskTuningSettings.self, SensitivitySettings.self, BranchSettings.self, PartialSettings.self, TaskResSettings.self,
    GaussianSettings.self, CacheSettings.self, FeatureAdapterSettings.self, LinearProbeSettings.self,
    VisualPromptSettings.self, ParallelAdapterSettings.self, ContextSettings.self,
    InputAdapterSettings.self, FactorSettings.self, ConvolutionalBypassSettings.self,
    ProjectionSettings.self, CLIPLoRASettings.self,
    NeuronSelectionSettings.self, ConditionalContextSettings.self,
    TwoStageSettings.self,
  ]

  /// What the methods' deltas hold.
  static let deltaParts: [any DeltaPart.Type] = [
    MaskDelta.self, SiteDelta.self, ScaleAndShiftDelta.self, VisualPromptDelta.self, ParallelAdapterDelta.self,
    TaskResDelta.self, GaussianDelta.self, CacheDelta.self, FeatureAdapterDelta.self, BlendDelta.self,
    FactorDelta.self, InputAdapterDelta.self, TextRowDelta.self,
    ConvolutionalBypassDelta.self, PrototypeDelta.self, ContextDelta.self, ConditionalContextDelta.self,
    LinearHeadDelta.self,
  ]

  /// The checkpoints of the methods' authors that hold deltas.
  static let publishedDeltas: [any PublishedDelta.Type] = [MaskCheckpoint.self]

  /// Every option of a method, each once, in the order of the methods.
  package static let options: [MethodOption] = {
    var seen: Set<String> = []
    return (encoders.flatMap(\.options) + heads.flatMap(\.options)).filter { seen.insert($0.name).inserted }
  }()

  /// The names of all halves that train something.
  public static var names: [String] {
    encoders.filter(\.isTrained).map(\.name) + heads.filter(\.isTrained).map(\.name)
  }

  /// Every pair of halves that learns something and whose halves go together with their published settings.
  package static var pairs: [MethodName] {
    encoders.flatMap { encoder in heads.map { MethodName(encoder, $0) } }
      .filter { $0.isTrained && $0.publishedRefusal == nil }
  }

  /// The names of the methods that read an option.
  package static func readers(of option: String) -> [String] {
    encoders.filter { $0.options.contains { $0.name == option } }.map(\.name)
      + heads.filter { $0.options.contains { $0.name == option } }.map(\.name)
  }
}
