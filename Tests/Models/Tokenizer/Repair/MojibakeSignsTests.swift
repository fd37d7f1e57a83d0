import Testing

@testable import Models

/// One witness a rule, which no other rule matches; ftfy 6.3.1 answers the same for all texts here.
@Suite struct MojibakeSignsTests {
  @Test(arguments: [
    "\u{8F}", "╝⌐", "iΙ\u{FFFD}", "‡΅", "╚Ä", "≠ß", "═¥", " Ì₧", "╓¶", "”«¾", "Ş™¡", "µ«", "yĹ©", "╛°", "Ð╦", "▄™",
    "ґ®q", "œ7", "Ž°", "ÂŠ", "×³", "Ù΅ÙŠ", "à½", "√¥", "≈¢", "‚Ä¢", "‚óà", "вЂ", "В¡Г", "ГўВЂВ猫M", "tÃ ", "w\u{9}Â ",
    "Ã ", ".Â ", "β€®", "Ξ€Β",
  ]) func eachSequenceAloneIsASign(text: String) { #expect(MojibakeSigns.shared.isBad(Array(text.unicodeScalars))) }

  @Test(arguments: [
    "", "a", "Ã", "€", "´dÏ", "hęļ", "å≠∩", "ìŌ╓", "│rã", "ziĀ", "√pi", "Ñyť", "«ăg", "ùåž", "gŞa", "΅h¹", "àã³", "Ÿíæ",
    "üī„", "·‘Ô", "Ò╧┐", "ŲŌ▄", "ķü≠", "ÖÀn", "vô¥", "ĢŐ▌", "tąé", "yõÓ", "ôp≥", "Üą∩", "ŃĖĢ", "ŘëŐ", "śpļ", "i‘Ľ",
    "ŇŃŤ", "„r╫", "Ëa∂", "”΄ù", "âu½", "q¡Ö", "ґ°Û", "¾ÚŞ", "Żjť", "═pd",
  ]) func othersAreNoSign(text: String) { #expect(!MojibakeSigns.shared.isBad(Array(text.unicodeScalars))) }
}
