import Foundation
import Methods
import Tensor

/// R-AMT's operations on all masked weights of a ViT-B/16, 28.9 million, and the copy that bounds them.
var maskItems: [Item] {
  [
    Item("adam-28M") { adam() }, Item("adam-fused-28M") { adam() },
    Item("mask-apply-28M") {
      // What the peers do: threshold and apply at once.
      let (weight, mask) = (noise([count], seed: 1), uniform(2).scaled(by: 0.01))
      return one(12, noise([1], seed: 0)) { Variable(weight).masked(by: .init(Variable(mask), above: 0.005)).value }
    },
    Item("mask-pack-28M") {
      let mask = uniform(1).scaled(by: 0.01)
      let result = MaskBuffer(BitMask(repeating: false, count: count))
      return Work(shape: "\(count)", amount: .gigabytes(4.125e-9 * Double(count))) {
        result.mask = BitMask(thresholding: mask, above: 0.005)
      }
    },
    Item("mask-unpack-28M") {
      let mask = BitMask(thresholding: noise([count], seed: 1), above: 0)
      return one(4.125, noise([1], seed: 0)) { mask.real }
    },
    Item("mask-popcount-28M") {
      let mask = BitMask(thresholding: noise([count], seed: 1), above: 0)
      return Work(shape: "\(count)", amount: .gigabytes(0.125e-9 * Double(count))) { use(Real(mask.prunedCount)) }
    },
    Item("linear-b8-768to3072") { linear(isMasked: false) },
    Item("linear-b8-768to3072-masked") { linear(isMasked: true) },
    Item("graddrop-28M") {
      let (a, b) = (noise([count], seed: 1), noise([count], seed: 2))
      let (rule, random) = (GradientDropout(lambda: 1), Random(seed: 1, purpose: .gradientDropout, step: 0))
      return one(12, a) { rule.combined(a, b, random: random, from: 0) }
    },
    Item("graddrop-norand-28M") {
      let (a, b, u) = (noise([count], seed: 1), noise([count], seed: 2), uniform(3))
      return one(16, a) { GradientDropout(lambda: 1).combined(a, b, uniform: u) }
    },
    Item("rand-28M") {
      let random = Random(seed: 1, purpose: .gradientDropout, step: 0)
      return one(4, noise([1], seed: 0)) { random.uniform([count]) }
    },
    Item("copy-28M") {
      let a = noise([count], seed: 1)
      return one(8, a) { a.copied() }
    },
  ]
}

/// Patch embedding and attention: 49 tensors of 768 × 768.
private let count = 49 * 768 * 768

private final class MaskBuffer {
  var mask: BitMask
  init(_ mask: BitMask) { self.mask = mask }
}

private func uniform(_ seed: UInt64) -> Tensor { Random(seed: seed, purpose: .check, step: 0).uniform([count]) }

/// Work over all masked weights that moves `bytes` bytes per weight.
private func one(_ bytes: Double, _ start: Tensor, _ function: @escaping () -> Tensor) -> Work {
  let result = Buffer(start)
  return Work(shape: "\(count)", amount: .gigabytes(1e-9 * bytes * Double(count))) { result.tensor = function() }
}

private func adam() -> Work {
  final class State {
    var parameters = (0..<49).map { noise([768, 768], seed: $0) }
    var optimizer = Adam((0..<49).map { ParameterSlot("\($0)", [768, 768]) })
  }
  let (state, gradients) = (State(), (0..<49).map { noise([768, 768], seed: 100 + $0) })
  return Work(shape: "\(count)", amount: .gigabytes(28e-9 * Double(count))) {
    state.optimizer.step(parameters: &state.parameters, gradients: gradients, learningRate: 1e-5)
  }
}

/// The first map of an MLP for 8 images, plain and under a mask of which a quarter is 0: the cost of W ⊙ B over W, the
/// threshold included.
private func linear(isMasked: Bool) -> Work {
  let (rows, width, out) = (8 * RealSize.tokens, 768, 3072)
  let (x, weight) = (Variable(noise([rows, width], seed: 1)), Variable(noise([out, width], seed: 2)))
  let mask = Variable(Random(seed: 5, purpose: .check, step: 0).uniform([out, width]).scaled(by: 0.02))
  let result = Buffer(weight.value)
  return Work(shape: "M\(rows) N\(out) K\(width)", amount: .gflop(2e-9 * Double(rows * width * out))) {
    result.tensor = (isMasked ? x.linear(weight, maskedBy: .init(mask, above: 0.005)) : x.linear(weight)).value
  }
}
