import Datasets
import Testing

/// Expected values: CPython 3.11, `random.seed(seed)` and the call that the test is about.
@Suite struct PythonRandomTests {
  @Test(
    arguments: [
      (0, [3_626_764_237, 1_654_615_998, 3_255_389_356, 3_823_568_514]),
      (1, [577_090_037, 2_444_712_010, 3_639_700_191, 3_445_702_192]),
      (2, [4_106_135_923, 3_707_026_329, 4_070_888_059, 3_646_664_648]),
      (3, [1_022_050_301, 2_545_373_330, 2_337_446_730, 560_161_641]),
      (12_345_678_901_234_567, [416_727_885, 2_561_263_422, 4_242_510_269, 2_864_519_531]),
      (-7, [1_390_851_128, 4_071_050_724, 647_892_279, 1_695_753_998]),
      (Int.max, [1_359_979_423, 2_819_855_560, 2_711_238_091, 569_878_368]),
    ] as [(Int, [UInt32])])
  func wordsAreThoseOfPython(_ seed: Int, _ words: [UInt32]) {
    var random = PythonRandom(seed: seed)
    #expect((0..<4).map { _ in random.nextWord() } == words)
  }

  @Test func seedOfManyWordsIsThatOfPython() {
    // 2¹⁰⁰ + 12345
    var random = PythonRandom(words: [12345, 0, 0, 16])
    #expect((0..<4).map { _ in random.nextWord() } == [1_910_715_478, 278_772_827, 1_297_592_944, 2_561_083_672])
  }

  @Test func stateIsRenewedAsOftenAsNeeded() {
    var random = PythonRandom(seed: 1)
    for _ in 1..<10_000 { _ = random.nextWord() }
    #expect(random.nextWord() == 586_364_410)
  }

  @Test func fractionsAndBitsAreThoseOfPython() {
    var random = PythonRandom(seed: 2)
    #expect((0..<3).map { _ in random.random() } == [0.9560342718892494, 0.9478274870593494, 0.05655136772680869])
    #expect(
      [1, 31, 32, 33, 53, 64].map { random.bits($0) }
        == [0, 775_365_019, 3_588_440_356, 5_021_175_876, 6_032_396_710_847_231, 5_684_114_445_095_461_864])
  }

  struct Sample: CustomStringConvertible, Sendable {
    var seed: Int
    var n: Int
    var k: Int
    var want: [Int]
    var description: String { "seed \(seed): \(k) of \(n)" }

    init(seed: Int, n: Int, k: Int, _ want: [Int]) { (self.seed, self.n, self.k, self.want) = (seed, n, k, want) }
  }

  // Both sides of the limit between pool and set: 21 | 22 for k ≤ 5, 85 | 86 for 6 ≤ k ≤ 21.
  static let samples: [Sample] = [
    .init(seed: 1, n: 21, k: 5, [4, 18, 2, 8, 3]),
    .init(seed: 1, n: 22, k: 5, [4, 18, 2, 8, 3]),
    .init(seed: 2, n: 30, k: 5, [27, 1, 2, 11, 26]),
    .init(seed: 2, n: 60, k: 6, [55, 54, 3, 5, 56, 23]),
    .init(seed: 2, n: 5, k: 5, [0, 4, 3, 1, 2]),
    .init(seed: 3, n: 1, k: 1, [0]),
    .init(seed: 1, n: 30, k: 16, [4, 18, 27, 25, 24, 2, 8, 3, 15, 14, 21, 12, 6, 22, 19, 0]),
    .init(seed: 1, n: 85, k: 16, [17, 72, 8, 32, 15, 63, 57, 60, 48, 26, 12, 62, 3, 49, 55, 0]),
    .init(seed: 1, n: 86, k: 16, [17, 72, 8, 32, 15, 63, 57, 60, 83, 48, 26, 12, 62, 3, 49, 55]),
    .init(seed: 2, n: 277, k: 16, [28, 46, 43, 184, 86, 157, 128, 108, 18, 81, 220, 201, 260, 190, 227, 257]),
    .init(seed: 0, n: 1300, k: 16, [788, 861, 82, 530, 1047, 995, 829, 621, 976, 733, 1194, 447, 1033, 285, 577, 286]),
    .init(seed: 3, n: 100, k: 4, [30, 75, 69, 16]),
    .init(seed: -7, n: 6, k: 6, [2, 1, 3, 5, 0, 4]),
    .init(seed: 12_345_678_901_234_567, n: 1000, k: 8, [99, 610, 682, 996, 584, 879, 575, 282]),
    .init(seed: 1, n: 0, k: 0, []),
    .init(seed: 1, n: 4, k: 0, []),
    .init(seed: 2, n: 21, k: 6, [1, 2, 19, 11, 5, 9]),
    .init(seed: 2, n: 85, k: 6, [7, 11, 10, 46, 21, 39]),
    .init(seed: 2, n: 86, k: 6, [7, 11, 10, 46, 21, 85]),
    .init(seed: 1, n: 5_000_000_000, k: 3, [4_872_057_333, 3_280_387_012, 1_095_513_148]),
  ]

  @Test(arguments: samples) func sampleIsThatOfPython(_ sample: Sample) {
    var random = PythonRandom(seed: sample.seed)
    #expect(random.sample(sample.k, of: sample.n) == sample.want)
  }

  @Test func successiveSamplesContinueTheGenerator() {
    var random = PythonRandom(seed: 1)
    let samples = [(10, 4), (50, 4), (200, 16), (16, 16), (3, 1)].map { random.sample($1, of: $0) }
    #expect(
      samples == [
        [2, 1, 4, 0], [31, 48, 28, 30],
        [166, 97, 53, 24, 124, 7, 99, 110, 155, 195, 196, 0, 178, 114, 68, 184],
        [7, 9, 1, 5, 0, 11, 10, 8, 14, 3, 12, 13, 6, 2, 15, 4], [1],
      ])
  }

  @Test func shuffleIsThatOfPython() {
    var random = PythonRandom(seed: 3)
    var items = Array(0..<12)
    random.shuffle(&items)
    #expect(items == [1, 7, 10, 0, 6, 11, 4, 5, 2, 8, 9, 3])
  }
}
