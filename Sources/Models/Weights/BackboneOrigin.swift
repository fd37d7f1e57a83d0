import Tensor

/// A setting of a classifier that its numbers depend on, and where it came from.
public struct BackboneOrigin: Sendable, Equatable {
  /// The name of the setting: `heads`.
  public let setting: String
  /// Its value, as text.
  public let value: String
  /// The file and key that state it, the tensor it was inferred from, or "assumed" with the reason.
  public let origin: String

  /// A setting by its parts.
  package init(setting: String, value: String, origin: String) {
    (self.setting, self.value, self.origin) = (setting, value, origin)
  }

  /// The settings of a checkpoint of a known family.
  static func all(
    of configuration: ImageConfiguration, _ hints: BackboneHints, _ shapes: CanonicalShapes, _ format: BackboneFormat
  ) -> [BackboneOrigin] {
    func stated(_ setting: BackboneHints.Setting) -> String? {
      hints.states(setting) ? hints.origins[setting] ?? "stated by the caller" : nil
    }
    func tensor(_ name: String) -> String { "inferred from \"\(shapes.stored(name))\"" }
    func made(_ activation: Activation, _ epsilon: Double, _ image: Int, from tensor: String) -> [BackboneOrigin] {
      [
        BackboneOrigin(setting: "image size", value: "\(image)", origin: stated(.imageSize) ?? tensor),
        BackboneOrigin(
          setting: "activation", value: activation.rawValue,
          origin: stated(.activation) ?? "assumed: that of the family"),
        BackboneOrigin(setting: "ε", value: "\(epsilon)", origin: stated(.epsilon) ?? "assumed: that of the family"),
      ]
    }
    switch configuration {
    case .visionTransformer(let size):
      let transformer = size.transformer
      let stored = (try? VisionConfiguration.storedHeads(transformer.width, shapes)) ?? nil
      let usual =
        VisionConfiguration.publishedHeads[transformer.width] == nil
        ? "assumed: head width 64" : "assumed: that of published models of width \(transformer.width)"
      let heads =
        stored.map { tensor($0.tensor) } ?? stated(.heads)
        ?? (format.mark == "embedding/kernel" ? "inferred from the extents of the attention's kernels" : usual)
      let positions = size.form.positions == .none ? "vision.blocks.0.attention.positionBias" : "vision.positions"
      let rotary = size.form.rotary.map { periods in
        BackboneOrigin(
          setting: "rotary positions", value: periods.words,
          origin: periods == .stored
            ? tensor("vision.rotaryPeriods") : stated(.rotaryBase) ?? "assumed: that of published models")
      }
      return [
        BackboneOrigin(setting: "heads", value: "\(transformer.heads)", origin: heads),
        BackboneOrigin(
          setting: "pooling", value: size.form.pooling.words,
          origin: stated(.pooling) ?? pooling(size, tensor)),
      ] + [rotary].compactMap(\.self)
        + made(
          transformer.activation, transformer.epsilon, size.imageSize,
          from: rotary == nil ? tensor(positions) : "assumed: that of most published models")
    case .swin(let size):
      let table = SwinConfiguration.headsTensor(isSecondVersion: size.isSecondVersion, stage: 1)
      return [
        BackboneOrigin(
          setting: "heads", value: size.heads.map { "\($0)" }.joined(separator: ", "), origin: tensor(table)),
        BackboneOrigin(
          setting: "windows", value: size.windowWords,
          origin: (size.isSecondVersion ? stated(.window) : nil) ?? tensor(table)),
      ] + made(size.activation, size.epsilon, size.imageSize, from: "assumed: the last map is one window")
    case .convNeXt(let size):
      return made(size.activation, size.finalEpsilon, size.imageSize, from: "assumed: that of most published models")
    case .resNet: return []
    }
  }

  private static func pooling(_ size: VisionConfiguration, _ tensor: (String) -> String) -> String {
    switch size.form.pooling {
    case .attention: tensor("vision.attentionPool.latent")
    case .normalizedMean: tensor("vision.pooledNorm.scale")
    case .classAndDistillation: tensor("vision.distillationToken")
    case .classToken: "assumed: pooling leaves no trace in the tensors"
    case .meanOfNormalized:
      "inferred from the absence of \(tensor("vision.classToken").dropFirst("inferred from ".count))"
    }
  }
}

extension RotaryPeriods {
  /// The periods in words.
  package var words: String {
    switch self {
    case .powers(let base): "periods to the base \(Int(exactly: base).map(String.init) ?? "\(base)")"
    case .stored: "stored periods"
    }
  }
}

extension SwinConfiguration {
  /// The window, and those of the pretraining where they are others.
  package var windowWords: String {
    guard case .continuous(_, let windows) = positions, windows.contains(where: { $0 > 0 }) else { return "\(window)" }
    return "\(window), of the pretraining \(windows.map { "\($0)" }.joined(separator: ", "))"
  }
}

extension VisionConfiguration.Pooling {
  /// The pooling in words.
  package var words: String {
    switch self {
    case .classToken: "class token"
    case .meanOfNormalized: "mean over the normalised patches"
    case .normalizedMean: "normalised mean over patches"
    case .classAndDistillation: "mean of class and distillation tokens"
    case .attention: "attention of a learned query"
    }
  }
}
