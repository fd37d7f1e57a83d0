import Datasets
import Formats
import Foundation
import Tensor

/// A line of `predictions.jsonl`: one test picture, what it shows and what was said about it before and after tuning.
///
/// Labels are places in `data.classes` of `config.json`, followed by its `data.newClasses`.
public struct Prediction: Sendable, Codable, Equatable {
  /// What a model says.
  public struct Answer: Sendable, Codable, Equatable {
    /// The label of the class with the largest logit, the first of several.
    public var label: Int
    /// Its softmax, 0 to 1.
    public var probability: Float

    /// An answer.
    public init(label: Int, probability: Float) { (self.label, self.probability) = (label, probability) }
  }

  /// The file, relative to the data: `test/red_circle/00.png`.
  public var picture: String
  /// What it shows.
  public var label: Int
  /// What the tuned model says.
  public var tuned: Answer
  /// What the pretrained model says; `nil` for one that knows no classes by itself.
  public var zeroShot: Answer?

  /// A line.
  public init(picture: String, label: Int, tuned: Answer, zeroShot: Answer?) {
    (self.picture, self.label, self.tuned, self.zeroShot) = (picture, label, tuned, zeroShot)
  }

  /// The lines of the pictures of a split that the tuned model answered.
  ///
  /// - firstLabel: that of the first class of the split.
  static func all(
    of set: ImageSet, tuned: Evaluation, zeroShot: Evaluation?, firstLabel: Int = 0
  ) -> [Prediction] {
    let before = Dictionary(uniqueKeysWithValues: (zeroShot?.answers ?? []).map { ($0.picture, $0) })
    func answer(_ found: Evaluation.Answer) -> Answer {
      Answer(label: firstLabel + found.answer, probability: found.probability)
    }
    return tuned.answers.map { found in
      let item = set.items[found.picture]
      return Prediction(
        picture: item.url.pathComponents.suffix(3).joined(separator: "/"), label: firstLabel + item.label,
        tuned: answer(found), zeroShot: before[found.picture].map(answer))
    }
  }
}

extension RunFolder {
  /// Writes a line a picture.
  func writePredictions(_ all: [Prediction]) throws {
    var file = try AtomicFile(replacing: predictions)
    for prediction in all { try file.write(Array(try JSON.encoded(prediction)) + [10]) }
    try file.commit()
  }

  /// The answers to the test pictures; none where there is no such file, as in runs older than it.
  ///
  /// - Throws: `FileError` for a file that cannot be read, or a line that is something else.
  public func readPredictions() throws -> [Prediction] {
    guard FileManager.default.fileExists(atPath: predictions.path) else { return [] }
    return try JSON.lines(of: predictions, "the answer to a picture")
  }
}
