import Checks
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// What numbers that are not finite are blamed on: the training, or a picture.
@Suite struct FiniteValuesTests {
  private let method: Method
  private let frozen: Method
  private let recipe: Recipe

  init() throws {
    let model = try TinyCLIP.model()
    let head = TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5, logitScale: model.logitScale)
    method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    let zeroShot = ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale)
    frozen = Method(encoder: FrozenEncoder(), head: zeroShot, tower: model.vision)
    var recipe = MethodName(frozenWith: "task-res").recipe(
      PublishedSetting(benchmark: nil, shots: 1, fidelity: .official))
    recipe.head.learningRate = 1000
    self.recipe = recipe
  }

  @Test func theTensorIsNamedWithTheEpoch() {
    let start = method.trainables.map(\.initial)
    #expect(throws: Never.self) { try method.requireFinite(start, after: 3, recipe) }
    let broken = start.map { Tensor($0.shape, repeating: .infinity) }
    let error = #expect(throws: RunError.self) { try method.requireFinite(broken, after: 3, recipe) }
    let message =
      "epoch 3: classifier.residual: expected a finite number, found inf: training diverged (learning rate 1000); "
      + "a smaller learning rate may help"
    #expect(error?.description == message)
  }

  /// Where no step is taken nothing can diverge.
  @Test func thePictureIsNamedWhereNothingIsTrained() {
    let logits = Tensor([2, 2], [0, 1, .infinity, 2])
    func judge(_ method: Method) throws {
      try method.judging(after: 2, recipe) { try logits.requireFinite { "picture \($0)" } }
    }
    let training = #expect(throws: RunError.self) { try judge(method) }
    #expect(training?.description.hasPrefix("epoch 2: logits: expected a finite number, found inf: training") == true)
    let picture = #expect(throws: NonFiniteLogits.self) { try judge(frozen) }
    #expect(picture?.description == "picture 1: logit 0: expected a finite number, found inf")
  }
}
