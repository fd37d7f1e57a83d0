import Tensor
import Testing

/// A call that no operation may accept: shapes that do not fit, indices out of range. Each would read or write beyond a
/// tensor, or give numbers that mean nothing.
private struct Misuse: Codable, Sendable, CustomTestStringConvertible {
  let testDescription: String

  private static func zeros(_ shape: Shape) -> Variable { Variable(.zeros(shape)) }

  private static let calls: [(name: String, call: @Sendable () -> Variable)] = [
    ("adding what is no suffix", { zeros([2, 3]).adding(zeros([2])) }),
    ("adding a higher rank", { zeros([3]).adding(zeros([2, 3])) }),
    (
      "attention, queries of rank 2",
      { zeros([2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, keys of rank 2",
      { zeros([2, 2, 4]).attention(keys: zeros([2, 4]), values: zeros([2, 4]), heads: 1) }
    ),
    (
      "attention, other values",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 3, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, other batch",
      { zeros([2, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, other width",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 2]), values: zeros([1, 2, 2]), heads: 1) }
    ),
    (
      "attention, no heads",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 0) }
    ),
    (
      "attention, unequal heads",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 3) }
    ),
    ("averagePooled, rank 3", { zeros([2, 4, 4]).averagePooled(by: 2) }),
    ("averagePooled by 0", { zeros([1, 2, 4, 4]).averagePooled(by: 0) }),
    ("batchNorm, gamma", { batchNorm([2], [3], [3], [3]) }),
    ("batchNorm, beta", { batchNorm([3], [2], [3], [3]) }),
    ("batchNorm, mean", { batchNorm([3], [3], [2], [3]) }),
    ("batchNorm, variance", { batchNorm([3], [3], [3], [2]) }),
    ("convolution, picture of rank 3", { zeros([2, 4, 4]).convolution(zeros([3, 2, 1, 1])) }),
    ("convolution, weight of rank 3", { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1])) }),
    ("convolution, channels", { zeros([1, 2, 4, 4]).convolution(zeros([3, 3, 1, 1])) }),
    ("convolution, no groups", { zeros([1, 0, 4, 4]).convolution(zeros([3, 2, 1, 1]), groups: 0) }),
    ("convolution, groups of channels", { zeros([1, 4, 4, 4]).convolution(zeros([4, 4, 1, 1]), groups: 2) }),
    ("convolution, groups of outputs", { zeros([1, 4, 4, 4]).convolution(zeros([3, 2, 1, 1]), groups: 2) }),
    ("convolution, stride 0", { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), stride: 0) }),
    ("convolution, padding −1", { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), padding: -1) }),
    ("convolution, kernel too high", { zeros([1, 2, 4, 9]).convolution(zeros([3, 2, 7, 1]), padding: 1) }),
    ("convolution, kernel too wide", { zeros([1, 2, 9, 4]).convolution(zeros([3, 2, 1, 7]), padding: 1) }),
    ("convolution, bias", { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), bias: zeros([2])) }),
    ("crossEntropy, rank 3", { zeros([1, 2, 3]).crossEntropy(labels: [0, 0]) }),
    ("crossEntropy, too few labels", { zeros([2, 3]).crossEntropy(labels: [0]) }),
    ("crossEntropy, label below 0", { zeros([2, 3]).crossEntropy(labels: [0, -1]) }),
    ("crossEntropy, label above the last", { zeros([2, 3]).crossEntropy(labels: [0, 3]) }),
    ("crossEntropy, targets of another shape", { zeros([2, 3]).crossEntropy(targets: zeros([3, 2])) }),
    ("crossEntropy, targets of rank 3", { zeros([1, 2, 3]).crossEntropy(targets: zeros([1, 2, 3])) }),
    ("distillation, teacher", { zeros([2, 3]).distillation(teacher: zeros([3, 2])) }),
    ("distillation, rank 3", { zeros([1, 2, 3]).distillation(teacher: zeros([1, 2, 3])) }),
    ("dot", { zeros([2, 3]).dot(zeros([3, 2])) }),
    ("embedding, too few ids", { zeros([4, 2]).embedding([0], shape: [2]) }),
    ("embedding, id below 0", { zeros([4, 2]).embedding([0, -1], shape: [2]) }),
    ("embedding, id above the last", { zeros([4, 2]).embedding([0, 4], shape: [2]) }),
    ("layerNorm, gamma", { zeros([2, 3]).layerNorm(gamma: zeros([2]), beta: zeros([3]), epsilon: 1) }),
    ("layerNorm, beta", { zeros([2, 3]).layerNorm(gamma: zeros([3]), beta: zeros([2]), epsilon: 1) }),
    ("linear, width", { zeros([2, 3]).linear(zeros([5, 2])) }),
    ("linear, weight of rank 3", { zeros([2, 3]).linear(zeros([5, 3, 1])) }),
    ("linear, bias", { zeros([2, 3]).linear(zeros([5, 3]), bias: zeros([3])) }),
    ("masked", { zeros([2, 3]).masked(by: .init(zeros([3, 2]), above: 0)) }),
    ("patches, rank 3", { zeros([2, 4, 4]).patches(of: 2) }),
    ("patches of 0", { zeros([1, 2, 4, 4]).patches(of: 0) }),
    ("prepending", { zeros([1, 2, 4]).prepending(zeros([2])) }),
    ("reshape", { zeros([2, 3]).reshaped(to: [5]) }),
    ("selectingToken, too few", { zeros([2, 3, 4]).selectingToken([0]) }),
    ("selectingToken, below 0", { zeros([2, 3, 4]).selectingToken([0, -1]) }),
    ("selectingToken, above the last", { zeros([2, 3, 4]).selectingToken([0, 3]) }),
  ]

  private static func batchNorm(_ gamma: Shape, _ beta: Shape, _ mean: Shape, _ variance: Shape) -> Variable {
    zeros([1, 3, 2, 2]).batchNorm(
      gamma: zeros(gamma), beta: zeros(beta), mean: .zeros(mean), variance: .zeros(variance), epsilon: 1)
  }

  static var all: [Misuse] { calls.map { Misuse(testDescription: $0.name) } }

  func run() { for (name, call) in Self.calls where name == testDescription { _ = call() } }
}

@Suite struct OperationTrapTests {
  @Test(arguments: Misuse.all) fileprivate func misuseTraps(_ misuse: Misuse) async {
    await #expect(processExitsWith: .failure) { [misuse = misuse as Misuse] in misuse.run() }
  }
}
