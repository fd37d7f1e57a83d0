import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite struct PretrainingStreamTests {
  private let stream = Miniature.PretrainingStream(seed: 1)

  /// Pictures and captions are part of what the shipped weights are: these digests never change.
  @Test func theFirstPicturesAreTheSameOnEveryMachine() {
    var (pairs, labels) = (SHA256(), SHA256())
    for index in 0..<64 {
      for isLesson in [false, true] {
        let pair = stream.pair(index, isLesson: isLesson)
        pairs.update(pair.image.pixels)
        pairs.update(Array(pair.caption.utf8))
        labels.update(pair.facts.labels.map { UInt8($0) })
      }
    }
    #expect(pairs.digest.description == "7a3315090ce1d07786e0bcc62cdcbfe7a55edcbe8be8a38b90a040d3ba726053")
    #expect(labels.digest.description == "b5079cf5b1c7d72fc9e6e42b1cf587446b3f07504fbf573d56ef6b38b9e8f168")
  }

  @Test func captionsAreThoseOfThePictures() {
    for index in 0..<200 { #expect(stream.caption(index) == stream.pair(index, isLesson: false).caption) }
  }

  @Test func seedsAndStreamsDiffer() {
    let other = Miniature.PretrainingStream(seed: 2)
    let pictures = (0..<50).flatMap { index in
      [true, false].flatMap { isLesson in
        [stream.pair(index, isLesson: isLesson).image.pixels, other.pair(index, isLesson: isLesson).image.pixels]
      }
    }
    #expect(Set(pictures).count == pictures.count)
  }

  @Test func captionsSayWhatIsThere() {
    let numbers = Set(["two", "three", "four", "five"])
    let relations = Miniature.Relation.allCases.map { " \($0.rawValue) a" }
    var (counted, related) = (0, 0)
    for index in 0..<3000 {
      let caption = stream.caption(index)
      let words = caption.split(separator: " ").map(String.init)
      #expect(!words.isEmpty && words.allSatisfy { $0.allSatisfy { $0.isLetter && $0.isLowercase } })
      if words.contains(where: numbers.contains) { counted += 1 }
      if relations.contains(where: caption.contains) { related += 1 }
    }
    // Shares of 0.15 and 0.22, five standard errors wide.
    #expect(abs(Double(counted) / 3000 - 0.15) < 0.033)
    #expect(abs(Double(related) / 3000 - 0.22) < 0.038)
  }

  @Test func lessonsAlwaysNameTheShape() {
    let figures = Set(Miniature.Figure.allCases.map(\.rawValue))
    let rare = Set(figures.flatMap { Miniature.Words.synonyms[$0] ?? [] })
    for index in 0..<500 {
      let words = stream.pair(index, isLesson: true).caption.split(separator: " ").map(String.init)
      #expect(words.contains { figures.contains($0) || rare.contains($0) })
    }
  }

  @Test(arguments: Miniature.Property.allCases) func propertiesAreWatchedOnPicturesOfTheirOwn(
    _ property: Miniature.Property
  ) {
    #expect(Set(property.captions).count == property.captions.count)
    let examples = (0..<240).map { stream.example(of: property, $0) }
    #expect(examples.allSatisfy { property.captions.indices.contains($0.label) })
    #expect(Set(examples.map(\.label)).count == property.captions.count)
    #expect(Set(examples.map(\.image.pixels)).count == examples.count)
  }

  @Test func articlesAndPlurals() {
    #expect(Miniature.Words.article("red star") == "a red star" && Miniature.Words.article("oval") == "an oval")
    #expect(Miniature.Words.plural("cross") == "crosses" && Miniature.Words.plural("fish") == "fish")
    #expect(Miniature.Words.plural("arch") == "arches" && Miniature.Words.plural("star") == "stars")
    #expect(Miniature.Words.plural("box") == "boxes")
  }
}
