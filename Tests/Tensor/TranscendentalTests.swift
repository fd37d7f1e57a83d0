import Foundation
import Testing

@testable import Tensor

/// One function with its reference in libm's `Double` and the bounds its documentation states.
struct ElementaryFunction: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let lanes: @Sendable (Lanes) -> Lanes
  let scalar: @Sendable (Real) -> Real
  let reference: @Sendable (Double) -> Double
  let range: ClosedRange<Real>
  let bound: Double

  static let all = [
    ElementaryFunction(
      testDescription: "exp", lanes: { Transcendental.exp($0) }, scalar: { Transcendental.exp($0) },
      reference: { Foundation.exp($0) }, range: isDouble ? -708...709.7 : -87.3...88.7, bound: 1.5),
    ElementaryFunction(
      testDescription: "log", lanes: { Transcendental.log($0) }, scalar: { Transcendental.log($0) },
      reference: { Foundation.log($0) }, range: Real.leastNonzeroMagnitude...Real.greatestFiniteMagnitude, bound: 1),
    ElementaryFunction(
      testDescription: "tanh", lanes: { Transcendental.tanh($0) }, scalar: { Transcendental.tanh($0) },
      reference: { Foundation.tanh($0) }, range: -30...30, bound: 3),
    ElementaryFunction(
      testDescription: "sigmoid", lanes: { Transcendental.sigmoid($0) }, scalar: { Transcendental.sigmoid($0) },
      reference: { 1 / (1 + Foundation.exp(-$0)) }, range: isDouble ? -708...40 : -87...20, bound: 3),
    ElementaryFunction(
      testDescription: "erf", lanes: { Transcendental.erf($0) }, scalar: { Transcendental.erf($0) },
      reference: { Foundation.erf($0) }, range: -7...7, bound: 2),
  ]
}

let isDouble = MemoryLayout<Real>.size == 8

@Suite struct TranscendentalTests {
  @Test(arguments: ElementaryFunction.all)
  func errorStaysWithinItsBound(_ f: ElementaryFunction) {
    var worst = (0.0, Real(0))
    for x in patterns(f.range) {
      let error = ulps(f.lanes(Lanes(repeating: x))[0], f.reference(Double(x)))
      if !(error <= worst.0) { worst = (error, x) }
    }
    #expect(worst.0 <= f.bound, "\(worst.0) ULP at \(worst.1)")
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

/// The distance to a reference in units of the last place of the reference.
func ulps(_ value: Real, _ reference: Double) -> Double {
  if value.isNaN || reference.isNaN { return value.isNaN && reference.isNaN ? 0 : .infinity }
  if Double(value) == reference { return 0 }
  let unit = max(Double(Real(abs(reference)).ulp), Double(Real.leastNonzeroMagnitude))
  return abs(Double(value) - reference) / unit
}
