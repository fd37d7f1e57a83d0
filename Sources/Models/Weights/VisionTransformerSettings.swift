import Tensor

extension BackboneDeduction {
  /// timm's published models with a norm before the blocks are CLIPs.
  var usualEpsilon: Double {
    let isCLIP = library == .timm && published != nil && shapes.has("vision.preNorm.scale")
    return isCLIP && hints.origin(.epsilon) == nil ? 1e-5 : epsilon
  }

  /// Adds what is not known from the tensors of a vision transformer alone, and the values that stand in doubt even for
  /// published shapes.
  mutating func addSettings(of size: VisionConfiguration) {
    let (form, transformer) = (size.form, size.transformer)
    add(.activation, transformer.activation.rawValue, doubtfulActivation(size))
    add(.epsilon, transformer.epsilon)
    add(.imageSize, size.imageSize, imageSizeOrigin(size))
    if let rotary = form.rotary {
      add(.rotaryBase, rotary.words, rotary == .stored ? deduced("vision.rotaryPeriods") : nil)
    }
    if form.positions == .patches, form.registers == 0, form.summaryTokens > 0, hints.imageSize == nil {
      add(
        "positions", "those of \(size.grid) × \(size.grid) patches, none of the class token",
        published.map { .published($0) }
          ?? assumed("a model of oblong images can have as many, and would be another; a stated image size decides"))
    }
    // `ResPostBlock` of timm has the tensors of the usual block, and its architecture is refused by name.
    let isUnnamed = library == .timm && hints.origin(.epsilon) == nil
    if isUnnamed, !form.hasClassToken, form.registers == 0, form.pooling == .normalizedMean {
      add("norms", "before attention and MLP", assumed("vit_base_patch16_rpn_224 of timm has them after"))
    }
  }

  /// The doubt about an activation: published models of timm that are equal but for it.
  private func doubtfulActivation(_ size: VisionConfiguration) -> SettingOrigin? {
    guard library == .timm else { return nil }
    if size.form.hasPreNorm { return assumed("CLIPs of OpenAI have quick_gelu, the others gelu") }
    let isPlain = size.form.prefixTokens == 0 && !size.transformer.form.hasLayerScale
    return isPlain && size.form.pooling != .normalizedMean && [768, 1024, 1152, 1536].contains(size.transformer.width)
      ? assumed("some SigLIPs have gelu, some gelu_tanh") : nil
  }

  private func imageSizeOrigin(_ size: VisionConfiguration) -> SettingOrigin {
    if size.form.rotary != nil { return assumed("usual, though rotary positions suit images of any size") }
    // SigLIP has images of 378 and of 384 pixels in 27 × 27 patches of 14.
    if size.transformer.width == 1152, size.grid == 27, size.patchSize == 14 {
      return assumed("SigLIP has models for 378 and for 384 pixels")
    }
    return deduced(size.form.positions == .none ? "vision.blocks.0.attention.positionBias" : "vision.positions")
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
