import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Rotary positions by what they are for: scores that depend on the distance of two patches alone.
@Suite struct RotaryPositionsTests {
  /// q_t · k_u of every pair of tokens, whose queries and whose keys are all the same before they are turned.
  private func scores(grid: Int, periods: [Double]) -> [[Double]] {
    let (tokens, width) = (grid * grid, 4 * periods.count)
    let rotation = TokenRotation.axial(grid: grid, periods: periods)
    func turned(_ phase: Double) -> Tensor {
      let vector = (0..<width).map { Real(sin(phase + 1.3 * Double($0))) }
      let x = Tensor([1, tokens, width], (0..<tokens).flatMap { _ in vector })
      return Variable(x).rotated(by: rotation, heads: 1).value
    }
    let (queries, keys) = (turned(0.4).values, turned(2).values)
    return (0..<tokens).map { query in
      (0..<tokens).map { key in
        (0..<width).reduce(0) { $0 + Double(queries[query * width + $1]) * Double(keys[key * width + $1]) }
      }
    }
  }

  @Test func scoresDependOnTheDistanceAlone() {
    let grid = 4
    let scores = scores(grid: grid, periods: [1.5, 3, 20])
    var byDistance: [[Int]: Double] = [:]
    for query in 0..<grid * grid {
      for key in 0..<grid * grid {
        let distance = [query / grid - key / grid, query % grid - key % grid]
        let score = scores[query][key]
        // Twelve products of numbers below 1, turned by angles that are rounded once.
        #expect(abs(byDistance[distance, default: score] - score) < 1e-5, "\(distance)")
        byDistance[distance] = score
      }
    }
    // Rows and columns differ, and so do the two directions of each.
    let (down, up) = (byDistance[[1, 0]] ?? 0, byDistance[[-1, 0]] ?? 0)
    let (right, left) = (byDistance[[0, 1]] ?? 0, byDistance[[0, -1]] ?? 0)
    #expect(Set([down, up, right, left].map { ($0 * 1e3).rounded() }).count == 4)
  }

  /// The one patch of an image is in its middle, where nothing turns.
  @Test func theMiddleOfAnImageIsNotTurned() {
    let rotation = TokenRotation.axial(grid: 1, periods: [1, 10])
    let x = Tensor([1, 2, 8], (0..<16).map { Real($0) })
    #expect(Variable(x).rotated(by: rotation, heads: 1).value == x)
  }

  @Test func storedPeriodsMustBePositive() {
    for wrong in [0, -1] as [Real] {
      var reader = WeightReader(
        StoredSource(tensors: ["vision.rotaryPeriods": Tensor([2], [1, wrong])]), .canonical)
      #expect(
        throws: WeightsError.unreadable(
          "model.safetensors: tensor \"vision.rotaryPeriods\": expected numbers above 0, found \(wrong)")
      ) { try RotaryPeriods.stored.values(&reader, headWidth: 8) }
    }
  }

  @Test func periodsArePowersOfTheBase() throws {
    var reader = WeightReader(StoredSource(tensors: [:]), .canonical)
    let periods = try RotaryPeriods.powers(of: 100).values(&reader, headWidth: 16)
    for (found, want) in zip(periods, [1, 3.162_277_660_168_379, 10, 31.622_776_601_683_79]) {
      #expect(abs(found - want) < 1e-12)
    }
    #expect(periods.count == 4)
  }
}
