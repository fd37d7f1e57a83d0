/// Words as tokens that are merged pair by pair, in time that grows with the number of places that change.
///
/// All words stand one after another. A place is the first byte of a token, or of none any more; places of a pair are
/// kept since it first occurred there, and looked at again when it is merged.
struct BytePairMerger {
  /// Two tokens beside each other, by id.
  private struct Pair: Hashable {
    let left, right: Int32
  }

  /// The tokens and their ids, of which equal ones have one, however they came about.
  private var names: [String] = []
  private var ids: [String: Int32] = [:]
  /// The token of each place, -1 for none, and the places before and behind it in its word, -1 at its ends.
  private var tokens: [Int32] = []
  private var before: [Int32] = []
  private var behind: [Int32] = []
  /// The number of occurrences of the word of each place.
  private var weights: [Int] = []
  private var counts: [Pair: Int] = [:]
  private var places: [Pair: [Int32]] = [:]
  private var queue = BinaryHeap<Entry>()

  /// A pair as frequent as it once was.
  private struct Entry: Comparable {
    let count: Int
    let pair: Pair
    /// The two tokens with a space between them.
    let text: [UInt8]

    /// Whether one is merged before another one.
    static func < (a: Entry, b: Entry) -> Bool {
      a.count != b.count ? a.count > b.count : a.text.lexicographicallyPrecedes(b.text)
    }
  }

  /// Words as their bytes, the last of each with the mark of an end.
  init(_ words: [String: Int]) {
    for (word, count) in words.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      let bytes = Array(word.utf8)
      for (index, byte) in bytes.enumerated() {
        let (place, isLast) = (Int32(tokens.count), index == bytes.count - 1)
        tokens.append(id(of: String(ByteAlphabet.scalars[Int(byte)]) + (isLast ? Tokenizer.wordEnd : "")))
        before.append(index == 0 ? -1 : place - 1)
        behind.append(isLast ? -1 : place + 1)
        weights.append(count)
      }
    }
    for place in tokens.indices where behind[place] >= 0 { add(Int32(place)) }
    for pair in counts.keys { enqueue(pair) }
  }

  /// Merges the most frequent pair everywhere, from the front of each word, and returns it; `nil` where there is none.
  mutating func mergeMostFrequent() -> (String, String)? {
    while let best = queue.first {
      queue.removeFirst()
      let count = counts[best.pair] ?? 0
      guard count == best.count else {
        // It has become rarer since; one that has become more frequent stands before it.
        if count > 0, count < best.count { enqueue(best.pair) }
        continue
      }
      merge(best.pair)
      return (names[Int(best.pair.left)], names[Int(best.pair.right)])
    }
    return nil
  }

  private mutating func merge(_ pair: Pair) {
    let merged = id(of: names[Int(pair.left)] + names[Int(pair.right)])
    var changed: Set<Pair> = []
    for place in (places.removeValue(forKey: pair) ?? []).sorted() {
      let right = behind[Int(place)]
      guard tokens[Int(place)] == pair.left, right >= 0, tokens[Int(right)] == pair.right else { continue }
      let (previous, next) = (before[Int(place)], behind[Int(right)])
      remove(place)
      if previous >= 0 { remove(previous) }
      if next >= 0 { remove(right) }
      (tokens[Int(place)], tokens[Int(right)], behind[Int(place)]) = (merged, -1, next)
      if next >= 0 { before[Int(next)] = place }
      if previous >= 0 { changed.insert(add(previous)) }
      if next >= 0 { changed.insert(add(place)) }
    }
    for pair in changed where counts[pair] != nil { enqueue(pair) }
  }

  /// The pair that begins at a place.
  private func pair(at place: Int32) -> Pair {
    Pair(left: tokens[Int(place)], right: tokens[Int(behind[Int(place)])])
  }

  @discardableResult
  private mutating func add(_ place: Int32) -> Pair {
    let pair = pair(at: place)
    counts[pair, default: 0] += weights[Int(place)]
    places[pair, default: []].append(place)
    return pair
  }

  private mutating func remove(_ place: Int32) {
    let pair = pair(at: place)
    let rest = (counts[pair] ?? 0) - weights[Int(place)]
    counts[pair] = rest > 0 ? rest : nil
  }

  private mutating func id(of name: String) -> Int32 {
    if let id = ids[name] { return id }
    let id = Int32(names.count)
    names.append(name)
    ids[name] = id
    return id
  }

  /// Adds a pair to the queue, as frequent as it is now.
  private mutating func enqueue(_ pair: Pair) {
    let text = Array(names[Int(pair.left)].utf8) + [UInt8(ascii: " ")] + Array(names[Int(pair.right)].utf8)
    queue.insert(Entry(count: counts[pair] ?? 0, pair: pair, text: text))
  }
}
