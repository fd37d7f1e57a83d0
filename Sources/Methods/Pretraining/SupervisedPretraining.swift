import Datasets
import Foundation
import Models
import Tensor

/// A vision transformer that classifies coloured shapes of the miniature world, by cross-entropy.
package struct SupervisedPretraining: PretrainingObjective {
  /// Images and their classes.
  package struct Batch: Sendable {
    /// [batch, 3, size, size]
    let images: Tensor
    let labels: [Int32]
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
    backbone = .untrained(sizes, classes: Miniature.PretrainingStream.classes.count, seed: seed)
    let constants = Normalization.imagenet.constants
    preprocessing = try Preprocessing(
      geometry: .direct(height: Miniature.size, width: Miniature.size), mean: constants.mean, std: constants.std)
  }

  /// The tensors of the tower and of the head.
  package var parameters: [Parameter] { backbone.parameters }

  /// `size` images and their classes from index `step · size` on.
  package func batch(_ step: Int, size: Int, isLesson: Bool) -> Batch {
    let first = step * size
    let labelled = Parallel.map(size) { stream.labelled(first + $0, isLesson: isLesson) }
    return Batch(images: preprocessing.batch(labelled.map(\.image)), labels: labelled.map { Int32($0.label) })
  }

  /// The cross-entropy of the head's logits, and the number of correctly classified images.
  package func loss(_ batch: Batch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    guard let logits = backbone.logits(Variable(batch.images), pass) else {
      trap("SupervisedPretraining: expected a network with a head")
    }
    let correct = zip(logits.value.rowMaxima(), batch.labels).count { $0 == Int($1) }
    return (logits.crossEntropy(labels: batch.labels), correct)
  }

  /// Accuracy on 2,048 held-out images of each stream, far after those of training.
  package func milestones(_ pass: Pass) -> [String: Double] {
    func accuracy(isLesson: Bool) -> Double {
      let size = 256
      let last = Int(UInt32.max) / size
      let correct = (last - 8..<last).reduce(0) { $0 + loss(batch($1, size: size, isLesson: isLesson), pass).correct }
      return percent(correct, of: 8 * size)
    }
    return ["any": accuracy(isLesson: false), "lessons": accuracy(isLesson: true)]
  }

  /// Writes weights in half precision and `config.json` under timm's names.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(_ values: [Tensor], to folder: URL) throws {
    try TimmModel.write(backbone, values, to: folder)
  }
}
