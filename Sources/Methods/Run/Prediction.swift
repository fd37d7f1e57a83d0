import Datasets
import Formats
import Foundation
import Tensor

/// A line of `predictions.jsonl`: one test image, its label, and the predictions before and after tuning.
///
/// Labels are indices in `data.classes` of `config.json`, followed by its `data.newClasses`.
public struct Prediction: Sendable, Codable, Equatable {
  /// The prediction of a model.
  public struct Answer: Sendable, Codable, Equatable {
    /// The label of the class with the largest logit, the first of several.
    public var label: Int
    /// Its softmax, 0 to 1.
    public var probability: Float

    /// A prediction.
    package init(label: Int, probability: Float) { (self.label, self.probability) = (label, probability) }
  }

  /// The file, relative to the data: `test/red_circle/00.png`.
  public var picture: String
  /// Its label.
  public var label: Int
  /// The prediction of the tuned model.
  public var tuned: Answer
  /// The prediction of the pretrained model; `nil` for one without zero-shot classes.
  public var zeroShot: Answer?

  /// A line.
  package init(picture: String, label: Int, tuned: Answer, zeroShot: Answer?) {
    (self.picture, self.label, self.tuned, self.zeroShot) = (picture, label, tuned, zeroShot)
  }

  /// The lines of the images of a split that the tuned model classified.
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
        picture: FileName.shown(item.name), label: firstLabel + item.label,
        tuned: answer(found), zeroShot: before[found.picture].map(answer))
    }
  }
}

extension RunFolder {
  /// Writes one line per image.
  func writePredictions(_ all: [Prediction]) throws {
    var file = try AtomicFile(replacing: predictions)
    for prediction in all { try file.write(Array(try JSON.encoded(prediction)) + [10]) }
    try file.commit()
  }

  /// The predictions for the test images; none if there is no such file, as in older runs.
  ///
  /// - Throws: `FileError` for a file that cannot be read, or a line that is something else.
  public func readPredictions() throws -> [Prediction] {
    guard FileManager.default.fileExists(atPath: predictions.path) else { return [] }
    return try JSON.lines(of: predictions, "the prediction for an image")
  }
}
