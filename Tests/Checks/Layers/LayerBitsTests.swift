import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Checks

@Suite(.serialized) struct LayerBitsTests {
  @Test(arguments: LayerChecks.all) func bitsDependOnTheInputsAlone(_ check: GradientCheck) {
    expectSameBits(check.trace)
  }

  /// Pictures in another order give the same features in that order, wherever in a tile or a piece of work they come
  /// to lie.
  @Test(arguments: [(2, 3, 1), (6, 5, 2), (33, 7, 1), (40, 13, 2)])
  func orderWithinABatchChangesNoBit(width: Int, batch: Int, blocks: Int) {
    let size = TransformerConfiguration(
      width: width, hiddenWidth: 2 * width + 1, blocks: blocks, heads: width % 2 == 0 ? 2 : 1, activation: .quickGELU,
      epsilon: 1e-5)
    let text = TransformerConfiguration(
      width: 2, hiddenWidth: 2, blocks: 0, heads: 1, activation: .quickGELU, epsilon: 1e-5)
    let model = CLIP.random(
      CLIPConfiguration(
        vision: VisionConfiguration(transformer: size, imageSize: 12, patchSize: 4),
        text: TextConfiguration(transformer: text, vocabulary: 3, contextLength: 2), embedding: 19), seed: 5)
    let images = CheckNumbers(seed: 6).tensor([batch, 3, 12, 12]).values
    let pictures = stride(from: 0, to: images.count, by: 3 * 12 * 12).map { Array(images[$0..<$0 + 3 * 12 * 12]) }
    func features(_ order: [Int]) -> [[Real]] {
      let shape: Shape = [order.count, 3, 12, 12]
      let found = model.vision(Variable(Tensor(shape, order.flatMap { pictures[$0] })), Pass()).value.values
      return order.indices.map { Array(found[$0 * 19..<($0 + 1) * 19]) }
    }
    let want = features(Array(0..<batch))
    #expect(Set(want).count == batch)
    var numbers = CheckNumbers(seed: 8)
    for order in [Array((0..<batch).reversed()), (0..<batch).shuffled(using: &numbers), [0]] {
      #expect(features(order) == order.map { want[$0] }, "\(order)")
    }
  }
}
