import Tensor
import Testing

@testable import Methods

@Suite struct GradientClippingTests {
  private let gradients = [Tensor([2], [3, 0]), Tensor([1, 2], [0, -4]), Tensor(12)]

  @Test func longGradientsAreCutDownTogether() {
    let (clipped, norm) = GradientClipping.clipped(gradients, to: 6.5)
    #expect(norm == 13)
    #expect(clipped.map(\.values) == [[1.5, 0], [0, -2], [6]])
    #expect(clipped.map(\.shape) == gradients.map(\.shape))
  }

  @Test(arguments: [13.0, 14.0]) func shortOnesAreLeftAlone(largest: Double) {
    #expect(GradientClipping.clipped(gradients, to: largest).gradients == gradients)
  }

  @Test func zerosStayZeros() {
    let (clipped, norm) = GradientClipping.clipped([.zeros([3])], to: 1)
    #expect(norm == 0 && clipped[0].values == [0, 0, 0])
  }
}
