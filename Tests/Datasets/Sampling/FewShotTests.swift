import Datasets
import Foundation
import Tensor
import Testing

@Suite struct FewShotTests {
  /// Images of the given labels; each file is named by its index among those of its label.
  private func set(_ labels: [Int], classes: Int) -> ImageSet {
    var counts = [Int](repeating: 0, count: classes)
    let items = labels.map { label in
      defer { counts[label] += 1 }
      return LabelledImage(url: URL(fileURLWithPath: "/\(label)/\(counts[label])"), label: label)
    }
    return ImageSet(items: items, classes: (0..<classes).map { "class \($0)" })
  }

  private func repeated(_ counts: [Int]) -> ImageSet {
    set(counts.enumerated().flatMap { Array(repeating: $0, count: $1) }, classes: counts.count)
  }

  private func indices(_ set: ImageSet?) -> [String] { (set?.items ?? []).map { String($0.url.path.dropFirst()) } }

  /// Python 3.11: seed(1), then sample of 4 from 10, 50 and 30, and of min(4, 4) from 6 and 9; all 3 of the last.
  @Test func drawsAreThoseOfTheAuthorsCode() throws {
    let (train, validation) = try FewShot(.count(4), seed: 1)
      .drawn(train: repeated([10, 50, 30]), validation: repeated([6, 9, 3]))
    #expect(
      indices(train) == [
        "0/2", "0/1", "0/4", "0/0", "1/31", "1/48", "1/28", "1/30", "2/20", "2/12", "2/25", "2/6",
      ])
    #expect(
      indices(validation) == [
        "0/0", "0/3", "0/5", "0/1", "1/6", "1/0", "1/5", "1/3", "2/0", "2/1", "2/2",
      ])
    #expect(train.classes.count == 3)
  }

  @Test func classesAreDrawnInTheOrderTheyAppear() throws {
    let few = try FewShot(.count(1), seed: 2).drawn(train: set([2, 0, 2, 1, 0, 1], classes: 3)).train
    #expect(few.items.map(\.label) == [2, 0, 1])
  }

  @Test func manyShotsDrawAtMostFourForValidation() throws {
    let drawn = try FewShot(.count(16), seed: 3).drawn(train: repeated([20, 40]), validation: repeated([9, 9]))
    #expect(drawn.train.countByClass == [16, 16])
    #expect(drawn.validation?.countByClass == [4, 4])
    #expect(Set(drawn.train.items).count == 32)
    let one = try FewShot(.count(1), seed: 3).drawn(train: repeated([20, 40]), validation: repeated([9, 9]))
    #expect(one.validation?.countByClass == [1, 1])
  }

  @Test func allTakesEverythingInOrder() throws {
    let train = repeated([3, 1])
    let drawn = try FewShot(.all, seed: 1).drawn(train: train, validation: train)
    #expect(drawn.train == train)
    #expect(drawn.validation == train)
  }

  @Test func tooFewImagesAreRefusedByClassOrAllTaken() throws {
    let train = repeated([8, 5, 8])
    let error = try #require(throws: FewShot.TooFewImages.self) { try FewShot(.count(8), seed: 1).drawn(train: train) }
    #expect(error.description == #"class "class 1": expected at least 8 training images, found 5"#)
    let fewer = try FewShot(.count(8), seed: 1, allowsFewer: true).drawn(train: train).train
    #expect(fewer.countByClass == [8, 5, 8])
    #expect(indices(fewer)[8..<13] == ["1/0", "1/1", "1/2", "1/3", "1/4"])
    // The small class draws nothing: the others are drawn as if it were not there.
    let others = try FewShot(.count(8), seed: 1).drawn(train: repeated([8, 8])).train
    #expect(indices(fewer)[..<8] == indices(others)[..<8])
    #expect(indices(fewer)[13...].map { $0.dropFirst(2) } == indices(others)[8...].map { $0.dropFirst(2) })
  }

  @Test func aClassWithoutImagesIsRefusedAllTheSame() throws {
    let error = try #require(throws: FewShot.TooFewImages.self) {
      try FewShot(.count(8), seed: 1, allowsFewer: true).drawn(train: repeated([8, 0, 8]))
    }
    #expect(error.description == #"class "class 1": expected at least 1 training image, found 0"#)
  }

  @Test func sameSeedSameImagesOtherSeedOthers() throws {
    let train = repeated([100, 100])
    let draw = { (seed: Int) in try FewShot(.count(8), seed: seed).drawn(train: train).train }
    #expect(try draw(1) == draw(1))
    #expect(try draw(1) != draw(2))
  }
}
