import Testing

@testable import Methods

/// The epochs after which a selection looks at a split.
@Suite struct SelectionTests {
  /// The epochs, counted from 1, that are judged.
  private func judged(_ selection: RunConfiguration.Selection, of epochs: Int) -> [Int] {
    (1...epochs).filter { selection.judges(epoch: $0, of: epochs) }
  }

  /// The released code counts from 0: it looks after its epochs 0, 10, …, 80 and 90 to 99.
  @Test func theTestSplitIsReadAfterThePublishedEpochs() {
    #expect(judged(.test, of: 100) == [1, 11, 21, 31, 41, 51, 61, 71, 81] + Array(91...100))
    #expect(judged(.test, of: 25) == [1, 11] + Array(16...25))
  }

  @Test(arguments: [1, 2, 9, 10]) func ofFewEpochsEachIsRead(_ epochs: Int) {
    #expect(judged(.test, of: epochs) == Array(1...epochs))
  }

  @Test func theValidationSplitIsReadAfterEachEpochAndNoneForTheLast() {
    #expect(judged(.validation, of: 12) == Array(1...12) && judged(.last, of: 12).isEmpty)
  }
}
