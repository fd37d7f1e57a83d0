import Tensor

/// A character set with one byte per character that agrees with ASCII below 128.
///
/// Bytes without a character represent the control character of the same number, as in browsers. In the Windows sets
/// U+FFFD is written as byte 1A (SUBSTITUTE): a lost character still takes one byte.
struct SingleByteEncoding: Sendable {
  let name: String
  /// True if byte 1A represents U+FFFD rather than U+001A.
  let substitutes: Bool
  private let upper: [Unicode.Scalar]
  private let bytes: [Unicode.Scalar: UInt8]

  private init(_ name: String, substitutes: Bool, _ upper: String) {
    self.name = name
    self.substitutes = substitutes
    self.upper = Array(upper.unicodeScalars)
    require(self.upper.count == 128, "\(name): expected 128 characters, found \(self.upper.count)")
    bytes = Dictionary(uniqueKeysWithValues: zip(self.upper, UInt8(128)...255))
  }

  func scalar(for byte: UInt8) -> Unicode.Scalar {
    if byte >= 0x80 { return upper[Int(byte) - 0x80] }
    return substitutes && byte == 0x1A ? "\u{FFFD}" : Unicode.Scalar(byte)
  }

  func byte(for scalar: Unicode.Scalar) -> UInt8? {
    if substitutes {
      if scalar == "\u{1A}" { return nil }
      if scalar == "\u{FFFD}" { return 0x1A }
    }
    return scalar.isASCII ? UInt8(truncatingIfNeeded: scalar.value) : bytes[scalar]
  }

  /// The bytes of `text`, or nil where a character has none.
  func encoded(_ text: [Unicode.Scalar]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      guard let byte = byte(for: scalar) else { return nil }
      result.append(byte)
    }
    return result
  }

  static let latin1 = SingleByteEncoding(
    "latin-1", substitutes: false, String(String.UnicodeScalarView((UInt8(128)...255).map { Unicode.Scalar($0) })))
  static let windows1252 = SingleByteEncoding(
    "windows-1252", substitutes: true,
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ"
      + "\u{A0}¡¢£¤¥¦§¨©ª«¬\u{AD}®¯°±²³´µ¶·¸¹º»¼½¾¿"
      + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
      + "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ")
  static let windows1251 = SingleByteEncoding(
    "windows-1251", substitutes: true,
    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ"
      + "\u{A0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{AD}®Ї°±Ііґµ¶·ё№є»јЅѕї"
      + "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
      + "абвгдежзийклмнопрстуфхцчшщъыьэюя")
  static let windows1250 = SingleByteEncoding(
    "windows-1250", substitutes: true,
    "€\u{81}‚\u{83}„…†‡\u{88}‰Š‹ŚŤŽŹ\u{90}‘’“”•–—\u{98}™š›śťžź"
      + "\u{A0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{AD}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż"
      + "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
      + "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙")
  static let windows1253 = SingleByteEncoding(
    "windows-1253", substitutes: true,
    "€\u{81}‚ƒ„…†‡\u{88}‰\u{8A}‹\u{8C}\u{8D}\u{8E}\u{8F}\u{90}‘’“”•–—\u{98}™\u{9A}›\u{9C}\u{9D}\u{9E}\u{9F}"
      + "\u{A0}΅Ά£¤¥¦§¨©ª«¬\u{AD}®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ"
      + "ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήί"
      + "ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ")
  static let windows1254 = SingleByteEncoding(
    "windows-1254", substitutes: true,
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}\u{8E}\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}\u{9E}Ÿ"
      + "\u{A0}¡¢£¤¥¦§¨©ª«¬\u{AD}®¯°±²³´µ¶·¸¹º»¼½¾¿"
      + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß"
      + "àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ")
  static let windows1257 = SingleByteEncoding(
    "windows-1257", substitutes: true,
    "€\u{81}‚\u{83}„…†‡\u{88}‰\u{8A}‹\u{8C}¨ˇ¸\u{90}‘’“”•–—\u{98}™\u{9A}›\u{9C}¯˛\u{9F}"
      + "\u{A0}¡¢£¤¥¦§Ø©Ŗ«¬\u{AD}®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ"
      + "ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß"
      + "ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙")
  static let latin2 = SingleByteEncoding(
    "iso-8859-2", substitutes: false,
    "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8A}\u{8B}\u{8C}\u{8D}\u{8E}\u{8F}"
      + "\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9A}\u{9B}\u{9C}\u{9D}\u{9E}\u{9F}"
      + "\u{A0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{AD}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
      + "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙")
  static let macRoman = SingleByteEncoding(
    "macroman", substitutes: false,
    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü"
      + "†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø"
      + "¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ"
      + "‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ")
  static let codePage437 = SingleByteEncoding(
    "cp437", substitutes: false,
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
      + "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
      + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
      + "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}")
}
