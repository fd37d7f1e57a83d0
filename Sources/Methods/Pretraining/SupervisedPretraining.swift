import Datasets
import Foundation
import Models
import Tensor

/// A vision transformer that answers every question about an image of the miniature world (`Miniature.Facts`).
///
/// The classes of one softmax are all answers to all questions, and the target is uniform over the true ones:
/// −1/k Σᵢ log p(yᵢ) for the k answers y of an image (Mahajan et al. 2018, section 2.2, for images with several
/// hashtags).
package struct SupervisedPretraining: PretrainingObjective {
  /// Images and their classes.
  package struct Batch: Sendable {
    /// [batch, 3, size, size]
    let images: Tensor
    /// [question][batch]
    let labels: [[Int32]]
  }

  /// The initial network.
  package let backbone: ImageBackbone
  private let stream: Miniature.PretrainingStream
  private let preprocessing: Preprocessing

  /// The sizes of the shipped model: head width 64, as readers expect of weights with timm's names.
  package static let configuration = VisionConfiguration(
    transformer: TransformerConfiguration(
      width: 128, hiddenWidth: 512, blocks: 6, heads: 2, activation: .gelu, epsilon: 1e-6),
    imageSize: Miniature.size, patchSize: 8, form: .classifier)

  /// The objective on the world of a seed, which is also that of the initial weights, with a network of the given
  /// sizes.
  package init(seed: UInt64, sizes: VisionConfiguration = configuration) throws {
    stream = Miniature.PretrainingStream(seed: seed)
    backbone = .untrained(sizes, classes: Miniature.Facts.classes.count, seed: seed)
    let constants = Normalization.imagenet.constants
    preprocessing = try Preprocessing(
      geometry: .direct(height: Miniature.size, width: Miniature.size), mean: constants.mean, std: constants.std)
  }

  /// The tensors of the tower and of the head.
  package var parameters: [Parameter] { backbone.parameters }

  /// `size` images and their classes from index `step · size` on.
  package func batch(_ step: Int, size: Int, isLesson: Bool) -> Batch {
    let first = step * size
    let pairs = Parallel.map(size) { stream.pair(first + $0, isLesson: isLesson) }
    let labels = pairs.map { $0.facts.labels.map { Int32($0) } }
    return Batch(
      images: preprocessing.batch(pairs.map(\.image)),
      labels: Miniature.Facts.properties.indices.map { question in labels.map { $0[question] } })
  }

  /// The mean cross-entropy over the questions, and the number of images whose shape, the first of them, is right.
  package func loss(_ batch: Batch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    let logits = logits(batch, pass)
    let share = 1 / Real(batch.labels.count)
    let loss = batch.labels.reduce(Variable(Tensor(0))) {
      $0.adding(logits.crossEntropy(labels: $1), scale: share)
    }
    return (loss, correct(logits.value, batch, question: 0))
  }

  private func logits(_ batch: Batch, _ pass: Pass) -> Variable {
    guard let logits = backbone.logits(Variable(batch.images), pass) else {
      trap("SupervisedPretraining: expected a network with a head")
    }
    return logits
  }

  /// The number of images for which the true answer to a question has the largest logit among its answers.
  private func correct(_ logits: Tensor, _ batch: Batch, question: Int) -> Int {
    let (range, values) = (Miniature.Facts.ranges[question], logits.values)
    return batch.labels[question].indices.count { image in
      let row = image * logits.shape[1]
      let best = range.max { values[row + $0] < values[row + $1] }
      return best == Int(batch.labels[question][image])
    }
  }

  /// The share of right answers to each question on 2,048 held-out images of the mixture, far after those of training.
  package func milestones(_ pass: Pass) -> [String: Double] {
    let size = 256
    let last = Int(UInt32.max) / size
    var counts = Miniature.Facts.properties.map { _ in 0 }
    for step in last - 8..<last {
      let batch = batch(step, size: size, isLesson: false)
      let logits = logits(batch, pass).value
      for question in counts.indices { counts[question] += correct(logits, batch, question: question) }
    }
    return Dictionary(
      uniqueKeysWithValues: zip(Miniature.Facts.properties, counts.map { percent($0, of: 8 * size) }))
  }

  /// Writes weights in half precision and `config.json` under timm's names.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(_ values: [Tensor], to folder: URL) throws {
    try TimmModel.write(backbone, values, to: folder)
  }
}
