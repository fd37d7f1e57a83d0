import Tensor

/// The settings that the name of an architecture of timm implies and no tensor shows.
struct TimmArchitecture {
  var heads: Int?
  var epsilon: Double?
  var activation: Activation?
  /// The pooling, where it is no consequence of the tensors.
  var pooling: GlobalPooling?
  /// The base of rotary positions.
  var rotaryBase: Double?
  /// The window of a Swin V2, and those of its pretraining.
  var window: Int?
  var pretrainedWindows: [Int]?
  /// True for models with SwiGLU.
  var gatesBySiLU = false

  /// The settings of an architecture by its name in timm 1.0, to which a dot and the name of weights may be added.
  init(_ name: String) {
    let name = name.prefix { $0 != "." }
    func has(_ parts: String...) -> Bool { parts.contains { name.contains($0) } }
    gatesBySiLU = has("giant_patch14_dinov2", "giant_patch14_reg")
    if has("quickgelu") { activation = .quickGELU }
    // SigLIP was trained with the approximation; timm 1.0.31 has it for these only.
    if has("so400m_patch16_siglip", "giantopt", "base_patch32_siglip") { activation = .geluTanh }
    if has("large_patch16_siglip_512", "large_patch16_siglip_gap_512") { activation = .geluTanh }
    if name.hasPrefix("test_convnext") { activation = .geluTanh }
    if has("_clip_", "convnext_xxlarge"), !has("eva02") { epsilon = 1e-5 }
    if name.hasPrefix("test_convnext") { epsilon = 1e-5 }
    // "window8_256" is a window; "window12to16_192to256" that of the pretraining and, after "to", the one in use.
    if name.hasPrefix("swinv2_"), let match = name.firstMatch(of: /window(\d+)(?:to(\d+))?/) {
      let (first, second) = (Int(match.output.1), match.output.2.flatMap { Int($0) })
      window = second ?? first
      // The last map of the pretraining, of 6 · 6 tokens, is smaller than a window.
      if second != nil, let first { pretrainedWindows = [first, first, first, first / 2] }
    }
    if has("_dinov3") {
      (epsilon, rotaryBase, pooling) = (1e-5, 100, .average)
      gatesBySiLU = has("_plus_", "vit_7b")
      if has("huge_plus") { heads = 20 }
      if has("vit_7b") { heads = 32 }
    }
    if has("giantopt") || name == "vit_base_patch16_gap_224" { heads = 16 }
    heads = heads ?? Self.tests[String(name)]
  }

  /// The tiny models of timm's own tests.
  private static let tests = ["test_vit": 2, "test_vit2": 2, "test_vit3": 3, "test_vit4": 3]

  /// timm's names of the activations that are supported.
  static let activations: [String: Activation] = [
    "gelu": .gelu, "gelu_tanh": .geluTanh, "gelu_erf": .gelu, "quick_gelu": .quickGELU, "quickgelu": .quickGELU,
  ]

  /// The families that are supported, by the first word of the names of their architectures; timm tests with tiny ones.
  private static let families = [
    "vit", "deit", "deit3", "flexivit", "beit", "beitv2", "eva", "swin", "swinv2", "convnext", "convnextv2",
  ]

  /// Parts of the names of architectures in these families whose networks differ, some in ways that their tensors do
  /// not show; then come those with convolutions before the first block, other relative positions, or other norms.
  private static let refused = [
    "rope", "eva02", "_rpn_", "vit_pe_", "lingbot", "sapiens", "_xp_", "naflex", "vit_dlittle", "vit_dwee",
    "vit_dpwee", "samvit", "test_convnext3", "_18x2", "swinv2_cr_", "_mci_", "_resnet", "relpos", "_r_s16_", "_r26_s32",
    "_r50_s", "_ols", "_zepto_rms", "intern300m",
  ]

  /// Refuses all architectures but these.
  static func check(_ name: String, _ keys: StatedKeys) throws(ConfigurationError) {
    let words = name.prefix { $0 != "." }.split(separator: "_").prefix(2)
    let family = words.first == "test" ? words.last.map { $0.prefix { !$0.isNumber } } : words.first
    let isKnown = family.map { families.contains(String($0)) } ?? false
    guard !isKnown || refused.contains(where: { name.contains($0) }) else { return }
    throw keys.error(
      "architecture",
      "an architecture that is supported (of timm: \(families.joined(separator: ", ")) with their usual networks, "
        + "dinov3 among them)")
  }
}
