import Testing

@testable import Models

/// Two ways to the same merges: rounds over the word, and a queue.
@Suite struct BytePairMergesTests {
  /// The definition in ten lines: join the best pair everywhere, repeat.
  private func plain(_ word: [Int32], _ merges: [BytePairMerges.Merge]) -> [Int32] {
    var word = word
    while let best = merges.first(where: { merge in
      zip(word, word.dropFirst()).contains { $0 == merge.left && $1 == merge.right }
    }) {
      var next: [Int32] = []
      var index = 0
      while index < word.count {
        let isPair = index + 1 < word.count && word[index] == best.left && word[index + 1] == best.right
        next.append(isPair ? best.joined : word[index])
        index += isPair ? 2 : 1
      }
      word = next
    }
    return word
  }

  @Test(arguments: [0, 1, 2, 3, 4, 7, 31, 63, 64, 65, 131]) func bothWaysFollowTheDefinition(length: Int) {
    var generator = SplitMix(state: UInt64(length))
    for _ in 0..<40 {
      // Letters 0…2; each merge joins two known symbols to a new one, in an order that later ranks may overtake.
      var merges: [BytePairMerges.Merge] = []
      var count: Int32 = 3
      while merges.count < 9 {
        let left = Int32(generator.next() % UInt64(count))
        let right = Int32(generator.next() % UInt64(count))
        guard !merges.contains(where: { $0.left == left && $0.right == right }) else { continue }
        merges.append(.init(left: left, right: right, joined: count))
        count += 1
      }
      if generator.next() % 2 == 0 { merges.reverse() }
      let table = BytePairMerges(merges, tokenCount: Int(count))
      let word = (0..<length).map { _ in Int32(generator.next() % 3) }
      let want = plain(word, merges)
      var rounds = word
      table.mergeInRounds(&rounds)
      #expect(rounds == want)
      var queue = word
      table.mergeWithQueue(&queue)
      #expect(queue == want)
      var chosen = word
      table.merge(&chosen)
      #expect(chosen == want)
    }
  }

  @Test func withoutMergesNothingChanges() {
    var word: [Int32] = [0, 1, 0]
    BytePairMerges([], tokenCount: 2).merge(&word)
    #expect(word == [0, 1, 0])
  }
}

/// Numbers that are the same in every run (SplitMix64).
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
