extension Unicode.Scalar {
  /// General category L: Lu, Ll, Lt, Lm, Lo (`\p{L}`).
  var isLetter: Bool {
    if isASCII { return (0x61...0x7A).contains(value | 0x20) }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }

  /// General category N: Nd, Nl, No (`\p{N}`).
  var isNumber: Bool {
    if isASCII { return (0x30...0x39).contains(value) }
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }
}
