import Checks

/// Changes of bytes that know nothing of a format.
enum ByteMutation {
  /// Values at which comparisons and sums go wrong.
  static let extremes: [UInt64] = [
    0, 1, 2, 3, 7, 8, 16, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000,
    0xFFFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  /// One to four changes from an index on.
  ///
  /// - donor: bytes of which parts may be put in.
  static func change(_ bytes: inout [UInt8], from start: Int = 0, donor: [UInt8], _ numbers: inout CheckNumbers) {
    for _ in 0...numbers.below(4) { changeOnce(&bytes, from: start, donor: donor, &numbers) }
  }

  private static func changeOnce(
    _ bytes: inout [UInt8], from start: Int, donor: [UInt8], _ numbers: inout CheckNumbers
  ) {
    guard bytes.count > start else {
      bytes.append(UInt8(numbers.below(256)))
      return
    }
    let position = start + numbers.below(bytes.count - start)
    let length = min(bytes.count - position, 1 << numbers.below(8))
    switch numbers.below(10) {
    case 0, 1: bytes[position] ^= 1 << UInt8(numbers.below(8))
    case 2: bytes[position] = UInt8(numbers.below(256))
    case 3: bytes[position] = UInt8(truncatingIfNeeded: extremes[numbers.below(12)])
    case 4:
      let value = extremes[numbers.below(extremes.count)]
      let width = min([2, 4, 8][numbers.below(3)], bytes.count - position)
      let digits = (numbers.below(2) == 0 ? little(value) : big(value).suffix(width)).prefix(width)
      bytes.replaceSubrange(position..<position + width, with: digits)
    case 5: bytes.removeSubrange(position..<position + min(length, 16))
    case 6: bytes.insert(contentsOf: bytes[position..<position + length], at: position)
    case 7: for index in position..<position + length { bytes[index] = bytes[position] }
    case 8:
      guard !donor.isEmpty else { return }
      let from = numbers.below(donor.count)
      bytes.insert(contentsOf: donor[from..<min(donor.count, from + length)], at: position)
    default:
      if numbers.below(4) == 0 { bytes.removeSubrange(position...) } else { bytes[position] &+= 1 }
    }
  }
}

extension CheckNumbers {
  /// A number from 0 to below a bound, which is above 0.
  mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % bound }
}
