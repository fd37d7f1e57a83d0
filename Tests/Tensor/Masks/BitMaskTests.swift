import Checks
import FrugalTestSupport
import Tensor
import Testing

/// Counts on both sides of a byte, of sixteen lanes, of a word, and of a piece of the parallel loops.
private let counts = [0, 1, 7, 8, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 1009, 512 * 64 + 3]

private func bits(_ count: Int, seed: UInt64 = 7) -> [Bool] {
  var numbers = CheckNumbers(seed: seed)
  return (0..<count).map { _ in Bool.random(using: &numbers) }
}

private func mask(_ bits: [Bool]) -> BitMask {
  BitMask(thresholding: Tensor([bits.count], bits.map { $0 ? 1 : 0 }), above: 0.5)
}

private func read(_ mask: BitMask) -> [Bool] { (0..<mask.count).map { mask[$0] } }

/// R-AMT (h).
@Suite struct BitMaskTests {
  @Test(arguments: counts, [false, true]) func repeatingSetsEveryBit(_ count: Int, _ bit: Bool) {
    let mask = BitMask(repeating: bit, count: count)
    #expect(read(mask) == Array(repeating: bit, count: count))
    #expect(mask.keptCount == (bit ? count : 0))
    #expect(mask.prunedCount == (bit ? 0 : count))
  }

  @Test(arguments: counts) func thresholdingKeepsWhatIsAboveOnly(_ count: Int) {
    let threshold: Real = 0.005
    var numbers = CheckNumbers(seed: 3)
    var values = numbers.next([count], scale: 0.01).values
    let special: [Real] = [threshold, threshold.nextUp, threshold.nextDown, .nan, .infinity, -.infinity, 0, -0.0]
    for index in stride(from: 0, to: count, by: 3) { values[index] = special[index % special.count] }
    let mask = BitMask(thresholding: Tensor([count], values), above: threshold)
    #expect(read(mask) == values.map { $0 > threshold })
    #expect(mask.keptCount == values.filter { $0 > threshold }.count)
  }

  @Test(arguments: counts) func settingABitChangesThatBitOnly(_ count: Int) {
    var (want, got) = (bits(count), mask(bits(count)))
    let before = got
    for index in stride(from: 0, to: count, by: max(1, count / 130)) {
      want[index].toggle()
      got[index].toggle()
    }
    #expect(read(got) == want)
    #expect(got.keptCount == want.filter(\.self).count)
    #expect(read(before) == bits(count), "a copy shares no later change")
  }

  @Test(arguments: counts) func equalityIsThatOfTheBits(_ count: Int) {
    #expect(mask(bits(count)) == mask(bits(count)))
    #expect(BitMask(repeating: true, count: count) != BitMask(repeating: true, count: count + 1))
    guard count > 0 else { return }
    var other = mask(bits(count))
    other[count - 1].toggle()
    #expect(other != mask(bits(count)))
    other[count - 1].toggle()
    #expect(other == mask(bits(count)))
  }

  @Test(arguments: counts) func appliedGivesTheBitsOfTheMaskedOperation(_ count: Int) {
    var numbers = CheckNumbers(seed: 11)
    var values = numbers.next([count]).values
    for index in stride(from: 0, to: count, by: 5) { values[index] = [-0.0, .infinity, -.infinity, .nan][index % 4] }
    let (weight, scores) = (Tensor([count], values), numbers.next([count]))
    let got = BitMask(thresholding: scores, above: 0.1).applied(to: weight)
    let want = Variable(weight).masked(by: .init(Variable(scores), above: 0.1)).value
    #expect(got.values.map(\.bitPattern) == want.values.map(\.bitPattern))
    let plain = zip(values, scores.values).map { $1 > 0.1 ? $0 : 0 }
    #expect(got.values.map(\.bitPattern) == plain.map(\.bitPattern))
  }

  @Test func appliedKeepsTheShape() {
    let weight = CheckNumbers(seed: 1).tensor([3, 5, 7])
    #expect(BitMask(repeating: true, count: 105).applied(to: weight) == weight)
  }

  @Test(arguments: counts) func realIsZerosAndOnes(_ count: Int) {
    #expect(mask(bits(count)).real == Tensor([count], bits(count).map { $0 ? 1 : 0 }))
  }

  @Test(arguments: counts, BitMask.ByteOrder.allCases)
  func bytesHoldTheBitsInOrder(_ count: Int, _ order: BitMask.ByteOrder) throws {
    let bits = bits(count)
    var want = [UInt8](repeating: 0, count: (count + 7) / 8)
    for (index, bit) in bits.enumerated() where bit {
      want[index / 8] |= order == .little ? 1 << UInt8(index % 8) : 128 >> UInt8(index % 8)
    }
    #expect(mask(bits).bytes(order: order) == want)
    #expect(try BitMask(bytes: want, count: count, order: order) == mask(bits))
  }

  @Test(arguments: counts, BitMask.ByteOrder.allCases)
  func wrongByteCountIsRefused(_ count: Int, _ order: BitMask.ByteOrder) {
    let expected = (count + 7) / 8
    for found in [expected + 1, expected + 8] + (expected > 0 ? [expected - 1] : []) {
      #expect(throws: BitMaskError.byteCount(bits: count, expected: expected, found: found)) {
        try BitMask(bytes: [UInt8](repeating: 0, count: found), count: count, order: order)
      }
    }
  }

  @Test(arguments: counts.filter { $0 % 8 != 0 }, BitMask.ByteOrder.allCases)
  func setPaddingIsRefused(_ count: Int, _ order: BitMask.ByteOrder) {
    for unused in count % 8..<8 {
      var bytes = mask(bits(count)).bytes(order: order)
      bytes[bytes.count - 1] |= order == .little ? 1 << UInt8(unused) : 128 >> UInt8(unused)
      #expect(throws: BitMaskError.self) { try BitMask(bytes: bytes, count: count, order: order) }
    }
  }

  @Test func errorsNameBothNumbers() {
    #expect(
      BitMaskError.byteCount(bits: 9, expected: 2, found: 3).description
        == "mask of 9 bits: expected 2 bytes, found 3")
    #expect(
      BitMaskError.padding(bits: 7, unused: 1, found: 0b1000_0001).description
        == "mask of 7 bits: expected 1 zero bits at the end of the last byte, found 10000001")
  }

  @Test func indexPastTheEndTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BitMask(repeating: true, count: 65)[65]
    }
    expectTrap(process, saying: "BitMask: expected an index below 65, found 65")
  }
}

@Suite(.golden(.ramt)) struct BitMaskGoldenTests {
  @Test func publishedBytesGiveTheRecordedMask() throws {
    let file = try GoldenSet.ramt.golden("saved-mask").file()
    var compared = 0
    for name in file.names {
      // Either "bits_big.<tensor>" beside "mask.<tensor>", or "odd7.bits_big" beside "odd7.mask".
      guard name.contains("bits_") else { continue }
      let order: BitMask.ByteOrder = name.contains("bits_big") ? .big : .little
      let maskName = name.replacing("bits_big", with: "mask").replacing("bits_little", with: "mask")
      guard file.contains(maskName) else { continue }
      let want = try file.tensor(maskName)
      let mask = try BitMask(bytes: file.bytes(name), count: want.count, order: order)
      #expect(mask.real.values == want.values, "\(name)")
      #expect(mask.bytes(order: order) == (try file.bytes(name)), "\(name)")
      compared += 1
    }
    // Each mask in both orders; of some tensors the bits alone are stored.
    #expect(compared == 2 * file.names.count { $0.hasPrefix("mask.") || $0.hasSuffix(".mask") } && compared > 0)
  }

  @Test func bothOrdersGiveOneMask() throws {
    let file = try GoldenSet.ramt.golden("saved-mask").file()
    for name in file.names where name.hasPrefix("bits_big") {
      let (big, little) = (try file.bytes(name), try file.bytes(name.replacing("bits_big", with: "bits_little")))
      #expect(
        try BitMask(bytes: big, count: big.count * 8, order: .big)
          == BitMask(bytes: little, count: little.count * 8, order: .little))
    }
  }
}
