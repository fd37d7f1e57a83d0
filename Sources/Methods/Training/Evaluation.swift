import Datasets
import Formats
import Foundation
import Models
import Tensor

/// The predictions of a model on a split, and its accuracy.
public struct Evaluation: Sendable {
  /// Correct predictions per class.
  public let correctByClass: [Int]
  /// Predictions per class.
  public let totalByClass: [Int]
  /// The SHA-256 of all logits, in order, as 32-bit numbers: equal digests are equal predictions.
  public let logitsSHA256: String
  /// The prediction for each readable image, in the order of the split.
  public let answers: [Answer]
  /// Images skipped.
  public let unreadable: [ImageError]

  /// The prediction for one image.
  public struct Answer: Sendable, Equatable {
    /// The index of the image in the split.
    public let picture: Int
    /// The class with the largest logit, the first of several.
    public let answer: Int
    /// softmax(logits) of that class, 0 to 1.
    public let probability: Float
  }

  /// Correct predictions.
  public var correct: Int { correctByClass.reduce(0, +) }
  /// Predictions.
  public var total: Int { totalByClass.reduce(0, +) }
  /// 100 · correct / total
  public var accuracy: Double { total == 0 ? 0 : 100 * Double(correct) / Double(total) }

  /// The batch size; no result depends on it.
  static let batchSize = 32

  /// The predictions of a method on a split, the class with the largest logit, the first of several.
  ///
  /// - Throws: `ImageError` for the first unreadable image, unless `skipsUnreadable`; `NonFiniteLogits` for logits that
  ///   are not finite; `RunError` if no image is readable; rethrows the errors of `progress`.
  public init(
    _ method: Method, values: [Tensor], on set: ImageSet, preprocessing: Preprocessing, skipsUnreadable: Bool = false,
    progress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    try self.init(
      method, values: values, on: set, preprocessing: preprocessing, skipsUnreadable: skipsUnreadable,
      clock: RunClock(), progress: progress)
  }

  /// The same, with a clock that waiting for images is measured on.
  ///
  /// - columns: the model's classes that the set has, by the set's labels, where it has a part of them: predictions are
  ///   among these alone.
  package init(
    _ method: Method, values: [Tensor], on set: ImageSet, preprocessing: Preprocessing, skipsUnreadable: Bool = false,
    columns: [Int]? = nil, clock: RunClock, progress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    try self.init(
      method, values: values, on: set, preprocessing: preprocessing, skipsUnreadable: skipsUnreadable, nil,
      columns: columns, clock: clock, progress: progress)
  }

  /// The same, with known features of the frozen encoder, which are used where nothing inside of it is tuned.
  init(
    _ method: Method, values: [Tensor], on set: ImageSet, preprocessing: Preprocessing, skipsUnreadable: Bool,
    _ shelf: FeatureShelf?, columns: [Int]? = nil, clock: RunClock, progress: (_ done: Int) throws -> Void
  ) throws {
    // Without a cache an encoder need not be that of the files: a delta has tuned it.
    let isFrozen = shelf != nil && method.encoder.trainables.isEmpty
    let files = set.items.enumerated().map { (url: $1.url, number: $0) }
    let reader = FeatureReader(files, ImageLoader(preprocessing: preprocessing), isFrozen ? shelf : nil, clock) {
      isFrozen ? method.tower(Variable($0), Pass()).value : $0
    }
    let model = method.logits(values: values)
    var correct = [Int](repeating: 0, count: set.classes.count)
    var total = correct
    var answers: [Answer] = []
    var unreadable: [ImageError] = []
    var digest = SHA256()
    for (index, wanted) in reader.batches.enumerated() {
      let batch = try reader.next(index)
      if !skipsUnreadable, let error = batch.unreadable.first { throw error }
      unreadable += batch.unreadable
      guard !batch.kept.isEmpty else { continue }
      let all = model(isFrozen ? .features(batch.features) : .images(batch.features))
      let logits = columns.map { all.keeping(columns: $0) } ?? all
      try logits.requireFinite { set.items[wanted.startIndex + batch.kept[$0]].url.relativePath }
      digest.update(logits.values.flatMap { withUnsafeBytes(of: Float($0).bitPattern.littleEndian) { Array($0) } })
      let (probabilities, width) = (Variable(logits).softmax().value.values, logits.shape.width)
      for (row, (position, answer)) in zip(batch.kept, logits.rowMaxima()).enumerated() {
        let picture = wanted.startIndex + position
        let label = set.items[picture].label
        total[label] += 1
        if answer == label { correct[label] += 1 }
        let probability = Float(probabilities[row * width + answer])
        answers.append(Answer(picture: picture, answer: answer, probability: probability))
      }
      try progress(wanted.endIndex)
    }
    if answers.isEmpty, let first = unreadable.first {
      throw RunError("expected readable images, found none (\(unreadable.count) unreadable), the first being \(first)")
    }
    (correctByClass, totalByClass, self.answers, self.unreadable) = (correct, total, answers, unreadable)
    logitsSHA256 = digest.digest.description
  }
}

extension Tensor {
  /// Some of the columns of each row, in this order.
  fileprivate func keeping(columns: [Int]) -> Tensor {
    let width = shape.width
    let kept = stride(from: 0, to: count, by: width).flatMap { row in columns.map { values[row + $0] } }
    return Tensor([count / width, columns.count], kept)
  }
}
