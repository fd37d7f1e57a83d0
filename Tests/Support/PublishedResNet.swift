import Tensor

/// The sizes of a published CLIP with a ResNet, and its tensors by OpenAI's name: shapes, without the numbers.
package struct PublishedResNet: Sendable, CustomStringConvertible {
  /// What it is called.
  package let name: String
  /// Bottlenecks of each stage.
  package let stages: [Int]
  /// Sizes of the image tower.
  package let width, heads, imageSize: Int
  /// Width of the common space, and of the text tower.
  package let embedding, textWidth: Int

  /// Its name.
  package var description: String { name }

  /// All there are.
  package static let all = [
    PublishedResNet(name: "RN50", [3, 4, 6, 3], width: 64, heads: 32, imageSize: 224, embedding: 1024, text: 512),
    PublishedResNet(name: "RN101", [3, 4, 23, 3], width: 64, heads: 32, imageSize: 224, embedding: 512, text: 512),
    PublishedResNet(name: "RN50x4", [4, 6, 10, 6], width: 80, heads: 40, imageSize: 288, embedding: 640, text: 640),
    PublishedResNet(name: "RN50x16", [6, 8, 18, 8], width: 96, heads: 48, imageSize: 384, embedding: 768, text: 768),
    PublishedResNet(
      name: "RN50x64", [3, 15, 36, 10], width: 128, heads: 64, imageSize: 448, embedding: 1024, text: 1024),
  ]

  private init(
    name: String, _ stages: [Int], width: Int, heads: Int, imageSize: Int, embedding: Int, text: Int
  ) {
    (self.name, self.stages, self.width, self.heads) = (name, stages, width, heads)
    (self.imageSize, self.embedding, textWidth) = (imageSize, embedding, text)
  }

  /// Every tensor as PyTorch names it.
  package var shapes: [String: Shape] { imageTower.merging(textTower) { first, _ in first } }

  private var imageTower: [String: Shape] {
    var shapes: [String: Shape] = [:]
    func convolution(_ name: String, norm: String, _ from: Int, _ to: Int, _ size: Int) {
      shapes["\(name).weight"] = [to, from, size, size]
      for part in ["weight", "bias", "running_mean", "running_var"] { shapes["\(norm).\(part)"] = [to] }
      shapes["\(norm).num_batches_tracked"] = []
    }
    convolution("visual.conv1", norm: "visual.bn1", 3, width / 2, 3)
    convolution("visual.conv2", norm: "visual.bn2", width / 2, width / 2, 3)
    convolution("visual.conv3", norm: "visual.bn3", width / 2, width, 3)
    var channels = width
    for (stage, count) in stages.enumerated() {
      let middle = width << stage
      for index in 0..<count {
        let name = "visual.layer\(stage + 1).\(index)"
        convolution("\(name).conv1", norm: "\(name).bn1", channels, middle, 1)
        convolution("\(name).conv2", norm: "\(name).bn2", middle, middle, 3)
        convolution("\(name).conv3", norm: "\(name).bn3", middle, 4 * middle, 1)
        if index == 0 { convolution("\(name).downsample.0", norm: "\(name).downsample.1", channels, 4 * middle, 1) }
        channels = 4 * middle
      }
    }
    shapes["visual.attnpool.positional_embedding"] = [1 + (imageSize / 32) * (imageSize / 32), channels]
    for (part, out) in [("k", channels), ("q", channels), ("v", channels), ("c", embedding)] {
      shapes["visual.attnpool.\(part)_proj.weight"] = [out, channels]
      shapes["visual.attnpool.\(part)_proj.bias"] = [out]
    }
    return shapes
  }

  private var textTower: [String: Shape] {
    let width = textWidth
    var shapes: [String: Shape] = [
      "token_embedding.weight": [49408, width], "positional_embedding": [77, width],
      "text_projection": [width, embedding], "logit_scale": [], "ln_final.weight": [width], "ln_final.bias": [width],
      "input_resolution": [], "context_length": [], "vocab_size": [],
    ]
    for index in 0..<12 {
      let name = "transformer.resblocks.\(index)"
      for norm in ["ln_1", "ln_2"] {
        for part in ["weight", "bias"] { shapes["\(name).\(norm).\(part)"] = [width] }
      }
      shapes["\(name).attn.in_proj_weight"] = [3 * width, width]
      shapes["\(name).attn.in_proj_bias"] = [3 * width]
      for (map, from, out) in [
        ("attn.out_proj", width, width), ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width),
      ] {
        shapes["\(name).\(map).weight"] = [out, from]
        shapes["\(name).\(map).bias"] = [out]
      }
    }
    return shapes
  }
}
