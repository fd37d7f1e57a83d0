import Reference

/// Small networks with random weights that are far from all symmetries.
enum Tiny {
  static func transformer(
    _ numbers: inout Numbers, _ tower: String, width: Int, hidden: Int, blocks: Int
  ) -> Parameters {
    var weights: Parameters = [:]
    for name in (0..<blocks).map({ "\(tower).blocks.\($0)" }) {
      norm(&numbers, "\(name).attentionNorm", width, &weights)
      for map in ["query", "key", "value", "output"] {
        linear(&numbers, "\(name).attention.\(map)", from: width, to: width, &weights)
      }
      norm(&numbers, "\(name).mlpNorm", width, &weights)
      linear(&numbers, "\(name).mlp.up", from: width, to: hidden, &weights)
      linear(&numbers, "\(name).mlp.down", from: hidden, to: width, &weights)
    }
    return weights
  }

  /// CLIP's image tower, or a ViT as a classifier: 3 × `size` × `size` pixels, patches of 2.
  static func vision(
    _ numbers: inout Numbers, isCLIP: Bool, size: Int = 4, width: Int = 6, blocks: Int = 2, embedding: Int = 5,
    classes: Int = 3
  ) -> Network {
    var weights = transformer(&numbers, "vision", width: width, hidden: 7, blocks: blocks)
    weights["vision.patchEmbedding"] = numbers.matrix(width, 12, scale: 0.5)
    weights["vision.classToken"] = numbers.matrix(1, width)
    weights["vision.positions"] = numbers.matrix(1 + (size / 2) * (size / 2), width)
    norm(&numbers, "vision.postNorm", width, &weights)
    if isCLIP {
      norm(&numbers, "vision.preNorm", width, &weights)
      weights["vision.projection"] = numbers.matrix(embedding, width)
    } else {
      weights["vision.patchEmbedding.bias"] = numbers.matrix(1, width)
      linear(&numbers, "head", from: width, to: classes, &weights)
      weights["head.weight"] = weights.removeValue(forKey: "head")
    }
    return Network(
      weights,
      TransformerSettings(
        blocks: blocks, heads: 2, epsilon: isCLIP ? 1e-5 : 1e-6, nonlinearity: isCLIP ? .quickGELU : .gelu))
  }

  /// CLIP's text tower for 7 token ids and sequences of up to 5.
  static func text(_ numbers: inout Numbers, width: Int = 4, blocks: Int = 2, embedding: Int = 5) -> Network {
    var weights = transformer(&numbers, "text", width: width, hidden: 5, blocks: blocks)
    weights["text.tokens"] = numbers.matrix(7, width)
    weights["text.positions"] = numbers.matrix(5, width)
    norm(&numbers, "text.finalNorm", width, &weights)
    weights["text.projection"] = numbers.matrix(embedding, width)
    return Network(weights, TransformerSettings(blocks: blocks, heads: 2, epsilon: 1e-5, nonlinearity: .quickGELU))
  }

  static func images(_ numbers: inout Numbers, count: Int = 2, size: Int = 4) -> Images {
    Images(
      count: count, channels: 3, height: size, width: size, numbers.matrix(count, 3 * size * size, scale: 1.5).values)
  }

  private static func norm(_ numbers: inout Numbers, _ name: String, _ width: Int, _ weights: inout Parameters) {
    weights["\(name).scale"] = numbers.matrix(1, width, scale: 0.5, around: 1)
    weights["\(name).shift"] = numbers.matrix(1, width, scale: 0.5)
  }

  private static func linear(
    _ numbers: inout Numbers, _ name: String, from width: Int, to out: Int, _ weights: inout Parameters
  ) {
    weights[name] = numbers.matrix(out, width, scale: 0.8)
    weights["\(name).bias"] = numbers.matrix(1, out, scale: 0.5)
  }
}
