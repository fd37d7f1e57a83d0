import Datasets
import Formats
import Foundation
import Models
import Tensor

/// How well a model answers on a split.
public struct Evaluation: Sendable {
  /// Right answers a class.
  public let correctByClass: [Int]
  /// Answers a class.
  public let totalByClass: [Int]
  /// The SHA-256 of all logits, in order, as 32-bit numbers: equal digests are equal predictions.
  public let logitsSHA256: String
  /// The answer to each picture that could be read, in the order of the split.
  public let answers: [Answer]
  /// Pictures left out.
  public let unreadable: [ImageError]

  /// What a model says about one picture.
  public struct Answer: Sendable, Equatable {
    /// The place of the picture in the split.
    public let picture: Int
    /// The class with the largest logit, the first of several.
    public let answer: Int
    /// softmax(logits) of that class, 0 to 1.
    public let probability: Float
  }

  /// Right answers.
  public var correct: Int { correctByClass.reduce(0, +) }
  /// Answers.
  public var total: Int { totalByClass.reduce(0, +) }
  /// 100 · correct / total
  public var accuracy: Double { total == 0 ? 0 : 100 * Double(correct) / Double(total) }

  /// Pictures a batch; no result depends on it.
  static let batchSize = 32

  /// The answers of a method on a split, the class with the largest logit, the first of several.
  ///
  /// - Throws: `ImageError` for the first picture that cannot be read, unless `skipsUnreadable`; what `progress` throws.
  public init(
    _ method: Method, values: [Tensor], on set: ImageSet, preprocessing: Preprocessing, skipsUnreadable: Bool = false,
    progress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    let loader = ImageLoader(preprocessing: preprocessing)
    let files = Array(set.items.enumerated().map { (url: $1.url, number: $0) }.batches(of: Self.batchSize))
    let batches = Prefetcher(files.indices) { loader.load(Array(files[$0])) }
    let model = method.logits(values: values)
    var correct = [Int](repeating: 0, count: set.classes.count)
    var total = correct
    var answers: [Answer] = []
    var unreadable: [ImageError] = []
    var digest = SHA256()
    for (index, wanted) in files.enumerated() {
      let batch = try batches.next(index)
      if !skipsUnreadable, let error = batch.unreadable.first { throw error }
      unreadable += batch.unreadable
      guard !batch.kept.isEmpty else { continue }
      let logits = model(.images(batch.images))
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
    (correctByClass, totalByClass, self.answers, self.unreadable) = (correct, total, answers, unreadable)
    logitsSHA256 = digest.digest.description
  }
}
