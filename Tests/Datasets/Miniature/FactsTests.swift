import Testing

@testable import Datasets

@Suite struct FactsTests {
  private typealias Facts = Miniature.Facts
  private let stream = Miniature.PretrainingStream(seed: 1)

  @Test func everyClassAnswersOneQuestion() {
    #expect(Facts.classes.count == 143 && Set(Facts.classes).count == 143)
    #expect(Facts.ranges.flatMap { Array($0) } == Array(0..<143))
    #expect(Facts.classes[0] == "shape circle" && Facts.classes[28] == "shape none" && Facts.classes[29] == "color red")
    for (name, range) in zip(Facts.properties, Facts.ranges) {
      #expect(Facts.classes[range].allSatisfy { $0.hasPrefix(name + " ") })
    }
  }

  @Test func everyImageAnswersEveryQuestion() {
    var counts = [Int](repeating: 0, count: Facts.classes.count)
    for index in 0..<3000 {
      let labels = stream.pair(index, isLesson: false).facts.labels
      #expect(zip(labels, Facts.ranges).allSatisfy { $1.contains($0) } && labels.count == Facts.properties.count)
      for label in labels { counts[label] += 1 }
    }
    let missing = zip(Facts.classes, counts).filter { $1 == 0 }.map(\.0)
    // Every image has a style.
    #expect(missing == ["style none"], "\(missing)")
  }

  /// Captions and labels are two accounts of one image.
  @Test func captionsAgreeWithTheLabels() {
    func forms(_ word: String) -> [String] {
      ([word] + (Miniature.Words.synonyms[word] ?? [])).flatMap { [$0, Miniature.Words.plural($0)] }
    }
    let numbers = Miniature.Words.numbers.dropFirst()
    for index in 0..<2000 {
      let pair = stream.pair(index, isLesson: index % 4 == 0)
      let (facts, words) = (pair.facts, Set(pair.caption.split(separator: " ").map(String.init)))
      let named = Miniature.Figure.allCases.filter { !words.isDisjoint(with: forms($0.rawValue)) }
      #expect(Set(named) == Set([facts.figure, facts.other].compactMap(\.self)), "\(pair.caption)")
      if let number = numbers.firstIndex(where: words.contains) { #expect(facts.count == number + 1) }
      let isSketch = facts.style == .sketch
      #expect(!words.contains("sketch") || isSketch)
      #expect(isSketch == (facts.ground == nil) && isSketch == (facts.cover == nil))
      let hues = Miniature.Hue.allCases.filter { !words.isDisjoint(with: forms($0.rawValue)) }
      #expect(facts.relation != nil || hues.allSatisfy { $0 == facts.hue || $0 == facts.ground }, "\(pair.caption)")
      if let relation = facts.relation, facts.other != nil {
        #expect(pair.caption.contains(relation.rawValue) || pair.caption.contains(relation.reversed?.rawValue ?? "?"))
      }
    }
  }
}
