import Datasets
import Foundation
import Models
import Tensor

/// Images and their captions.
package struct ContrastiveBatch: Sendable {
  /// [batch, 3, size, size]
  let images: Tensor
  /// [batch][length], and the index of the end of each text.
  let ids: [[Int32]], ends: [Int]
}

/// A CLIP from scratch with a tokenizer of its own captions: what every contrastive pretraining shares.
struct ContrastiveModel: Sendable {
  /// The initial model.
  let model: CLIP
  /// The merges of the tokenizer.
  let words: BytePairTraining
  private let tokenizer: Tokenizer
  /// The preparation of images for evaluation.
  let preprocessing: Preprocessing

  /// A model with initial weights of a seed.
  ///
  /// - sizes: those of the model, by the number of tokens.
  init(_ words: BytePairTraining, sizes: (_ vocabulary: Int) -> CLIPConfiguration, seed: UInt64) throws {
    self.words = words
    tokenizer = words.tokenizer
    model = .untrained(sizes(tokenizer.tokenCount), seed: seed)
    preprocessing = try .clip(size: model.configuration.vision.imageSize)
  }

  /// Rows cut after the longest text, and to the context.
  ///
  /// - keepsEnd: whether a text that is longer than the context has its end token there, as prompts cut for a published
  ///   model have; the shipped model was trained without.
  func tokens(_ texts: [String], keepsEnd: Bool) -> (ids: [[Int32]], ends: [Int]) {
    let rows = texts.map { [tokenizer.startOfText] + tokenizer.encode($0) + [tokenizer.endOfText] }
    let length = min(rows.map(\.count).max() ?? 0, model.text.configuration.contextLength)
    let cut = rows.map { row in
      var row = (0..<length).map { $0 < row.count ? row[$0] : tokenizer.endOfText }
      if keepsEnd, length > 0 { row[length - 1] = tokenizer.endOfText }
      return row
    }
    return (cut, rows.map { min($0.count, length) - 1 })
  }

  /// The number of texts that are longer than the context.
  func countOfLong(_ texts: [String]) -> Int {
    let limit = model.text.configuration.contextLength
    return Parallel.map(texts.count) { tokenizer.encode(texts[$0]).count + 2 > limit ? 1 : 0 }.reduce(0, +)
  }

  /// The contrastive loss, and the number of images most similar to their own caption.
  func loss(_ batch: ContrastiveBatch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    let features = model.vision(Variable(batch.images), pass)
    let texts = model.text(batch.ids, ends: batch.ends, pass)
    let (loss, logits) = ContrastiveLoss.of(features, texts, logitScale: model.logitScale, pass)
    return (loss, logits.value.rowMaxima().enumerated().count { $0 == $1 })
  }

  /// s
  func scale(_ pass: Pass) -> Double { Double(Transcendental.exp(pass[model.logitScale].value.scalar)) }

  /// Writes the directory of a Hugging Face CLIP, weights in half precision.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  func write(_ values: [Tensor], to folder: URL) throws {
    try words.write(to: folder)
    try HuggingFaceModel.write(model, values, tokenizer, to: folder)
  }
}
