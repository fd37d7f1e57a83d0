import FrugalTestSupport
import Tensor
import Testing

/// A call that no operation may accept: shapes that do not fit, indices out of range. Each would read or write beyond a
/// tensor, or give numbers that mean nothing.
private struct Misuse: Codable, Sendable, CustomTestStringConvertible {
  let testDescription: String

  private static func zeros(_ shape: Shape) -> Variable { Variable(.zeros(shape)) }

  private static let calls: [(name: String, sentence: String, call: @Sendable () -> Variable)] = [
    (
      "adding what is no suffix", "adding: expected a term of shape [2, 3] or a suffix of it, found [2]",
      { zeros([2, 3]).adding(zeros([2])) }
    ),
    (
      "adding a higher rank", "adding: expected a term of shape [3] or a suffix of it, found [2, 3]",
      { zeros([3]).adding(zeros([2, 3])) }
    ),
    (
      "attention, queries of rank 2",
      "attention: expected [batch, tokens, 1 heads of equal width], found [2, 4], [1, 2, 4], [1, 2, 4]",
      { zeros([2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, keys of rank 2",
      "attention: expected [batch, tokens, 1 heads of equal width], found [2, 2, 4], [2, 4], [2, 4]",
      { zeros([2, 2, 4]).attention(keys: zeros([2, 4]), values: zeros([2, 4]), heads: 1) }
    ),
    (
      "attention, other values",
      "attention: expected [batch, tokens, 1 heads of equal width], found [1, 2, 4], [1, 3, 4], [1, 2, 4]",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 3, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, other batch",
      "attention: expected [batch, tokens, 1 heads of equal width], found [2, 2, 4], [1, 2, 4], [1, 2, 4]",
      { zeros([2, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 1) }
    ),
    (
      "attention, other width",
      "attention: expected [batch, tokens, 1 heads of equal width], found [1, 2, 4], [1, 2, 2], [1, 2, 2]",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 2]), values: zeros([1, 2, 2]), heads: 1) }
    ),
    (
      "attention, no heads",
      "attention: expected [batch, tokens, 0 heads of equal width], found [1, 2, 4], [1, 2, 4], [1, 2, 4]",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 0) }
    ),
    (
      "attention, unequal heads",
      "attention: expected [batch, tokens, 3 heads of equal width], found [1, 2, 4], [1, 2, 4], [1, 2, 4]",
      { zeros([1, 2, 4]).attention(keys: zeros([1, 2, 4]), values: zeros([1, 2, 4]), heads: 3) }
    ),
    (
      "averagePooled, rank 3",
      "averagePooled: expected [batch, channels, h, w] and a positive size, found [2, 4, 4] and 2",
      { zeros([2, 4, 4]).averagePooled(by: 2) }
    ),
    (
      "averagePooled by 0",
      "averagePooled: expected [batch, channels, h, w] and a positive size, found [1, 2, 4, 4] and 0",
      { zeros([1, 2, 4, 4]).averagePooled(by: 0) }
    ),
    ("batchNorm, gamma", "batchNorm: expected parameters [3], found [2]", { batchNorm([2], [3], [3], [3]) }),
    ("batchNorm, beta", "batchNorm: expected parameters [3], found [2]", { batchNorm([3], [2], [3], [3]) }),
    ("batchNorm, mean", "batchNorm: expected parameters [3], found [2]", { batchNorm([3], [3], [2], [3]) }),
    ("batchNorm, variance", "batchNorm: expected parameters [3], found [2]", { batchNorm([3], [3], [3], [2]) }),
    (
      "convolution, picture of rank 3",
      unfitConvolution(1, "[2, 4, 4] and [3, 2, 1, 1], stride 1, padding 0"),
      { zeros([2, 4, 4]).convolution(zeros([3, 2, 1, 1])) }
    ),
    (
      "convolution, weight of rank 3",
      unfitConvolution(1, "[1, 2, 4, 4] and [3, 2, 1], stride 1, padding 0"),
      { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1])) }
    ),
    (
      "convolution, channels",
      unfitConvolution(1, "[1, 2, 4, 4] and [3, 3, 1, 1], stride 1, padding 0"),
      { zeros([1, 2, 4, 4]).convolution(zeros([3, 3, 1, 1])) }
    ),
    (
      "convolution, no groups",
      unfitConvolution(0, "[1, 0, 4, 4] and [3, 2, 1, 1], stride 1, padding 0"),
      { zeros([1, 0, 4, 4]).convolution(zeros([3, 2, 1, 1]), groups: 0) }
    ),
    (
      "convolution, groups of channels",
      unfitConvolution(2, "[1, 4, 4, 4] and [4, 4, 1, 1], stride 1, padding 0"),
      { zeros([1, 4, 4, 4]).convolution(zeros([4, 4, 1, 1]), groups: 2) }
    ),
    (
      "convolution, groups of outputs",
      unfitConvolution(2, "[1, 4, 4, 4] and [3, 2, 1, 1], stride 1, padding 0"),
      { zeros([1, 4, 4, 4]).convolution(zeros([3, 2, 1, 1]), groups: 2) }
    ),
    (
      "convolution, stride 0",
      unfitConvolution(1, "[1, 2, 4, 4] and [3, 2, 1, 1], stride 0, padding 0"),
      { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), stride: 0) }
    ),
    (
      "convolution, padding −1",
      unfitConvolution(1, "[1, 2, 4, 4] and [3, 2, 1, 1], stride 1, padding -1"),
      { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), padding: -1) }
    ),
    (
      "convolution, kernel too high",
      "convolution: expected a kernel no larger than the padded image, found [3, 2, 7, 1] on [1, 2, 4, 9]",
      { zeros([1, 2, 4, 9]).convolution(zeros([3, 2, 7, 1]), padding: 1) }
    ),
    (
      "convolution, kernel too wide",
      "convolution: expected a kernel no larger than the padded image, found [3, 2, 1, 7] on [1, 2, 9, 4]",
      { zeros([1, 2, 9, 4]).convolution(zeros([3, 2, 1, 7]), padding: 1) }
    ),
    (
      "convolution, bias", "convolution: expected bias [3], found [2]",
      { zeros([1, 2, 4, 4]).convolution(zeros([3, 2, 1, 1]), bias: zeros([2])) }
    ),
    (
      "crossEntropy, rank 3",
      "crossEntropy: expected [batch, classes] and a label below classes for each, found [1, 2, 3] and [0, 0]",
      { zeros([1, 2, 3]).crossEntropy(labels: [0, 0]) }
    ),
    (
      "crossEntropy, too few labels",
      "crossEntropy: expected [batch, classes] and a label below classes for each, found [2, 3] and [0]",
      { zeros([2, 3]).crossEntropy(labels: [0]) }
    ),
    (
      "crossEntropy, label below 0",
      "crossEntropy: expected [batch, classes] and a label below classes for each, found [2, 3] and [0, -1]",
      { zeros([2, 3]).crossEntropy(labels: [0, -1]) }
    ),
    (
      "crossEntropy, label above the last",
      "crossEntropy: expected [batch, classes] and a label below classes for each, found [2, 3] and [0, 3]",
      { zeros([2, 3]).crossEntropy(labels: [0, 3]) }
    ),
    (
      "distillation, teacher",
      "distillation: expected [batch, classes] and a teacher of this shape, found [2, 3] and [3, 2]",
      { zeros([2, 3]).distillation(teacher: .zeros([3, 2])) }
    ),
    (
      "distillation, rank 3",
      "distillation: expected [batch, classes] and a teacher of this shape, found [1, 2, 3] and [1, 2, 3]",
      { zeros([1, 2, 3]).distillation(teacher: .zeros([1, 2, 3])) }
    ),
    ("dot", "dot: expected shape [2, 3], found [3, 2]", { zeros([2, 3]).dot(zeros([3, 2])) }),
    (
      "embedding, too few ids", "embedding: expected 2 ids below 4, found 1: [0]",
      { zeros([4, 2]).embedding([0], shape: [2]) }
    ),
    (
      "embedding, id below 0", "embedding: expected 2 ids below 4, found 2: [0, -1]",
      { zeros([4, 2]).embedding([0, -1], shape: [2]) }
    ),
    (
      "embedding, id above the last", "embedding: expected 2 ids below 4, found 2: [0, 4]",
      { zeros([4, 2]).embedding([0, 4], shape: [2]) }
    ),
    (
      "layerNorm, gamma", "layerNorm: expected gamma and beta [3], found [2] and [3]",
      { zeros([2, 3]).layerNorm(gamma: zeros([2]), beta: zeros([3]), epsilon: 1) }
    ),
    (
      "layerNorm, beta", "layerNorm: expected gamma and beta [3], found [3] and [2]",
      { zeros([2, 3]).layerNorm(gamma: zeros([3]), beta: zeros([2]), epsilon: 1) }
    ),
    (
      "linear, width", "linear: expected x [..., 2] for weight [5, 2], found [2, 3]",
      { zeros([2, 3]).linear(zeros([5, 2])) }
    ),
    (
      "linear, weight of rank 3", "linear: expected x [..., 1] for weight [5, 3, 1], found [2, 3]",
      { zeros([2, 3]).linear(zeros([5, 3, 1])) }
    ),
    (
      "linear, bias", "linear: expected bias [5], found [3]",
      { zeros([2, 3]).linear(zeros([5, 3]), bias: zeros([3])) }
    ),
    (
      "masked", "masked: expected a mask of shape [2, 3], found [3, 2]",
      { zeros([2, 3]).masked(by: .init(zeros([3, 2]), above: 0)) }
    ),
    (
      "patches, rank 3",
      "patches: expected [batch, channels, height, width] and a positive size, found [2, 4, 4] and 2",
      { zeros([2, 4, 4]).patches(of: 2) }
    ),
    (
      "patches of 0",
      "patches: expected [batch, channels, height, width] and a positive size, found [1, 2, 4, 4] and 0",
      { zeros([1, 2, 4, 4]).patches(of: 0) }
    ),
    (
      "prepending", "prepending: expected tokens [4], [n, 4] or [1, n, 4] after 0 of 2, found [2]",
      { zeros([1, 2, 4]).prepending(zeros([2])) }
    ),
    (
      "prepending to other sequences",
      "prepending: expected tokens [4], [n, 4] or [1, n, 4] after 0 of 2, found [2, 1, 4]",
      { zeros([1, 2, 4]).prepending(zeros([2, 1, 4])) }
    ),
    (
      "removingTokens", "removingTokens: expected [batch, 4 tokens or more, width], found [2, 3, 5]",
      { zeros([2, 3, 5]).removingTokens(2, after: 2) }
    ),
    ("reshape", "Tensor.reshaped: expected 6 elements, found shape [5]", { zeros([2, 3]).reshaped(to: [5]) }),
    (
      "selectingToken, too few", "selectingToken: expected 2 indices below 3, found [0]",
      { zeros([2, 3, 4]).selectingToken([0]) }
    ),
    (
      "selectingToken, below 0", "selectingToken: expected 2 indices below 3, found [0, -1]",
      { zeros([2, 3, 4]).selectingToken([0, -1]) }
    ),
    (
      "selectingToken, above the last", "selectingToken: expected 2 indices below 3, found [0, 3]",
      { zeros([2, 3, 4]).selectingToken([0, 3]) }
    ),
  ]

  private static func unfitConvolution(_ groups: Int, _ found: String) -> String {
    "convolution: expected x [batch, channels, h, w] and weight [out, channels / \(groups), kh, kw], found \(found)"
  }

  private static func batchNorm(_ gamma: Shape, _ beta: Shape, _ mean: Shape, _ variance: Shape) -> Variable {
    zeros([1, 3, 2, 2]).batchNorm(
      gamma: zeros(gamma), beta: zeros(beta), mean: .zeros(mean), variance: .zeros(variance), epsilon: 1)
  }

  /// The sentence that must be said.
  var sentence: String { Self.calls.first { $0.name == testDescription }?.sentence ?? "" }

  static var all: [Misuse] { calls.map { Misuse(testDescription: $0.name) } }

  func run() { for (name, _, call) in Self.calls where name == testDescription { _ = call() } }
}

@Suite struct OperationTrapTests {
  #if compiler(>=6.3)
    @Test(arguments: Misuse.all) fileprivate func misuseTraps(_ misuse: Misuse) async {
      let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [misuse = misuse as Misuse] in
        misuse.run()
      }
      expectTrap(process, saying: misuse.sentence)
    }
  #else
    @Test(.disabled("an exit test takes a value from Swift 6.3 on"), arguments: Misuse.all)
    fileprivate func misuseTraps(_ misuse: Misuse) {}
  #endif
}
