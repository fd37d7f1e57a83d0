import Tensor

extension Miniature {
  /// The English wording of captions and class names.
  enum Words {
    /// Rare synonyms; a caption uses one of them in place of ten words in a hundred.
    static let synonyms: [String: [String]] = [
      "striped": ["banded", "lined"], "dotted": ["spotted"], "checkered": ["chequered"], "wavy": ["rippled"],
      "shaded": ["gradual"], "speckled": ["flecked"], "grid": ["netted"], "plain": ["smooth"],
      "honeycombed": ["cellular"], "ringed": ["swirly"], "zigzagged": ["jagged"], "bricked": ["tiled"],
      "circle": ["disc", "ball"], "square": ["box"], "crescent": ["moon"], "oval": ["ellipse"], "bar": ["stick"],
      "drop": ["tear"], "corner": ["angle"], "tee": ["hammer"], "arch": ["gate"], "gear": ["cog"],
      "flower": ["bloom"], "house": ["cottage"], "mushroom": ["toadstool"], "star": ["asterisk"], "ring": ["hoop"],
      "cross": ["plus"], "red": ["crimson"], "orange": ["amber"], "yellow": ["golden"], "green": ["leafy"],
      "teal": ["cyan"], "blue": ["azure"], "purple": ["violet"], "pink": ["rosy"], "brown": ["wooden"],
      "grey": ["silver"], "white": ["snowy"], "small": ["tiny"], "large": ["big", "huge"],
    ]

    /// The word, or occasionally a rarer one.
    static func varied(_ word: String, using random: inout RandomStream) -> String {
      guard let rare = synonyms[word], random.chance(0.1) else { return word }
      return random.pick(rare)
    }

    /// "a" or "an", and the words after it.
    static func article(_ phrase: String) -> String {
      (phrase.first.map { "aeiou".contains($0) } ?? false ? "an " : "a ") + phrase
    }

    /// stars, crosses, lilies, fish
    static func plural(_ noun: String) -> String {
      if noun == "fish" { return noun }
      if noun.hasSuffix("y") { return noun.dropLast() + "ies" }
      let hisses = ["s", "x", "ch", "sh"].contains { noun.hasSuffix($0) }
      return noun + (hisses ? "es" : "s")
    }

    /// one … five
    static let numbers = ["one", "two", "three", "four", "five"]
  }
}
