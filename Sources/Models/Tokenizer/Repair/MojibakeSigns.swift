import Tensor

/// Distinguishes text decoded with the wrong character set from intended text.
///
/// UTF-8 read as a single-byte set leaves pairs of characters that no language writes side by side: an accented letter
/// and a currency sign, a fraction and a capital with a ring. Each rule is such a sequence, given as the groups its
/// characters must belong to; one match anywhere is enough. The rules accept what ftfy 6.3 accepts (Speer 2019), so
/// that texts are cleaned as the published tokenizer cleans them.
struct MojibakeSigns {
  private struct Groups: OptionSet {
    let rawValue: UInt64
    static func bit(_ index: UInt64) -> Groups { Groups(rawValue: 1 << index) }
  }

  private struct Rule {
    let groups: [Groups]
    let startsText: Bool
  }

  private let members: [Unicode.Scalar: Groups]
  private let rules: [Rule]

  private static let word = Groups.bit(60)
  private static let space = Groups.bit(61)
  private static let notLatin = Groups.bit(62)
  private static let notNewline = Groups.bit(63)

  /// The groups that rules refer to by a name between braces.
  private static let named: [String: String] = [
    "common": "\u{A0}\u{AD}´·–—―’…",
    "bad": "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\u{FFFD}",
    "law": "§¶",
    "currency": "¢£¥₧€",
    "opening": "¡©«¿΄΅‘‚“„•‹\u{F8FF}",
    "closing": "®»˝”›™",
    "numeric": "±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥",
    "kaomoji": "°ÒÓÔÕÖÙÚÛÜòóôõöøùúûüŌŐŪŲ",
    "upper": "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ",
    "lower": "ßàáâãäåæçèéêëìíîïðñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ",
    "upperCommon": "ÞΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ\u{3A2}ΣΤΥΦΧΨΩΪΫЁЂЃЄЅІЇЈЉЊЋЌ\u{40D}ЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "lowerCommon": "άέήίΰαβγδεζηθικλμνξοπρςστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќѝўџ",
    "box": "│┌┐┘├┤┬┼═║╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬▀▄█▌▐░▒▓",
    "control": String(String.UnicodeScalarView((UInt32(0x80)...0x9F).compactMap(Unicode.Scalar.init))),
    "a-z": "abcdefghijklmnopqrstuvwxyz",
    "A-Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  ]

  /// One line per sequence, one word per character: `{group}`s and literal characters, any of which match.
  ///
  /// `_` is a literal space, `{word}`, `{space}`, `{notLatin}`, `{any}` are classes of all Unicode.
  private static let sequences = """
    {control}
    {bad}{lower}{upper}{box}{opening}{closing}{currency}{numeric}{law} {bad}
    {a-z}{A-Z} {lowerCommon}{upperCommon} {bad}
    {bad} {lower}{upper}{box}{opening}{closing}{currency}{numeric}{law}
    {lower}{lowerCommon}{box}{closing}{currency}{numeric} {upper}
    {box}{closing}{currency}{numeric} {lower}
    {lower}{box}{closing} {currency}
    {space} {upper} {currency}
    {upper}{box} {numeric}{law}
    {lower}{upper}{box}{currency}{closing} {opening} {numeric}
    {lower}{upper}{currency}{numeric}{box}{law} {closing} {opening}
    {currency}{numeric}{box} {opening}
    {a-z} {upper} {opening}{currency}
    {box} {kaomoji}
    {lower}{upper}{currency}{numeric}{opening}{closing}{law} {box}
    {box} {closing}
    {lower}{upper} {opening}{closing} {word}
    Œœ {notLatin}
    {upper} °
    ÂÃÎÐ €œŠš¢£Ÿž\u{A0}\u{AD}®©°·»{opening}{closing}–—´
    × ²³
    ØÙ {common}{currency}{bad}{numeric}{opening}ŸŠ®°µ» ØÙ {common}{currency}{bad}{numeric}{opening}ŸŠ®°µ»
    à ²µ¹¼½¾
    √ ±∂†≠®™´≤≥¥µø
    ≈ °¢
    ‚ Ä ìîïòôúùû†°¢π
    ‚ âó àä°ê
    в Ђ
    ВГРС {control}{bad}{opening}{closing}{currency}°µ ВГРС
    Г ў В Ђ В {any} {a-z}{A-Z}_
    {a-z} ÃÂ _
    {a-z} {space} ÃÂ _
    ^ ÃÂ _
    {a-z}.,?!{closing} Â _{opening}{closing}
    β € ™\u{A0}Ά\u{AD}®°
    ΒΓΞΟ {control}{bad}{opening}{closing}{currency}° ΒΓΞΟ
    """

  static let shared = MojibakeSigns()

  private init() {
    var bits: [String: Groups] = ["word": Self.word, "space": Self.space, "notLatin": Self.notLatin]
    bits["any"] = Self.notNewline
    var members: [Unicode.Scalar: Groups] = [:]
    func group(_ name: String, of characters: String) -> Groups {
      if let known = bits[name] { return known }
      let group = Groups.bit(UInt64(bits.count - 4))
      require(group.rawValue < Self.word.rawValue, "more than 60 groups of characters")
      bits[name] = group
      for scalar in characters.unicodeScalars { members[scalar, default: []].insert(group) }
      return group
    }
    rules = Self.sequences.unicodeScalars.split(separator: "\n").map { line in
      var words = line.split(separator: " ").map { String($0) }
      let startsText = words.first == "^"
      if startsText { words.removeFirst() }
      let groups = words.map { word in
        var result: Groups = []
        var literals = ""
        var rest = Substring(word).unicodeScalars
        while let first = rest.popFirst() {
          if first == "{", let end = rest.firstIndex(of: "}") {
            let name = String(rest[..<end])
            result.formUnion(group(name, of: Self.named[name] ?? ""))
            rest = rest[rest.index(after: end)...]
          } else {
            literals.unicodeScalars.append(first == "_" ? " " : first)
          }
        }
        return literals.isEmpty ? result : result.union(group("literals " + literals, of: literals))
      }
      return Rule(groups: groups, startsText: startsText)
    }
    self.members = members
  }

  /// Returns whether any of the sequences occurs in `text`.
  func isBad(_ text: [Unicode.Scalar]) -> Bool {
    let groups = text.map(groups)
    for start in groups.indices {
      for rule in rules where rule.groups.count <= groups.count - start && !(rule.startsText && start > 0) {
        var offset = 0
        while offset < rule.groups.count, !rule.groups[offset].isDisjoint(with: groups[start + offset]) { offset += 1 }
        if offset == rule.groups.count { return true }
      }
    }
    return false
  }

  private func groups(of scalar: Unicode.Scalar) -> Groups {
    var result = members[scalar] ?? []
    if scalar.isLetter || scalar.isNumber || scalar == "_" { result.insert(Self.word) }
    if scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value) { result.insert(Self.space) }
    let isLatin = scalar.isASCII && scalar.isLetter
    if !isLatin { result.insert(Self.notLatin) }
    if scalar != "\n" { result.insert(Self.notNewline) }
    return result
  }
}
