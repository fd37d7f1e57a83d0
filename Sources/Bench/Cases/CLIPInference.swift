import Checks
import Models
import Tensor

/// CLIP ViT-B/16 with random weights.
enum RealSize {
  static let tokens = 197

  /// Operations of the image tower for one image, in 10⁹: patch embedding, blocks, projection.
  static let imageGFLOP = 2e-9 * Double(196 * 768 * 768 + 12 * blockProducts(tokens, 768) + 768 * 512)
  /// The same of the text tower for a prompt of 77 tokens.
  static let textGFLOP = 2e-9 * Double(12 * blockProducts(77, 512) + 512 * 512)

  /// Multiply-adds of one block: four maps of attention, the MLP of four times the width, scores and mixing.
  private static func blockProducts(_ tokens: Int, _ width: Int) -> Int {
    let maps = tokens * width * 12 * width
    return maps + 2 * tokens * tokens * width
  }

  /// The model, with the given number of text blocks: training on given text features needs none.
  static func clip(textBlocks: Int, imageBlocks: Int = 12, imageSize: Int = 224) -> CLIP {
    func size(_ width: Int, _ heads: Int, _ blocks: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: blocks, heads: heads, activation: .quickGELU, epsilon: 1e-5)
    }
    return CLIP.random(
      CLIPConfiguration(
        vision: VisionConfiguration(transformer: size(768, 12, imageBlocks), imageSize: imageSize, patchSize: 16),
        text: TextConfiguration(
          transformer: size(512, 8, textBlocks), vocabulary: textBlocks == 0 ? 8 : 49_408, contextLength: 77),
        embedding: 512), seed: 1)
  }

  static func images(_ count: Int, size: Int = 224) -> Tensor { noise([count, 3, size, size], seed: 7) }
  /// ViT-B/16 as a classifier, without a head.
  static func visionTransformer() -> VisionTransformer {
    VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 768, hiddenWidth: 3072, blocks: 12, heads: 12, activation: .gelu, epsilon: 1e-6), imageSize: 224,
        patchSize: 16, form: .classifier), seed: 1)
  }

}

/// Features of images and of prompts.
var inferenceItems: [Item] {
  [1, 8, 32].map { batch in Item("image-b\(batch)") { imageFeatures(batch) } } + [
    Item("text-100") { textFeatures(100) }
  ]
}

private func imageFeatures(_ batch: Int) -> Work {
  let (model, images) = (RealSize.clip(textBlocks: 0), RealSize.images(batch))
  let result = Buffer(images)
  return Work(shape: "batch \(batch)", amount: .images(batch)) {
    result.tensor = model.vision(Variable(images), Pass()).value
  }
}

/// Prompts of twenty tokens and long padding, which no earlier token sees; all 77 are computed, as the peers do.
private func textFeatures(_ batch: Int) -> Work {
  let model = RealSize.clip(textBlocks: 12)
  let numbers = Array(Int32(1)...Int32(batch * 77))
  let ids = (0..<batch).map { Array(numbers[(77 * $0)..<(77 * $0 + 77)]) }
  let ends = Array(repeating: 20, count: batch)
  let result = Buffer(Tensor.zeros([1]))
  return Work(shape: "batch \(batch)", amount: .images(batch)) {
    result.tensor = model.text(ids, ends: ends, Pass()).value
  }
}
