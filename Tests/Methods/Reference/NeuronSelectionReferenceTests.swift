import Checks
import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Methods

/// The loss that selects inputs in plain loops (GPS (b)).
@Suite struct NeuronSelectionReferenceTests {
  /// Losses of up to 30, made of logits of up to 1/τ with roundings of 1e-6 each.
  @Test(arguments: [(2, 1, 1), (6, 3, 5), (8, 2, 3), (13, 4, 16), (32, 10, 40)])
  func theContrastiveLossAgrees(_ views: Int, _ classes: Int, _ width: Int) {
    var numbers = CheckNumbers(seed: UInt64(views))
    let features = numbers.next([views, width])
    let labels = (0..<views).map { $0 * $0 % classes }
    let found = SupervisedContrastiveLoss.of(Variable(features), labels: labels.map { Int32($0) }).value.scalar
    let wanted = supervisedContrastiveLoss(Matrix(features), labels: labels)
    expectClose([Double(found)], [wanted], rtol: 0, atol: GradientCheck.isDouble ? 1e-12 : 2e-5)
  }
}
