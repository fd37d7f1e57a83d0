import Checks
import Formats
import Models
import Tensor

/// Tensors in memory, as a checkpoint.
struct MemorySource: TensorSource {
  let label = "memory"
  var tensors: [String: Tensor] = [:]

  var names: [String] { tensors.keys.sorted() }
  func shape(of name: String) -> Shape? { tensors[name]?.shape }
  func tensor(_ name: String) throws -> Tensor { tensors[name] ?? .zeros([0]) }
}

/// A CLIP of a few thousand random weights: 8 × 8 pictures, patches of 4, two blocks of two heads.
enum TinyCLIP {
  static let classes = 5
  static let embedding = 6
  static let vision = vision(hiddenWidth: 12)
  static let configuration = configuration(hiddenWidth: 12)

  /// The same with MLPs of another width, or images and patches of other sizes.
  static func configuration(hiddenWidth: Int, imageSize: Int = 8, patchSize: Int = 4) -> CLIPConfiguration {
    CLIPConfiguration(
      vision: vision(hiddenWidth: hiddenWidth, imageSize: imageSize, patchSize: patchSize),
      text: TextTower.configuration, embedding: embedding)
  }

  private static func vision(hiddenWidth: Int, imageSize: Int = 8, patchSize: Int = 4) -> VisionConfiguration {
    VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 8, hiddenWidth: hiddenWidth, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5),
      imageSize: imageSize, patchSize: patchSize)
  }

  /// The model of a seed.
  static func model(seed: UInt64 = 1) throws -> CLIP {
    try CLIP(configuration, from: MemorySource(tensors: tensors(seed: seed)), layout: .openAICLIP)
  }

  /// Its tensors in OpenAI's names, of sizes that let the logits spread over several units.
  static func tensors(seed: UInt64 = 1) -> [String: Tensor] {
    var numbers = CheckNumbers(seed: seed)
    return visionTensors(&numbers).merging(TextTower.tensors(embedding: embedding)) { $1 }
      .merging(["logit_scale": Tensor(2.5)]) { $1 }
  }

  /// [classes, embedding]
  static var textFeatures: Tensor { CheckNumbers(seed: 99).tensor([classes, embedding], scale: 2) }

  /// [count, 3, 8, 8]
  static func images(_ count: Int, seed: UInt64 = 7) -> Tensor {
    CheckNumbers(seed: seed).tensor([count, 3, 8, 8], scale: 1.5)
  }

  static func labels(_ count: Int) -> [Int32] { (0..<count).map { Int32($0 * 3 % classes) } }

  private static func visionTensors(_ numbers: inout CheckNumbers) -> [String: Tensor] {
    let (width, hidden) = (vision.transformer.width, vision.transformer.hiddenWidth)
    var tensors: [String: Tensor] = [
      "visual.conv1.weight": numbers.next([width, 3, 4, 4], scale: 0.4),
      "visual.class_embedding": numbers.next([width]),
      "visual.positional_embedding": numbers.next([vision.patches + 1, width]),
      "visual.proj": numbers.next([width, embedding], scale: 0.6),
    ]
    func norm(_ name: String) {
      tensors["\(name).weight"] = numbers.next([width], scale: 0.2).shifted(by: 1)
      tensors["\(name).bias"] = numbers.next([width], scale: 0.2)
    }
    func linear(_ weight: String, _ bias: String, _ width: Int, _ out: Int) {
      tensors[weight] = numbers.next([out, width], scale: 0.6)
      tensors[bias] = numbers.next([out], scale: 0.3)
    }
    norm("visual.ln_pre")
    norm("visual.ln_post")
    for index in 0..<vision.transformer.blocks {
      let name = "visual.transformer.resblocks.\(index)"
      norm("\(name).ln_1")
      norm("\(name).ln_2")
      linear("\(name).attn.in_proj_weight", "\(name).attn.in_proj_bias", width, 3 * width)
      linear("\(name).attn.out_proj.weight", "\(name).attn.out_proj.bias", width, width)
      linear("\(name).mlp.c_fc.weight", "\(name).mlp.c_fc.bias", width, hidden)
      linear("\(name).mlp.c_proj.weight", "\(name).mlp.c_proj.bias", hidden, width)
    }
    return tensors
  }
}

/// The least of a text tower: no block. Nothing here runs it, as text features are given; a model must have one.
enum TextTower {
  static let configuration = TextConfiguration(
    transformer: TransformerConfiguration(
      width: 2, hiddenWidth: 2, blocks: 0, heads: 1, activation: .quickGELU, epsilon: 1e-5),
    vocabulary: 3, contextLength: 2)

  static func tensors(embedding: Int) -> [String: Tensor] {
    [
      "token_embedding.weight": .zeros([3, 2]), "positional_embedding": .zeros([2, 2]),
      "ln_final.weight": Tensor([2], repeating: 1), "ln_final.bias": .zeros([2]),
      "text_projection": .zeros([2, embedding]),
    ]
  }
}

extension Tensor {
  func map(_ function: (Real) -> Real) -> Tensor { Tensor(shape, values.map(function)) }
  func shifted(by number: Real) -> Tensor { map { $0 + number } }
  func zipped(_ other: Tensor, _ function: (Real, Real) -> Real) -> Tensor {
    precondition(shape == other.shape, "zipped: expected shape \(shape), found \(other.shape)")
    return Tensor(shape, zip(values, other.values).map(function))
  }
}
