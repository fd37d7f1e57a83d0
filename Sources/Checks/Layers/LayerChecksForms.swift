import Models
import Tensor

// The forms of a vision transformer's blocks, tokens and pooling.

extension LayerChecks {
  private static func form(_ change: (inout BlockForm) -> Void) -> BlockForm {
    var form = BlockForm.plain
    change(&form)
    return form
  }

  /// A large ε: norms of so few elements are too crooked for differences in single precision with the usual one.
  private static func size(_ width: Int, _ blocks: Int, heads: Int, _ form: BlockForm) -> TransformerConfiguration {
    TransformerConfiguration(
      width: width, hiddenWidth: width + 3, blocks: blocks, heads: heads, activation: .gelu, epsilon: 0.03, form: form)
  }

  /// Every difference by itself, with the number of tokens it needs.
  private static let blockForms: [(form: BlockForm, tokens: Int)] = [
    (form { $0.hasLayerScale = true }, 3), (form { $0.hasQueryKeyNorm = true }, 4), (form { $0.isGated = true }, 2),
    (form { ($0.hasKeyBias, $0.relativeGrid) = (false, 2) }, 5),
    (form { ($0.hasQueryBias, $0.hasKeyBias, $0.hasValueBias) = (false, false, false) }, 3),
    (form { ($0.hasOutputBias, $0.hasMLPBias, $0.isGated) = (false, false, true) }, 2),
    (form { ($0.hasOutputBias, $0.hasMLPBias) = (false, false) }, 2),
  ]

  static var transformerBlockForms: [GradientCheck] {
    blockForms.flatMap { form, tokens in
      [(1, 6, 2), (2, 5, 1)].map { batch, width, heads in
        let size = size(width, 1, heads: heads, form)
        let layer = made({ $0.addBlock("vision.blocks.0", size) }) { (reader) throws(WeightsError) in
          try TransformerBlock(&reader, tower: "vision", index: 0, size, isCausal: false)
        }
        let z: Shape = [batch, tokens, width]
        return check(
          "\(z), heads \(heads), \(form.words.joined(separator: ", "))", layer, ["z": z], scope: .network
        ) { $0($1[0], $2) }
      }
    }
  }

  /// Queries and keys turned by angles of the last tokens.
  static var transformerBlockRotations: [GradientCheck] {
    [(1, 4, 1, 3), (2, 8, 2, 2)].map { batch, width, heads, rotated in
      let size = size(width, 1, heads: heads, form { $0.hasKeyBias = false })
      let rotation = OperationChecks.rotation(tokens: rotated, pairs: width / heads / 2)
      let layer = made({ $0.addBlock("vision.blocks.0", size) }) { (reader) throws(WeightsError) in
        try TransformerBlock(&reader, tower: "vision", index: 0, size, isCausal: false, rotation: rotation)
      }
      let z: Shape = [batch, 3, width]
      return check("\(z), heads \(heads), \(rotated) tokens rotated", layer, ["z": z], scope: .network) {
        $0($1[0], $2)
      }
    }
  }

  static var latentPool: [GradientCheck] {
    [([1, 1, 3], 1), ([2, 4, 6], 2), ([2, 3, 5], 5)].map { (x: Shape, heads: Int) in
      let size = size(x.width, 1, heads: heads, .plain)
      let layer = made({ $0.addLatentPool("vision.attentionPool", size) }) { (reader) throws(WeightsError) in
        try LatentPool(&reader, "vision.attentionPool", size)
      }
      return check("\(x), heads \(heads)", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var visionTransformerForms: [GradientCheck] {
    typealias Form = VisionConfiguration.Form
    let forms: [(name: String, form: Form)] = [
      (
        "registers with positions",
        Form(hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 2, pooling: .classToken)
      ),
      (
        "registers without positions",
        Form(
          hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 2, positions: .withoutRegisters,
          pooling: .meanOfNormalized)
      ),
      (
        "positions of patches alone",
        Form(
          hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 1, positions: .patches,
          pooling: .normalizedMean)
      ),
      (
        "a distillation token",
        Form(
          hasPatchBias: true, hasPreNorm: false, hasClassToken: true, hasDistillationToken: true,
          pooling: .classAndDistillation)
      ),
      (
        "rotary positions",
        Form(
          hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 1, positions: .none,
          rotary: .powers(of: 100), pooling: .classToken)
      ),
      (
        "stored periods",
        Form(
          hasPatchBias: true, hasPreNorm: false, hasClassToken: true, positions: .none, rotary: .stored,
          pooling: .meanOfNormalized)
      ),
      ("attention pooling", Form(hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .attention)),
    ]
    // Rotary positions need heads of a multiple of four channels.
    let plain = forms.map { ($0.name, $0.form, size($0.form.rotary == nil ? 4 : 8, 1, heads: 2, .plain)) }
    let relative = size(4, 1, heads: 2, form { ($0.hasLayerScale, $0.relativeGrid) = (true, 2) })
    let beit = (
      "no positions but relative ones",
      Form(hasPatchBias: true, hasPreNorm: false, hasClassToken: true, positions: .none, pooling: .normalizedMean),
      relative
    )
    return (plain + [beit]).map { name, form, size in
      let configuration = VisionConfiguration(transformer: size, imageSize: 4, patchSize: 2, form: form)
      let layer = made({ $0.add(configuration, embedding: nil) }) { (reader) throws(WeightsError) in
        try VisionTransformer(&reader, configuration, embedding: nil)
      }
      return check("[2, 3, 4, 4], \(name)", layer, ["images": [2, 3, 4, 4]], scope: .network) { $0($1[0], $2) }
    }
  }
}
