import Datasets
import Formats
import Foundation
import Models
import Tensor

/// CLIP's objective (`ContrastiveLoss`) on images and captions of the miniature world.
package struct ContrastivePretraining: PretrainingObjective {
  private let base: ContrastiveModel
  private let stream: Miniature.PretrainingStream

  /// The initial model.
  package var model: CLIP { base.model }
  /// The tokenizer of the world's captions, trained on the first of them.
  package var words: BytePairTraining { base.words }

  /// The sizes of the shipped model, for a vocabulary of the given size.
  package static func configuration(vocabulary: Int) -> CLIPConfiguration {
    configuration(vocabulary: vocabulary, imageSize: Miniature.size, patchSize: 8, contextLength: 40)
  }

  /// The same towers for other images and texts.
  static func configuration(
    vocabulary: Int, imageSize: Int, patchSize: Int, contextLength: Int
  ) -> CLIPConfiguration {
    func transformer(_ width: Int, _ blocks: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: blocks, heads: width / 32, activation: .quickGELU, epsilon: 1e-5)
    }
    return CLIPConfiguration(
      vision: VisionConfiguration(transformer: transformer(128, 3), imageSize: imageSize, patchSize: patchSize),
      text: TextConfiguration(
        transformer: transformer(96, 2), vocabulary: vocabulary, contextLength: contextLength),
      embedding: 64)
  }

  /// The objective on the world of a seed, which is also that of the initial weights.
  ///
  /// - captions: the number of captions the tokenizer is trained on; sizes: those of the model, by the number of
  ///   tokens.
  package init(
    seed: UInt64, captions: Int = 20_000, sizes: (_ vocabulary: Int) -> CLIPConfiguration = configuration
  ) throws {
    let stream = Miniature.PretrainingStream(seed: seed)
    var counts: [String: Int] = [:]
    for index in 0..<captions {
      for word in stream.caption(index).split(separator: " ") { counts[String(word), default: 0] += 1 }
    }
    self.stream = stream
    base = try ContrastiveModel(BytePairTraining(words: counts), sizes: sizes, seed: seed)
  }

  /// The tensors of both towers, and log s.
  package var parameters: [Parameter] { model.parameters }

  /// `size` images and their captions from index `step · size` on; captions are cut to the context.
  package func batch(_ step: Int, size: Int, isLesson: Bool) -> ContrastiveBatch {
    let first = step * size
    let pairs = Parallel.map(size) { stream.pair(first + $0, isLesson: isLesson) }
    let (ids, ends) = base.tokens(pairs.map(\.caption), keepsEnd: false)
    return ContrastiveBatch(images: base.preprocessing.batch(pairs.map(\.image)), ids: ids, ends: ends)
  }

  /// The contrastive loss, and the number of images most similar to their own caption.
  package func loss(_ batch: ContrastiveBatch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    base.loss(batch, pass)
  }

  /// Zero-shot accuracy on one property, all others being random, and retrieval of one caption among 256.
  package func milestones(_ pass: Pass) -> [String: Double] {
    var result: [String: Double] = [:]
    for property in Miniature.Property.allCases {
      let examples = (0..<480).map { stream.example(of: property, $0) }
      let (ids, ends) = base.tokens(property.captions, keepsEnd: false)
      let classifier = model.text(ids, ends: ends, pass)
      let features = model.vision(Variable(base.preprocessing.batch(examples.map(\.image))), pass)
      let answers = model.logits(features, classifier: classifier, pass).value.rowMaxima()
      result[property.rawValue] = percent(zip(answers, examples).count { $0 == $1.label }, of: examples.count)
    }
    let held = batch(Int(UInt32.max) / 256 - 1, size: 256, isLesson: false)
    result["retrieval"] = percent(loss(held, pass).correct, of: 256)
    result["scale"] = base.scale(pass)
    return result
  }

  /// Writes the directory of a Hugging Face CLIP, weights in half precision.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(_ values: [Tensor], to folder: URL) throws { try base.write(values, to: folder) }
}

/// 100 part / whole
func percent(_ part: Int, of whole: Int) -> Double { 100 * Double(part) / Double(whole) }

extension Preprocessing {
  /// Images of the model's size → [count, 3, height, width].
  func batch(_ images: [Image]) -> Tensor {
    let (height, width) = outputSize
    return Tensor([images.count, 3, height, width]) { output in
      Parallel.forEach(images.count) { apply(to: images[$0], into: output + $0 * 3 * height * width) }
    }
  }
}
