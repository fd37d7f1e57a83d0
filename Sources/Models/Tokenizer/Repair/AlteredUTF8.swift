/// UTF-8 bytes that were damaged in transport: byte A0 turned into a space, bytes lost, surrogates encoded one by one.
enum AlteredUTF8 {
  /// Restores byte A0 where a space keeps a likely sequence from decoding.
  ///
  /// The sequences: `C2 C3 C5 CE D0 D9` + space; `E0…E3` with a space at one of two positions (not first after E0, E1,
  /// whose scripts are rare); `F0` with a space in one of three. Byte 85 next to the space is more often an ellipsis.
  static func restoringSpaces(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.indices.contains(where: { alteredLength(bytes, $0) > 0 }) else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    let spaced = separatingWords(bytes)
    var index = 0
    while index < spaced.count {
      let length = max(alteredLength(spaced, index), 1)
      let isAltered = length > 1
      result += spaced[index..<(index + length)].map { isAltered && $0 == 0x20 ? 0xA0 : $0 }
      index += length
    }
    return result
  }

  /// The word "à" lost half of `C3 A0 20`: the space after it is kept, but in Portuguese às, àquele, àquela, àquilo.
  private static func separatingWords(_ bytes: [UInt8]) -> [UInt8] {
    let joined = [" ", "quele", "quela", "quilo", "s "].map { Array($0.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0xC3, index + 1 < bytes.count, bytes[index + 1] == 0x20,
        !joined.contains(where: { bytes[(index + 2)...].starts(with: $0) })
      {
        result += [0xC3, 0xA0, 0x20]
        index += 2
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }

  private static func alteredLength(_ bytes: [UInt8], _ start: Int) -> Int {
    func byte(_ offset: Int) -> UInt8 { start + offset < bytes.count ? bytes[start + offset] : 0 }
    func isContinuation(_ offset: Int) -> Bool { byte(offset) & 0xC0 == 0x80 }
    func isPlain(_ offset: Int) -> Bool { isContinuation(offset) && byte(offset) != 0x85 && byte(offset) != 0xA0 }
    func isSpace(_ offset: Int) -> Bool { byte(offset) == 0x20 }
    switch byte(0) {
    case 0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9: return isSpace(1) ? 2 : 0
    case 0xE0, 0xE1: return isPlain(1) && isSpace(2) ? 3 : 0
    case 0xE2, 0xE3: return isSpace(1) && isPlain(2) || isPlain(1) && isSpace(2) ? 3 : 0
    case 0xF0:
      let spaces = (1...3).filter(isSpace)
      return spaces.count == 1 && (1...3).allSatisfy { isSpace($0) || isContinuation($0) } ? 4 : 0
    default: return 0
    }
  }

  /// Turns sequences with a lost byte (1A, or one `?`) into U+FFFD.
  static func replacingLosses(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x1A) || bytes.contains(0x3F) else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let length = lossyLength(bytes, index)
      if length > 0 { result += [0xEF, 0xBF, 0xBD] } else { result.append(bytes[index]) }
      index += max(length, 1)
    }
    return result
  }

  private static func lossyLength(_ bytes: [UInt8], _ start: Int) -> Int {
    func byte(_ offset: Int) -> UInt8 { start + offset < bytes.count ? bytes[start + offset] : 0 }
    /// Returns whether all of `offsets` hold a continuation or a loss, at least one a loss, at most one of them a `?`.
    func isLossy(_ offsets: [Int]) -> Bool {
      let found = offsets.map(byte)
      let questions = found.count { $0 == 0x3F }
      let losses = found.count { $0 == 0x1A }
      return questions <= 1 && questions + losses > 0
        && found.allSatisfy { $0 & 0xC0 == 0x80 || $0 == 0x1A || $0 == 0x3F }
    }
    switch byte(0) {
    case 0x1A: return 1
    case 0xC2, 0xC3: return isLossy([1]) ? 2 : 0
    case 0xC4...0xDF: return byte(1) == 0x1A ? 2 : 0
    case 0xE0...0xEF:
      let isPair = (0xA0...0xAF).contains(byte(1)) && byte(3) == 0xED && (0xB0...0xBF).contains(byte(4))
      if byte(0) == 0xED, isPair {
        // A surrogate pair encoded half by half, of which the last byte of either half is lost.
        let ends = [byte(2), byte(5)]
        let isLost = ends.contains { $0 == 0x1A || $0 == 0x3F }
        if isLost, ends.allSatisfy({ $0 & 0xC0 == 0x80 || $0 == 0x1A || $0 == 0x3F }) { return 6 }
      }
      return isLossy([1, 2]) ? 3 : 0
    case 0xF0...0xF4: return isLossy([1, 2, 3]) ? 4 : 0
    default: return 0
    }
  }

  /// Decodes UTF-8 and its variants (surrogate pairs of three bytes each, `C0 80` for U+0000), nil if it is neither.
  static func decoded(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
    if let text = String(validating: bytes, as: UTF8.self) { return Array(text.unicodeScalars) }
    guard bytes.contains(0xED) || bytes.contains(0xC0) else { return nil }
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...].prefix(6)
      if rest.starts(with: [0xC0, 0x80]) {
        plain.append(0)
        index += 2
      } else if let scalar = surrogatePair(Array(rest)) {
        plain += Array(String(scalar).utf8)
        index += 6
      } else {
        plain.append(bytes[index])
        index += 1
      }
    }
    return String(validating: plain, as: UTF8.self).map { Array($0.unicodeScalars) }
  }

  private static func surrogatePair(_ bytes: [UInt8]) -> Unicode.Scalar? {
    guard bytes.count == 6, bytes[0] == 0xED, bytes[3] == 0xED, (0xA0...0xAF).contains(bytes[1]),
      (0xB0...0xBF).contains(bytes[4]), bytes[2] & 0xC0 == 0x80, bytes[5] & 0xC0 == 0x80
    else { return nil }
    let high = UInt32(bytes[1] & 0x0F) << 16 | UInt32(bytes[2] & 0x3F) << 10
    return Unicode.Scalar(0x10000 + high + (UInt32(bytes[4] & 0x0F) << 6) + UInt32(bytes[5] & 0x3F))
  }
}
