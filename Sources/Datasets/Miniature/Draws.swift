import Tensor

extension Miniature {
  /// The random numbers of one image: those of a named collection, such as `eurosat/train`, in a world.
  ///
  /// - seed: that of the world; index: that of the image in its collection, below 2³².
  package static func stream(seed: UInt64, _ collection: String, index: Int) -> RandomStream {
    // FNV-1a (Fowler, Noll and Vo) makes of the name a number that keeps collections apart.
    let hash = collection.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    return RandomStream(seed: hash ^ seed &* 0x9e37_79b9_7f4a_7c15, purpose: .synthesis, step: index)
  }
}

extension RandomStream {
  /// True with the given probability.
  mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

  /// One of several, all equally likely; traps on none.
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[integer(below: elements.count)] }

  /// One of several but not `other`, all equally likely.
  mutating func pick<Element: Equatable>(_ elements: [Element], not other: Element) -> Element {
    pick(elements.filter { $0 != other })
  }

  /// A number of mean 0 and the given deviation, within 3.5 deviations: the sum of four uniform numbers, which is
  /// nearly normal and needs neither a logarithm nor a rejection.
  mutating func normal(_ deviation: Double) -> Double {
    let word = next()
    let sum = (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48)
    return deviation * (Double(sum) - 131_070) / 37_837.2
  }
}
