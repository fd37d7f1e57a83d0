import Checks
import Foundation
import Testing

@testable import Tensor

/// One function in its two forms, and where its values are neither constant nor infinite.
struct ElementaryFunction: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let lanes: @Sendable (Lanes) -> Lanes
  let scalar: @Sendable (Real) -> Real
  let range: ClosedRange<Real>

  static let all = [
    ElementaryFunction(
      testDescription: "exp", lanes: { Transcendental.exp($0) }, scalar: { Transcendental.exp($0) },
      range: isDouble ? -708...709.7 : -87.3...88.7),
    ElementaryFunction(
      testDescription: "log", lanes: { Transcendental.log($0) }, scalar: { Transcendental.log($0) },
      range: Real.leastNonzeroMagnitude...Real.greatestFiniteMagnitude),
    ElementaryFunction(
      testDescription: "tanh", lanes: { Transcendental.tanh($0) }, scalar: { Transcendental.tanh($0) },
      range: -30...30),
    ElementaryFunction(
      testDescription: "sigmoid", lanes: { Transcendental.sigmoid($0) }, scalar: { Transcendental.sigmoid($0) },
      range: isDouble ? -708...40 : -87...20),
  ]
}

let isDouble = MemoryLayout<Real>.size == 8

@Suite struct TranscendentalTests {
  @Test(arguments: ElementaryFunction.all)
  func scalarsHaveTheBitsOfLanes(_ f: ElementaryFunction) {
    let x = patterns(f.range).suffix(1600)
    for start in stride(from: x.startIndex, to: x.endIndex - 15, by: 16) {
      let lanes = f.lanes(Lanes(x[start..<start + 16]))
      for lane in 0..<16 { #expect(lanes[lane].bitPattern == f.scalar(x[start + lane]).bitPattern) }
    }
  }

  @Test(arguments: ElementaryFunction.all)
  func notANumberStays(_ f: ElementaryFunction) {
    #expect(f.scalar(.nan).isNaN)
    #expect(f.scalar(-.nan).isNaN)
  }

  @Test func powersOfNegativeNumbersHaveTheBitsOfAnyPower() {
    let edges: [Real] = [0, -0.0, 1e-7, 0.5, 40, -.leastNonzeroMagnitude, -.infinity, -.greatestFiniteMagnitude]
    let tail = (0..<4000).map { Bounds.lowest * (1 + Real($0) / 4000) / 2 }
    let different = (patterns(Bounds.lowest...(-1e-30)) + tail + edges).filter { x in
      Transcendental.expOfNegative(Lanes(repeating: x))[0].bitPattern != Transcendental.exp(x).bitPattern
    }
    #expect(different.isEmpty, "\(different.prefix(5))")
    #expect(Transcendental.expOfNegative(Lanes(repeating: .nan))[0].isNaN)
  }

  /// Below this, powers are 0.
  private enum Bounds { static let lowest: Real = isDouble ? -750 : -106 }

  @Test func endsOfTheRangesAreExact() {
    let infinity = Real.infinity
    #expect(Transcendental.exp(infinity) == infinity)
    #expect(Transcendental.exp(-infinity) == 0)
    #expect(Transcendental.exp(1000) == infinity)
    #expect(Transcendental.exp(-1000) == 0)
    #expect(Transcendental.exp(0) == 1)
    #expect(Transcendental.log(infinity) == infinity)
    #expect(Transcendental.log(0) == -infinity)
    #expect(Transcendental.log(-0.0) == -infinity)
    #expect(Transcendental.log(-1).isNaN)
    #expect(Transcendental.log(-infinity).isNaN)
    #expect(Transcendental.log(1) == 0)
    #expect(Transcendental.tanh(infinity) == 1)
    #expect(Transcendental.tanh(-infinity) == -1)
    #expect(Transcendental.sigmoid(infinity) == 1)
    #expect(Transcendental.sigmoid(-infinity) == 0)
    #expect(Transcendental.sigmoid(0) == 0.5)
  }

  @Test func theHyperbolicTangentIsOdd() {
    let f = ElementaryFunction.all[2]
    #expect(f.scalar(-0.0).bitPattern == (-0.0 as Real).bitPattern)
    for x in patterns(f.range).prefix(1000) { #expect(f.scalar(-x) == -f.scalar(x)) }
  }

  /// The second factor of 2ⁿ rounds once more on the way into the subnormal range.
  @Test func subnormalResultsOfTheExponentialAreWithinAnULP() {
    let range: ClosedRange<Real> = isDouble ? -745...(-708.4) : -103.9...(-87.4)
    for index in 0...10_000 {
      let x = range.lowerBound + (range.upperBound - range.lowerBound) * Real(index) / 10_000
      #expect(Accuracy.error(of: Transcendental.exp(x), truth: exp(Accuracy.Exact(x)), in: .ulp) <= 1)
    }
  }

  @Test func memoryOfAnyLengthIsMapped() {
    for function in Transcendental.Function.allCases {
      for count in [0, 1, 15, 16, 17, 33] {
        let x = numbers(count, seed: 5).map { abs($0) }
        var y = [Real](repeating: -7, count: count + 1)
        x.withUnsafeBufferPointer { x in
          y.withUnsafeMutableBufferPointer { y in
            if let base = x.baseAddress { function.map(base, into: y.baseAddress!, count: count) }
          }
        }
        let f = ElementaryFunction.all.first { $0.testDescription == function.rawValue }!
        #expect(y == x.map(f.scalar) + [-7])
      }
    }
  }
}

/// Numbers of the range whose bit patterns are evenly spread and slightly shaken, of both signs.
func patterns(_ range: ClosedRange<Real>) -> [Real] {
  var state: UInt64 = 1
  let least = Real.leastNonzeroMagnitude.bitPattern
  let most = max(abs(range.lowerBound), abs(range.upperBound)).bitPattern
  let count = 200_000
  let step = (most - least) / numericCast(count)
  return (0..<count).flatMap { index -> [Real] in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let x = Real(bitPattern: least + step * numericCast(index) + numericCast((state >> 32) % UInt64(max(step, 1))))
    let even = range.lowerBound + (range.upperBound - range.lowerBound) * (Real(index) / Real(count))
    return [x, -x, even].filter { range.contains($0) }
  }
}
