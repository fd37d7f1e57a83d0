import Testing

@testable import Models

@Suite struct HTMLEntitiesTests {
  private func lenient(_ text: String) -> String {
    String(String.UnicodeScalarView(HTMLEntities.unescaped(Array(text.unicodeScalars))))
  }

  private func strict(_ text: String) -> String {
    String(String.UnicodeScalarView(HTMLEntities.unescapedStrictly(Array(text.unicodeScalars))))
  }

  @Test func theStandardHas2231Names() { #expect(HTMLEntities.nameCount == 2231) }

  @Test(arguments: [
    ("&amp;", "&"), ("&amp", "&"), ("&ampx", "&x"), ("&AMP", "&"), ("&eacute;", "é"), ("&eacute", "é"),
    ("&Eacute;", "É"),
    ("&notit;", "¬it;"), ("&notin;", "∉"), ("&notinva;", "∉"), ("&nosuchname;", "&nosuchname;"), ("&", "&"),
    ("&;", "&;"),
    ("& amp;", "& amp;"), ("&&lt;", "&<"), ("&NotEqualTilde;", "\u{2242}\u{338}"),
    ("&CounterClockwiseContourIntegral;", "∳"),
    ("&amp;lt;", "&lt;"), ("&amp\u{37E}", "&\u{37E}"), ("&lté", "<é"), ("a&ltb", "a<b"), ("&hearts", "&hearts"),
  ]) func namesReadAsBrowsersDo(text: String, want: String) {
    #expect(lenient(text).unicodeScalars.elementsEqual(want.unicodeScalars))
  }

  @Test(arguments: [
    ("&#65;", "A"), ("&#65", "A"), ("&#65x", "Ax"), ("&#x41;", "A"), ("&#X4a;", "J"), ("&#x1F600;", "😀"),
    ("&#;", "&#;"),
    ("&#x;", "&#x;"), ("&#xg;", "&#xg;"), ("&#a;", "&#a;"), ("&#0;", "\u{FFFD}"), ("&#13;", "\r"), ("&#128;", "€"),
    ("&#x9f;", "Ÿ"), ("&#129;", "\u{81}"), ("&#1;", ""), ("&#11;", ""), ("&#127;", ""), ("&#xD800;", "\u{FFFD}"),
    ("&#xFDD0;", ""), ("&#xFFFF;", ""), ("&#x10FFFE;", ""), ("&#x10FFFD;", "\u{10FFFD}"), ("&#x110000;", "\u{FFFD}"),
    ("&#99999999999999999999999999999999;", "\u{FFFD}"), ("&#000000000000000000000000000000065;", "A"), ("&#10;", "\n"),
    ("&#٣;", "&#٣;"),
  ]) func numbersReadAsBrowsersDo(text: String, want: String) {
    #expect(lenient(text).unicodeScalars.elementsEqual(want.unicodeScalars))
  }

  @Test(arguments: [
    ("&amp;", "&"), ("&amp", "&amp"), ("this&not that", "this&not that"), ("&notit;", "&notit;"), ("&NTILDE;", "Ñ"),
    ("&SZLIG;", "SS"), ("&nTILDE;", "&nTILDE;"), ("&#39;", "'"), ("&#39", "&#39"), ("&#39x;", "&#39x;"),
    ("&#59;", "&#59;"),
    ("&#x26;", "&"), ("&LTX;", "&LTX;"), ("&HEARTS;", "♥"),
    ("&CounterClockwiseContourIntegral;", "&CounterClockwiseContourIntegral;"),
  ]) func strictReadingNeedsASemicolon(text: String, want: String) {
    #expect(strict(text).unicodeScalars.elementsEqual(want.unicodeScalars))
  }
}
