import Datasets
import Formats
import Foundation
import Models
import Tensor

/// CLIP's objective (`ContrastiveLoss`) on images and captions of the miniature world.
package struct ContrastivePretraining: PretrainingObjective {
  /// Images and their captions.
  package struct Batch: Sendable {
    /// [batch, 3, size, size]
    let images: Tensor
    /// [batch][length], and the index of the end of each text.
    let ids: [[Int32]], ends: [Int]
  }

  /// The initial model.
  package let model: CLIP
  /// The tokenizer of the world's captions, trained on the first of them.
  package let words: BytePairTraining
  private let tokenizer: Tokenizer
  private let stream: Miniature.PretrainingStream
  private let preprocessing: Preprocessing

  /// The sizes of the shipped model, for a vocabulary of the given size.
  package static func configuration(vocabulary: Int) -> CLIPConfiguration {
    func transformer(_ width: Int, _ blocks: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: blocks, heads: width / 32, activation: .quickGELU, epsilon: 1e-5)
    }
    return CLIPConfiguration(
      vision: VisionConfiguration(transformer: transformer(128, 3), imageSize: Miniature.size, patchSize: 8),
      text: TextConfiguration(transformer: transformer(96, 2), vocabulary: vocabulary, contextLength: 40),
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
    words = BytePairTraining(words: counts)
    tokenizer = words.tokenizer
    model = .untrained(sizes(tokenizer.tokenCount), seed: seed)
    preprocessing = try .clip(size: Miniature.size)
  }

  /// The tensors of both towers, and log s.
  package var parameters: [Parameter] { model.parameters }

  /// `size` images and their captions from index `step · size` on; captions are cut to the context.
  package func batch(_ step: Int, size: Int, isLesson: Bool) -> Batch {
    let first = step * size
    let pairs = Parallel.map(size) { stream.pair(first + $0, isLesson: isLesson) }
    let (ids, ends) = tokens(pairs.map(\.caption))
    return Batch(images: preprocessing.batch(pairs.map(\.image)), ids: ids, ends: ends)
  }

  /// Rows cut after the longest text.
  private func tokens(_ texts: [String]) -> (ids: [[Int32]], ends: [Int]) {
    let rows = texts.map { [tokenizer.startOfText] + tokenizer.encode($0) + [tokenizer.endOfText] }
    let length = min(rows.map(\.count).max() ?? 0, model.text.configuration.contextLength)
    let cut = rows.map { row in
      (0..<length).map { $0 < row.count ? row[$0] : tokenizer.endOfText }
    }
    return (cut, rows.map { min($0.count, length) - 1 })
  }

  /// The contrastive loss, and the number of images most similar to their own caption.
  package func loss(_ batch: Batch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    let features = model.vision(Variable(batch.images), pass)
    let texts = model.text(batch.ids, ends: batch.ends, pass)
    let (loss, logits) = ContrastiveLoss.of(features, texts, logitScale: model.logitScale, pass)
    return (loss, logits.value.rowMaxima().enumerated().count { $0 == $1 })
  }

  /// Zero-shot accuracy on one property, all others being random, and retrieval of one caption among 256.
  package func milestones(_ pass: Pass) -> [String: Double] {
    var result: [String: Double] = [:]
    for property in Miniature.Property.allCases {
      let examples = (0..<480).map { stream.example(of: property, $0) }
      let (ids, ends) = tokens(property.captions)
      let classifier = model.text(ids, ends: ends, pass)
      let features = model.vision(Variable(preprocessing.batch(examples.map(\.image))), pass)
      let answers = model.logits(features, classifier: classifier, pass).value.rowMaxima()
      result[property.rawValue] = percent(zip(answers, examples).count { $0 == $1.label }, of: examples.count)
    }
    let held = batch(Int(UInt32.max) / 256 - 1, size: 256, isLesson: false)
    result["retrieval"] = percent(loss(held, pass).correct, of: 256)
    result["scale"] = Double(Transcendental.exp(pass[model.logitScale].value.scalar))
    return result
  }

  /// Writes the directory of a Hugging Face CLIP, weights in half precision.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(_ values: [Tensor], to folder: URL) throws {
    try words.write(to: folder)
    try HuggingFaceModel.write(model, values, tokenizer, to: folder)
  }
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
