import Datasets
import Foundation
import Models
import Tensor

/// Features of images by an encoder that stays the same, prepared for the head, computed once.
struct FrozenFeatures: Sendable {
  /// The images.
  let set: ImageSet
  /// [images, embedding]
  let values: Tensor

  /// The features of the images as a loader prepares them.
  ///
  /// - shelf: features of the same encoder that are known.
  /// - Throws: `ImageError` for a picture that cannot be read; what `progress` throws.
  init(
    of set: ImageSet, by method: Method, _ loader: ImageLoader, _ shelf: FeatureShelf?, _ clock: RunClock,
    progress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    self.set = set
    var features = Tensor.zeros([0, 0])
    let reader = FeatureReader(set.items.map { ($0.url, 0) }, loader, shelf, clock) {
      method.tower(Variable($0), Pass()).value
    }
    for (index, batch) in reader.batches.enumerated() {
      let read = try reader.next(index)
      if let error = read.unreadable.first { throw error }
      let found = method.head.prepared(Variable(read.features)).value
      let width = found.shape.width
      if batch.startIndex == 0 { features = .zeros([set.count, width]) }
      features.write { into in
        Tensor.read(found) { (into + batch.startIndex * width).update(from: $0, count: found.count) }
      }
      try progress(batch.endIndex)
    }
    values = features
  }

  /// The features of some images, [indices, embedding].
  func rows(_ indices: [Int]) -> Tensor {
    Variable(values).embedding(indices.map { Int32($0) }, shape: [indices.count]).value
  }

  /// Accuracy in percent, that of an `Evaluation` on the images themselves: their logits have the same bits.
  ///
  /// - Throws: `NonFiniteLogits` for logits that are not finite.
  func accuracy(_ method: Method, values: [Tensor]) throws -> Double {
    let model = method.logits(values: values)
    var correct = 0
    for batch in set.items.batches(of: Evaluation.batchSize) {
      let logits = model(.prepared(rows(Array(batch.indices))))
      try logits.requireFinite { set.items[batch.startIndex + $0].url.relativePath }
      correct += zip(batch, logits.rowMaxima()).count { $0.label == $1 }
    }
    return set.count == 0 ? 0 : 100 * Double(correct) / Double(set.count)
  }
}

/// The accuracy on one split after every epoch. Where the encoder is frozen its features are computed at the first
/// question and reused at all others.
final class EpochValidation {
  private let set: ImageSet
  private let preprocessing: Preprocessing
  private let shelf: FeatureShelf?
  private let clock: RunClock
  private var features: FrozenFeatures?

  init(_ set: ImageSet, _ preprocessing: Preprocessing, _ shelf: FeatureShelf?, _ clock: RunClock) {
    (self.set, self.preprocessing, self.shelf, self.clock) = (set, preprocessing, shelf, clock)
  }

  /// Accuracy in percent of a method with some values.
  ///
  /// - Throws: as `Evaluation` does.
  func accuracy(_ method: Method, values: [Tensor]) throws -> Double {
    guard method.encoder.trainables.isEmpty else {
      return try Evaluation(method, values: values, on: set, preprocessing: preprocessing, clock: clock).accuracy
    }
    let known =
      try features
      ?? clock.measure(.features) {
        try FrozenFeatures(of: set, by: method, ImageLoader(preprocessing: preprocessing), shelf, clock)
      }
    features = known
    return try known.accuracy(method, values: values)
  }
}
