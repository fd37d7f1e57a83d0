import Testing

@testable import Models

@Suite struct TextCleaningTests {
  @Test(arguments: [
    ("  Two\t\nWORDS ", "two words"), ("a\u{2003}b\u{3000}c\u{85}", "a b c…"), ("ΣΑΣ", "σας"), ("ΣΑΣ’Σ", "σασ'ς"),
    ("Σ", "σ"),
    ("ΑΣ. Σ", "ας. σ"), ("İ", "i\u{307}"), ("ẞ", "ß"), ("e\u{301}", "é"), ("ﬁne ﬂow ﬆ", "fine flow st"), ("ŉ", "'n"),
    ("Ǆ", "dž"), ("ＡＢＣ１", "abc1"), ("ﾊﾟﾝ", "パン"), ("“a” ‘b’", "\"a\" 'b'"), ("a\r\nb\rc\u{2028}d", "a b c d"),
    ("\u{1B}[1;31mred\u{1B}[0m", "red"), ("\u{1B}[x", ""), ("\u{1B}[é", "[é"), ("a\u{0}b\u{7F}c\u{206A}d", "abcd"),
    ("\u{FEFF}x\u{FFFC}", "x"), ("a\u{B}b", "ab"), ("&lt;b&gt; &amp;amp;", "<b> &"), ("<b> &amp;amp;lt;", "<b> &lt;"),
    ("<\n&EACUTE;", "< &eacute;"), ("&EACUTE;", "é"), ("cafÃ©", "café"), ("o\u{E0059}\u{308}", "o\u{E0059}\u{308}"),
    ("\u{11099}\u{110BA}", "\u{1109A}"), ("가", "가"), ("", ""),
  ]) func publishedCleaning(text: String, want: String) {
    let found = TextCleaning.published.cleaned(text)
    #expect(found.unicodeScalars.elementsEqual(want.unicodeScalars), "\(found.debugDescription)")
  }

  @Test(arguments: [
    ("  Two\t\nWORDS ", "two words"), ("ΣΑΣ", "σασ"), ("e\u{301}", "é"), ("ﬁ", "ﬁ"), ("ＡＢＣ", "ａｂｃ"), ("“a”", "“a”"),
    ("a\u{0}b", "a\u{0}b"), ("&amp;", "&amp;"), ("cafÃ©", "cafã©"), ("\u{FEFF}x", "\u{FEFF}x"), ("", ""),
  ]) func huggingFaceCleaningRepairsNothing(text: String, want: String) {
    let found = TextCleaning.huggingFace.cleaned(text)
    #expect(found.unicodeScalars.elementsEqual(want.unicodeScalars), "\(found.debugDescription)")
  }

  @Test func theShortWayForASCIIEqualsTheLong() {
    // A trailing character beyond ASCII sends the same text the long way.
    for first in UInt8(0)...0x7F {
      for second in UInt8(0)...0x7F where first != 0x1B && second != 0x1B {
        let pair = String(String.UnicodeScalarView([first, second].map { Unicode.Scalar($0) }))
        let text = "x\(pair)Y"
        #expect(TextCleaning.published.cleaned(text) + " é" == TextCleaning.published.cleaned(text + " é"), "\(text)")
      }
    }
  }
}
