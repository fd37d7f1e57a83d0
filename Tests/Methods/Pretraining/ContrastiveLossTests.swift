import Checks
import Foundation
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct ContrastiveLossTests {
  @Test(arguments: ContrastiveLoss.checks) func gradientsAreRight(_ check: any Check) {
    for finding in check.findings() {
      #expect(finding.relativeError <= check.tolerance, "\(check.name), \(finding.input)")
    }
  }

  private func loss(_ features: Tensor, _ texts: Tensor, scale: Real) -> (loss: Double, logits: Tensor) {
    let parameter = Parameter(Site("logitScale", .logitScale), Tensor(scale))
    let (loss, logits) = ContrastiveLoss.of(Variable(features), Variable(texts), logitScale: parameter, Pass())
    return (Double(loss.value.scalar), logits.value)
  }

  /// Pictures and texts on the axes: z = s on the diagonal and 0 elsewhere, ℒ = log(eˢ + n − 1) − s.
  @Test func pairsThatAreAlikeAndNoOthers() {
    let axes = Tensor([3, 3], [2, 0, 0, 0, 5, 0, 0, 0, 1])
    for logScale: Real in [0, 1, 2] {
      let scale = exp(Double(logScale))
      let (found, logits) = loss(axes, axes, scale: logScale)
      #expect(abs(found - (log(exp(scale) + 2) - scale)) < 1e-6)
      #expect(
        zip(logits.values, [1, 0, 0, 0, 1, 0, 0, 0, 1] as [Double]).allSatisfy { abs(Double($0) - $1 * scale) < 1e-5 })
    }
  }

  @Test func bothSidesCountAlike() {
    let (a, b) = (Tensor([2, 2], [1, 0.3, -0.5, 2]), Tensor([2, 2], [0.2, 1, 1, -1]))
    #expect(abs(loss(a, b, scale: 1.5).loss - loss(b, a, scale: 1.5).loss) < 1e-6)
    // One pair is always right.
    #expect(abs(loss(Tensor([1, 2], [1, 2]), Tensor([1, 2], [-1, 0]), scale: 1).loss) < 1e-7)
  }
}
