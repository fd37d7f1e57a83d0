import Testing

@testable import Tensor

@Suite struct LanesTests {
  @Test(arguments: 0...16)
  func partialLoadsPadAndPartialStoresStop(count: Int) {
    let source = (1...16).map(Real.init)
    let lanes = source.withUnsafeBufferPointer { Lanes(loading: $0.baseAddress!, count: count, padding: -1) }
    for lane in 0..<16 { #expect(lanes[lane] == (lane < count ? source[lane] : -1)) }
    var target = [Real](repeating: 0, count: 16)
    target.withUnsafeMutableBufferPointer { Lanes(repeating: 5).store(to: $0.baseAddress!, count: count) }
    #expect(target == (0..<16).map { $0 < count ? 5 : 0 })
  }

  @Test func loadsAndStoresNeedNoAlignment() {
    let source = (0..<20).map(Real.init)
    var target = [Real](repeating: -1, count: 20)
    let lanes = source.withUnsafeBufferPointer { Lanes(loading: $0.baseAddress! + 3) }
    target.withUnsafeMutableBufferPointer { lanes.store(to: $0.baseAddress! + 1) }
    #expect(target == [-1] + source[3..<19] + [-1, -1, -1])
  }

  @Test func totalIsTheTreeOfHalves() {
    let values = numbers(16, seed: 9)
    var sums = values
    while sums.count > 1 {
      let half = sums.count / 2
      sums = (0..<half).map { sums[$0] + sums[$0 + half] }
    }
    #expect(Lanes(values).total == sums[0])
  }

  @Test(arguments: 0..<16)
  func largestIsFoundInEveryLane(lane: Int) {
    var lanes = Lanes(repeating: -2)
    lanes[lane] = -1
    #expect(lanes.largest == -1)
    #expect(Lanes(repeating: -3).larger(lanes) == lanes)
    #expect(lanes.larger(Lanes(repeating: -3)) == lanes)
  }

  @Test func multiplyAddOfLanesIsThatOfNumbers() {
    let (a, b, c) = (numbers(16, seed: 1), numbers(16, seed: 2), numbers(16, seed: 3))
    let lanes = Lanes(c).fma(Lanes(a), Lanes(b))
    for lane in 0..<16 { #expect(lanes[lane] == fma(a[lane], b[lane], c[lane])) }
  }
}
