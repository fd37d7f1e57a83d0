import Tensor
import Testing

/// Every operation large enough for several pieces of work.
private let largeChecks: [GradientCheck] = {
  func inputs(_ shapes: Shape...) -> [(name: String, value: Tensor)] {
    shapes.enumerated().map { ("\($0)", CheckNumbers(seed: UInt64($0 + 1)).tensor($1)) }
  }
  let (flat, matrix, pictures): (Shape, Shape, Shape) = ([70_001], [301, 129], [3, 4, 41, 40])
  let labels = (0..<301).map { Int32($0 * 7 % 129) }
  let variance = Tensor([4], [0.5, 1, 2, 3])
  return [
    GradientCheck("add", inputs([301, 129], [129])) { $0[0].adding($0[1], scale: 0.3) },
    GradientCheck("attention", inputs([3, 40, 48], [3, 37, 48], [3, 37, 48])) {
      $0[0].attention(keys: $0[1], values: $0[2], heads: 6)
    },
    GradientCheck("averagePool", inputs(pictures)) { $0[0].averagePooled(by: 2) },
    GradientCheck("batchNorm", inputs(pictures, [4], [4])) {
      $0[0].batchNorm(
        gamma: $0[1], beta: $0[2], mean: CheckNumbers(seed: 9).tensor([4]), variance: variance, epsilon: 1e-5)
    },
    GradientCheck("convolution", inputs(pictures, [6, 2, 3, 3], [6])) {
      $0[0].convolution($0[1], bias: $0[2], padding: 1, groups: 2)
    },
    GradientCheck("crossEntropy", inputs(matrix)) { $0[0].crossEntropy(labels: labels, smoothing: 0.1) },
    GradientCheck("distillation", inputs(matrix, matrix)) { $0[0].distillation(teacher: $0[1], teacherShare: 0.5) },
    GradientCheck("dot", inputs(flat, flat)) { $0[0].dot($0[1]) },
    GradientCheck("dropout", inputs(matrix)) { $0[0].dropout(0.3, draw: DropDraw(seed: 1, site: 2, step: 3)) },
    GradientCheck("dropPath", inputs(matrix)) { $0[0].dropPath(0.3, draw: DropDraw(seed: 1, site: 2, step: 3)) },
    GradientCheck("embedding", inputs([50, 33])) {
      $0[0].embedding((0..<2000).map { Int32($0 % 50) }, shape: [20, 100])
    },
    GradientCheck("gelu", inputs(flat)) { $0[0].gelu() },
    GradientCheck("geluTanh", inputs(flat)) { $0[0].geluTanh() },
    GradientCheck("l2Norm", inputs(flat, matrix)) { Variable.l2Norm($0) },
    GradientCheck("l2Normalize", inputs(matrix)) { $0[0].l2Normalized() },
    GradientCheck("layerNorm", inputs(matrix, [129], [129])) {
      $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-5)
    },
    GradientCheck("linear", inputs([301, 129], [190, 129], [190])) { $0[0].linear($0[1], bias: $0[2]) },
    GradientCheck("logSoftmax", inputs(matrix)) { $0[0].logSoftmax() },
    GradientCheck("maskedLinear", inputs([301, 129], [190, 129], [190, 129])) {
      $0[0].linear($0[1], maskedBy: $0[2], threshold: 0.2)
    },
    GradientCheck("maskedWeight", inputs(flat, flat)) { $0[0].masked(by: $0[1], threshold: 0.2) },
    GradientCheck("patches", inputs(pictures)) { $0[0].patches(of: 4) },
    GradientCheck("prepend", inputs([7, 50, 129], [129])) { $0[0].prepending($0[1]) },
    GradientCheck("quickGELU", inputs(flat)) { $0[0].quickGELU() },
    GradientCheck("relu", inputs(flat)) { $0[0].relu() },
    GradientCheck("reshape", inputs(matrix)) { $0[0].reshaped(to: [129, 301]) },
    GradientCheck("scaleByExponential", inputs(flat, [])) { $0[0].scaled(byExponentialOf: $0[1]) },
    GradientCheck("selectToken", inputs([7, 50, 129])) { $0[0].selectingToken([0, 1, 2, 3, 49, 5, 6]) },
    GradientCheck("softCrossEntropy", inputs(matrix, matrix)) { $0[0].crossEntropy(targets: $0[1]) },
    GradientCheck("softmax", inputs(matrix)) { $0[0].softmax() },
    GradientCheck("spatialTokens", inputs(pictures)) { $0[0].spatialTokens() },
  ]
}()

/// Serialized, as the number of threads belongs to the whole process; elsewhere results do not depend on it.
@Suite(.serialized) struct ThreadCountTests {
  @Test(arguments: largeChecks + OperationChecks.all) func bitsDoNotDependOnThreads(_ check: GradientCheck) {
    func run(_ threads: Int) -> [[Real.RawSignificand]] {
      Parallel.threads = threads
      let (output, gradients) = check.outputAndGradients()
      return ([output] + gradients).map { $0.values.map { Real.RawSignificand($0.bitPattern) } }
    }
    let want = run(1)
    for threads in [2, 3, 7] { #expect(run(threads) == want, "\(threads) threads") }
    Parallel.threads = 0
  }

  @Test func everyOperationHasALargeCheck() {
    #expect(Set(largeChecks.map { $0.name }) == Set(Operation.allCases.map { $0.rawValue }))
    for check in largeChecks { #expect(check.operations.map { $0.rawValue } == [check.name]) }
  }
}
