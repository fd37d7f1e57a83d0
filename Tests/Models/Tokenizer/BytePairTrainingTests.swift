import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct BytePairTrainingTests {
  /// The words of the example of Sennrich et al. 2016, section 3.2.
  @Test func theMostFrequentPairComesFirst() {
    let training = BytePairTraining(words: ["low": 5, "lower": 2, "newest": 6, "widest": 3])
    // e s and s t</w> occur nine times each, and their bytes decide; l o and o w seven times.
    #expect(training.merges[0] == ("e", "s"))
    #expect(training.merges[1] == ("es", "t</w>"))
    #expect(training.merges[2] == ("l", "o"))
  }

  @Test func everyWordBecomesOneToken() {
    let words = ["red", "striped", "star", "stars", "a", "photo", "of", "ananas", "aaaa", "upside"]
    let training = BytePairTraining(words: Dictionary(uniqueKeysWithValues: words.map { ($0, $0.count) }))
    let tokenizer = training.tokenizer
    #expect(tokenizer.tokenCount == 512 + training.merges.count + 2)
    for word in words { #expect(tokenizer.encode(word).count == 1, "\(word)") }
    #expect(tokenizer.encode("a striped star").count == 3)
    // A word never seen is spelled with what there is.
    #expect(tokenizer.encode("zebra").count > 1)
    // The end of every word is decoded as a space, as CLIP's tokenizer does.
    #expect(tokenizer.decode(tokenizer.encode("zebra red")) == "zebra red ")
  }

  @Test func filesAreReadBack() throws {
    let folder = try TemporaryFolder()
    let training = BytePairTraining(words: ["say": 3, "\"no\\": 2, "é": 1])
    try training.write(to: folder.url)
    let read = try Tokenizer.load(from: folder.url)
    for text in ["say", "\"no\\", "é say", "nay"] { #expect(read.encode(text) == training.tokenizer.encode(text)) }
    #expect(read.endOfText == training.tokenizer.endOfText && read.tokenCount == training.tokenizer.tokenCount)
  }

  @Test func aLimitKeepsTheFirstMerges() {
    let words = ["low": 5, "lower": 2, "newest": 6, "widest": 3]
    let whole = BytePairTraining(words: words)
    let cut = BytePairTraining(words: words, limit: 3)
    #expect(whole.merges.count > 3 && cut.merges.count == 3)
    #expect(zip(whole.merges, cut.merges).allSatisfy { $0 == $1 })
    #expect(cut.tokenizer.tokenCount == 512 + 3 + 2)
  }

  /// The words that the tokenizer merges within, not what is between spaces.
  @Test func wordsAreThoseOfTheTokenizer() {
    let counts = BytePairTraining.counts(of: ["A cat's  photo, no. 12", "the CAT", ""])
    #expect(
      counts == ["a": 1, "cat": 2, "'s": 1, "photo": 1, ",": 1, "no": 1, ".": 1, "1": 1, "2": 1, "the": 1])
    let tokenizer = BytePairTraining(words: counts).tokenizer
    #expect(tokenizer.encode("a cat's photo").count == 4)
  }

  @Test func nothingToLearn() {
    #expect(BytePairTraining(words: [:]).merges.isEmpty && BytePairTraining(words: ["a": 4]).merges.isEmpty)
  }
}
