import FrugalTestSupport
import Testing

@testable import Tensor

@Suite struct RandomTests {
  /// The known answers published with the authors' library (Random123, kat_vectors).
  @Test(
    arguments: [
      (SIMD4(repeating: 0), SIMD2(repeating: 0), SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
      (
        SIMD4(repeating: .max), SIMD2(repeating: .max), SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
      ),
      (
        SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
        SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ] as [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)])
  func philoxGivesThePublishedWords(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ words: SIMD4<UInt32>) {
    #expect(Philox.block(counter: counter, key: key) == words)
  }

  @Test func everyPartOfTheAddressReachesTheCounter() {
    let random = Random(seed: 0x299f_31d0_a409_3822, purpose: .gradientDropout, step: 0x1319_8a2e)
    let counter = SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 4)
    #expect(random.block(0x85a3_08d3_243f_6a88) == Philox.block(counter: counter, key: SIMD2(0xa409_3822, 0x299f_31d0)))
  }

  @Test(arguments: [0, 1, 2, 3, 4, 63, (1 << 34) - 16, UInt64(Int.max) - 64] as [UInt64])
  func fillingGivesTheAddressedNumbers(_ first: UInt64) {
    let random = Random(seed: 7, purpose: .check, step: 3)
    for count in [0, 1, 3, 4, 31, 32, 33, 64, 101] {
      let numbers = [Real](unsafeUninitializedCapacity: count) { buffer, initialized in
        if let base = buffer.baseAddress { random.fill(base, from: first, count: count) }
        initialized = count
      }
      #expect(numbers == (0..<count).map { random.uniform(at: first + UInt64($0)) }, "\(count) numbers")
    }
  }

  @Test func uniformTensorIsTheSameForAnyNumberOfThreads() {
    let random = Random(seed: 1, purpose: .check)
    let tensor = random.uniform([3, 70001])
    #expect(tensor.values == (0..<tensor.count).map { random.uniform(at: UInt64($0)) })
  }

  @Test func uniformNumbersAreMultiplesOf24BitsBelowOne() {
    let random = Random(seed: 2, purpose: .check)
    let scaled = random.uniform([100_000]).values.map { Double($0) * 0x1p24 }
    #expect(scaled.allSatisfy { $0 >= 0 && $0 < 0x1p24 && $0 == $0.rounded() })
    // The mean of n uniform numbers deviates by 1 / √(12 n); five times that is exceeded once in two million seeds.
    let mean = scaled.reduce(0, +) / Double(scaled.count) / 0x1p24
    #expect(abs(mean - 0.5) < 5 / (12 * Double(scaled.count)).squareRoot())
    // Every one of the 24 bits is as often 1 as 0.
    for bit in 0..<24 {
      let ones = scaled.count { Int($0) >> bit & 1 == 1 }
      #expect(abs(Double(ones) - 50_000) < 5 * (100_000 / 4.0).squareRoot(), "bit \(bit)")
    }
  }

  @Test func seedPurposeAndStepAllMatter() {
    var seen: Set<SIMD4<UInt32>> = []
    for seed in [0, 1, 1 << 32] as [UInt64] {
      for purpose in Random.Purpose.allCases {
        for step in 0..<3 { seen.insert(Random(seed: seed, purpose: purpose, step: step).block(0)) }
      }
    }
    #expect(seen.count == 3 * Random.Purpose.allCases.count * 3)
  }

  @Test func stepBeyond32BitsTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Random(seed: 0, purpose: .check, step: 1 << 32)
    }
    expectTrap(process, saying: "Random: expected a step from 0 to 2^32 - 1, found 4294967296")
  }
}

@Suite struct RandomStreamTests {
  @Test func streamReadsTheBlocksInOrder() {
    let random = Random(seed: 5, purpose: .check)
    var stream = RandomStream(random)
    for index in 0..<3 {
      let words = random.block(UInt64(index))
      #expect(stream.next() == UInt64(words[1]) << 32 | UInt64(words[0]))
      #expect(stream.next() == UInt64(words[3]) << 32 | UInt64(words[2]))
    }
    let fine = random.fineUniform(at: 3)
    #expect(stream.uniform() == fine)
  }

  @Test(arguments: 0..<4) func streamContinuesFromItsPosition(_ drawn: Int) {
    var stream = RandomStream(seed: 9, purpose: .shuffle, step: 1)
    for _ in 0..<drawn { _ = stream.next() }
    var continued = RandomStream(Random(seed: 9, purpose: .shuffle, step: 1), position: stream.position)
    #expect((0..<5).map { _ in stream.next() } == (0..<5).map { _ in continued.next() })
  }

  @Test(arguments: [1, 2, 3, 7, 10]) func boundedIntegersAreEquallyLikely(_ bound: Int) {
    var stream = RandomStream(seed: 3, purpose: .check)
    var counts = [Int](repeating: 0, count: bound)
    let draws = 20_000
    for _ in 0..<draws { counts[stream.integer(below: bound)] += 1 }
    let share = 1 / Double(bound)
    let deviation = (Double(draws) * share * (1 - share)).squareRoot()
    for count in counts { #expect(abs(Double(count) - Double(draws) * share) <= 5 * deviation) }
  }

  @Test func largeBoundsRejectTheUnfairPart() {
    // 2⁶⁴ mod 3·2⁶¹ = 2⁶²: a quarter of all draws is repeated, which a plain scaling would not do.
    var stream = RandomStream(seed: 4, purpose: .check)
    let bound = 3 << 61
    let draws = 4000
    var below = 0
    for _ in 0..<draws {
      let value = stream.integer(below: bound)
      #expect((0..<bound).contains(value))
      if value < 1 << 61 { below += 1 }
    }
    #expect(stream.position > UInt64(draws))
    #expect(abs(Double(below) - Double(draws) / 3) < 5 * (Double(draws) * 2 / 9).squareRoot())
  }

  @Test(arguments: [0, 1, 2, 3, 100, 1009]) func permutationHoldsEveryIndexOnce(_ count: Int) {
    var stream = RandomStream(seed: 11, purpose: .shuffle)
    let order = stream.permutation(of: count)
    #expect(order.sorted() == Array(0..<count))
    if count > 3 { #expect(order != order.sorted()) }
  }

  @Test func allOrdersOfThreeAreEquallyLikely() {
    var stream = RandomStream(seed: 12, purpose: .shuffle)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<12_000 { counts[stream.permutation(of: 3), default: 0] += 1 }
    #expect(counts.count == 6)
    for count in counts.values { #expect(abs(Double(count) - 2000) < 5 * (12_000.0 * 5 / 36).squareRoot()) }
  }

  @Test func rangeNeverReachesItsEnd() {
    var stream = RandomStream(seed: 13, purpose: .check)
    let range = 1.0..<1.0.nextUp
    for _ in 0..<100 { #expect(range.contains(stream.uniform(in: range))) }
  }
}
