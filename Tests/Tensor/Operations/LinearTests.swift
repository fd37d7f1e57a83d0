import Checks
import Testing

@testable import Tensor

/// A linear map by its extents.
private struct MapCase: CustomTestStringConvertible, Sendable {
  let rows, width, out: Int
  var testDescription: String { "\(rows)×\(width)→\(out)" }

  /// Around nothing, one, the tile and the blocks, and on both sides of the most rows for which a weight stays packed.
  static let all = [
    (0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (1, 70, 33), (15, 33, 40), (113, 97, 65), (197, 48, 130),
    (20, 1540, 35),
    (PackedWeight.mostRows, 5, 17), (PackedWeight.mostRows + 1, 5, 17),
  ].map { MapCase(rows: $0.0, width: $0.1, out: $0.2) }

  func inputs() -> (x: Variable, weight: Variable, bias: Variable) {
    let numbers = CheckNumbers(seed: 5)
    return (
      Variable(numbers.tensor([rows, width])), Variable(numbers.tensor([out, width])), Variable(numbers.tensor([out]))
    )
  }
}

@Suite struct LinearTests {
  @Test(arguments: MapCase.all)
  private func aWeightThatStaysPackedGivesTheSameBits(_ map: MapCase) {
    let (x, weight, bias) = map.inputs()
    let packed = PackedWeight()
    for _ in 0..<2 {
      #expect(x.linear(weight, bias: bias, packed: packed).value == x.linear(weight, bias: bias).value)
      #expect(x.linear(weight, packed: packed).value == x.linear(weight).value)
    }
  }

  /// A command that uses a weight once needs no memory for another form of it.
  @Test func nothingStaysPackedBeforeTheSecondUse() {
    let (_, weight, _) = MapCase(rows: 3, width: 20, out: 5).inputs()
    let packed = PackedWeight()
    #expect(packed.transpose(of: weight.value) == nil)
    for _ in 0..<2 { #expect(packed.transpose(of: weight.value) != nil) }
  }

  @Test(arguments: MapCase.all)
  private func anActivationInsideGivesTheBitsOfOneAfterwards(_ map: MapCase) {
    let (x, weight, bias) = map.inputs()
    let packed = PackedWeight()
    for activation in Activation.allCases {
      let expected = activation(x.linear(weight, bias: bias)).value
      #expect(x.linear(weight, bias: bias, then: activation).value == expected)
      #expect(x.linear(weight, bias: bias, packed: packed, then: activation).value == expected)
      let taped = Tape().leaf(x.value).linear(weight, bias: bias, then: activation)
      #expect(taped.value == expected && taped.needsGradient)
    }
  }

  /// What changes has no packed form that stays.
  @Test func aTrainedWeightIsNotKeptPacked() {
    let (x, weight, _) = MapCase(rows: 3, width: 20, out: 5).inputs()
    let packed = PackedWeight()
    let tape = Tape()
    for _ in 0..<2 { _ = x.linear(tape.leaf(weight.value), packed: packed) }
    let other = Variable(weight.value.scaled(by: 2))
    for _ in 0..<2 { #expect(x.linear(other, packed: packed).value == x.linear(other).value) }
  }
}
