import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct EvaluationTests {
  private let fixture: RunFixture
  private let method: Method

  init() throws {
    fixture = try RunFixture()
    let features = try Prompts(classes: fixture.images.classNames, templates: ["a {}"])
      .classifier(of: fixture.pretrained.directory, ensembling: .rawMean)
    method = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: features, logitScale: fixture.pretrained.model.logitScale),
      tower: fixture.pretrained.model.vision)
  }

  private func evaluation(
    _ set: ImageSet, skipsUnreadable: Bool = false, progress: (Int) throws -> Void = { _ in }
  ) throws -> Evaluation {
    try Evaluation(
      method, values: [], on: set, preprocessing: fixture.pretrained.preprocessing, skipsUnreadable: skipsUnreadable,
      progress: progress)
  }

  /// The logits of each picture, computed alone.
  private func logits(_ set: ImageSet) throws -> [[Real]] {
    let loader = ImageLoader(preprocessing: fixture.pretrained.preprocessing)
    return try set.items.map { method.logits(.images(try loader.loadAll([($0.url, 0)])), values: []).values }
  }

  @Test func itCountsTheRightAnswersOfEveryClass() throws {
    // 64 and 7 pictures: whole batches, and one that is not.
    for set in [
      fixture.images.train,
      ImageSet(items: Array(fixture.images.test.items.prefix(7)), classes: fixture.images.classNames),
    ] {
      var (correct, total) = ([0, 0, 0, 0], [0, 0, 0, 0])
      var bytes: [UInt8] = []
      for (item, row) in zip(set.items, try logits(set)) {
        let answer = row.indices.max { row[$0] < row[$1] || (row[$0] == row[$1] && $0 > $1) }
        total[item.label] += 1
        if answer == item.label { correct[item.label] += 1 }
        for value in row { withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { bytes += $0 } }
      }
      let found = try evaluation(set)
      #expect(found.correctByClass == correct && found.totalByClass == total)
      #expect(found.accuracy == 100 * Double(correct.reduce(0, +)) / Double(set.count))
      // No bit depends on the batch a picture is computed in.
      #expect(found.logitsSHA256 == SHA256.digest(of: bytes).description)
    }
  }

  /// softmax by its definition; `Float` keeps 24 bits of it, and the kernel's is good to a few units of the last.
  @Test func everyAnswerHasItsProbability() throws {
    let set = ImageSet(items: Array(fixture.images.test.items.prefix(7)), classes: fixture.images.classNames)
    let found = try evaluation(set).answers
    #expect(found.map(\.picture) == Array(0..<7))
    for (answer, row) in zip(found, try logits(set)) {
      let powers = row.map { exp(Double($0) - Double(row.max() ?? 0)) }
      let expected = 1 / powers.reduce(0, +)
      #expect(powers[answer.answer] == 1)
      #expect(abs(Double(answer.probability) - expected) <= 8 * Double(Float.ulpOfOne) * expected)
    }
  }

  @Test func anEmptySetHasNoAnswers() throws {
    let found = try evaluation(ImageSet(items: [], classes: ["a", "b"]))
    #expect(found.total == 0 && found.accuracy == 0 && found.totalByClass == [0, 0])
    #expect(found.logitsSHA256 == SHA256.digest(of: []).description)
  }

  @Test func unreadablePicturesEndItOrAreCounted() throws {
    let folder = try TemporaryFolder()
    let broken = LabelledImage(url: try folder.write("x", to: "broken.png"), label: 1)
    var items = fixture.images.test.items
    items.insert(broken, at: 3)
    let set = ImageSet(items: items, classes: fixture.images.classNames)
    #expect(throws: ImageError.self) { try evaluation(set) }
    let found = try evaluation(set, skipsUnreadable: true)
    #expect(found.unreadable.map(\.name) == [broken.url.path])
    #expect(found.logitsSHA256 == (try evaluation(fixture.images.test)).logitsSHA256)
    #expect(found.total == 32 && found.answers.map(\.picture) == [0, 1, 2] + Array(4...32))
    let error = #expect(throws: RunError.self) {
      try evaluation(ImageSet(items: [broken], classes: fixture.images.classNames), skipsUnreadable: true)
    }
    let expected = "expected readable images, found none (1 unreadable), the first being "
    #expect(error?.description.hasPrefix(expected) == true)
  }

  @Test func progressIsToldAndMayEndIt() throws {
    var seen: [Int] = []
    _ = try evaluation(fixture.images.train) { seen.append($0) }
    #expect(seen == [32, 64])
    struct Enough: Error {}
    #expect(throws: Enough.self) { try evaluation(fixture.images.train) { _ in throw Enough() } }
  }
}
