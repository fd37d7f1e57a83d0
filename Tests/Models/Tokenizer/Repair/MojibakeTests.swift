import Tensor
import Testing

@testable import Models

/// Expected texts are what ftfy 6.3.1 makes of them.
@Suite struct MojibakeTests {
  private func repaired(_ text: String) -> String {
    String(String.UnicodeScalarView(Mojibake.repaired(Array(text.unicodeScalars))))
  }

  private static let encodings: [SingleByteEncoding] = [
    .latin1, .windows1252, .windows1251, .windows1250, .windows1253, .windows1254, .windows1257, .latin2, .macRoman,
    .codePage437,
  ]

  @Test(arguments: [
    ("cafÃ©", "café"), ("donâ€™t", "don’t"), ("Ãœber", "Über"), ("â€œquotesâ€\u{9D}", "“quotes”"), ("PÃ©rez", "Pérez"),
    ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"), ("voilÃ le travail", "voilà le travail"), ("Ã la mode", "à la mode"), ("√©t√©", "été"),
    ("ÃƒÂ©", "é"), ("ÃÂ©", "é"), ("â€œ like this â€�", "“ like this �"), ("ðŸ˜€", "😀"), ("a\u{85}b", "a…b"),
    ("РџСЂРёРІРµС‚", "Привет"), ("l’humanitÃ©", "l’humanité"), ("\u{80}5", "€5"), ("fÃ¼r 5€", "für 5€"),
  ]) func wrongDecodingsAreUndone(text: String, want: String) {
    #expect(repaired(text).unicodeScalars.elementsEqual(want.unicodeScalars))
  }

  @Test(arguments: [
    "", "plain", "café", "Ångström", "naïve — “quoted” text…", "Привет", "Ελλάδα", "日本語", "Ã", "HÔTEL", "5 × 3 ² µm",
    "(ಠ_ಠ)", "Łódź", "¿Qué?", "👩‍👩‍👧", "ÀÉÎÕÜ", "│ a │",
  ]) func textThatWasMeantStays(text: String) {
    #expect(repaired(text).unicodeScalars.elementsEqual(text.unicodeScalars))
  }

  @Test(arguments: [
    ("猫 cafÃ©", "猫 café"), ("猫 donâ€™t ÐŸÑ€Ð¸", "猫 don’t При"), ("猫Ã©Ã©猫 Ã¼", "猫éé猫 ü"),
    ("猫 café â\u{80}\u{99}s", "猫 café ’s"),
    // Behind a character that looks like a later byte nothing is re-read.
    ("žÐ¸", "žÐ¸"), ("¸Âž", "¸Âž"), (" €ÃŸ猫", " €ÃŸ猫"),
  ]) func onlyBrokenStretchesAreUndone(text: String, want: String) {
    #expect(repaired(text).unicodeScalars.elementsEqual(want.unicodeScalars))
  }

  @Test(arguments: encodings.map(\.name)) func bytesSurviveEveryEncoding(name: String) throws {
    let encoding = try #require(Self.encodings.first { $0.name == name })
    let bytes = (UInt8(0)...255).filter { _ in true }
    let text = bytes.map(encoding.scalar)
    #expect(Set(text).count == 256)
    #expect(encoding.encoded(text) == bytes)
    #expect(encoding.encoded(["猫"]) == nil)
  }

  @Test func halfASurrogatePairIsNoText() {
    #expect(AlteredUTF8.decoded([0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]) == ["😀"])
    #expect(AlteredUTF8.decoded([0xC0, 0x80]) == ["\0"])
    #expect(AlteredUTF8.decoded([0xED, 0xA0, 0xBD]) == nil)
    #expect(AlteredUTF8.decoded([0xC0]) == nil)
    #expect(AlteredUTF8.decoded([0xE2, 0x82]) == nil)
    #expect(AlteredUTF8.decoded([]) == [])
  }

  @Test(arguments: [
    ([UInt8]([0x1A]), [UInt8]([0xEF, 0xBF, 0xBD])), ([0xC3, 0x3F], [0xEF, 0xBF, 0xBD]), ([0xC4, 0x3F], [0xC4, 0x3F]),
    ([0xE2, 0x80, 0x1A], [0xEF, 0xBF, 0xBD]), ([0xE2, 0x3F, 0x3F], [0xE2, 0x3F, 0x3F]), ([0x3F], [0x3F]),
    ([0xF0, 0x9F, 0x3F, 0x1A], [0xEF, 0xBF, 0xBD]), ([0xE2, 0x80, 0x99, 0x3F], [0xE2, 0x80, 0x99, 0x3F]),
    ([0xED, 0xA0, 0x3F, 0xED, 0xB8, 0x80], [0xEF, 0xBF, 0xBD]),
  ]) func lostBytesReadAsReplacements(bytes: [UInt8], want: [UInt8]) {
    #expect(AlteredUTF8.replacingLosses(bytes) == want)
  }
}
