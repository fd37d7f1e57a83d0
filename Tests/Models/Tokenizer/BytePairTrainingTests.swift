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

  /// The merges of algorithm 1 as it is written: all pairs counted anew for each.
  private static func plain(_ words: [String: Int], limit: Int) -> [String] {
    var pieces = words.sorted { $0.key < $1.key }.map { word, count in
      (word.utf8.enumerated().map { String(UnicodeScalar($1)) + ($0 == word.utf8.count - 1 ? "</w>" : "") }, count)
    }
    var merges: [String] = []
    while merges.count < limit {
      var counts: [String: Int] = [:]
      for (symbols, count) in pieces {
        for (left, right) in zip(symbols, symbols.dropFirst()) { counts["\(left) \(right)", default: 0] += count }
      }
      guard let best = counts.min(by: { (-$0.value, $0.key) < (-$1.value, $1.key) })?.key else { break }
      merges.append(best)
      let pair = best.split(separator: " ").map(String.init)
      for index in pieces.indices {
        var joined: [String] = []
        for symbol in pieces[index].0 {
          if symbol == pair[1], joined.last == pair[0] {
            joined[joined.count - 1] = pair[0] + pair[1]
          } else {
            joined.append(symbol)
          }
        }
        pieces[index].0 = joined
      }
    }
    return merges
  }

  /// Words of few letters, in which pairs overlap, and of many.
  @Test(arguments: [(1, 9, 12), (2, 12, 30), (3, 6, 60), (26, 5, 80)], [1, 7])
  func mergesAreThoseOfTheAlgorithm(_ sizes: (letters: Int, length: Int, words: Int), seed: UInt64) {
    var words: [String: Int] = [:]
    var draws = RandomStream(Random(seed: seed, purpose: .initialization, step: 0))
    for _ in 0..<sizes.words {
      let length = 1 + draws.integer(below: sizes.length)
      let letters = (0..<length).map { _ in Character(UnicodeScalar(97 + UInt8(draws.integer(below: sizes.letters)))) }
      words[String(letters), default: 0] += 1 + draws.integer(below: 3)
    }
    for limit in [5, Int.max] {
      let merges = BytePairTraining(words: words, limit: limit).merges.map { "\($0) \($1)" }
      #expect(merges == Self.plain(words, limit: limit))
    }
  }

  /// A word that is no word is spelled; one of 16 kB took 12 s.
  @Test func longWordsAreLeftOut() {
    let long = (0..<20_000).map { String(UnicodeScalar(97 + UInt8($0 * $0 / 7 % 26))) }.joined()
    let training = BytePairTraining(words: [long: 9, "red": 1])
    #expect(training.merges.map { $0.0 + $0.1 } == ["ed</w>", "red</w>"])
    #expect(training.tokenizer.encode(long).count == 20_000)
    let most = String(repeating: "ab", count: 128)
    #expect(BytePairTraining(words: [most: 1]).tokenizer.encode(most).count == 1)
  }
}
