import Tensor

/// Every operation at a size that is cut into several pieces of work for several threads.
///
/// Their gradients are compared between numbers of threads and between processors; finite differences of so many
/// elements would take hours, and are taken of the same operations at small sizes (`OperationChecks`).
package enum LargeOperationChecks {
  /// One check per operation, `OPERATION/large`.
  package static var all: [GradientCheck] {
    let (flat, matrix, pictures): (Shape, Shape, Shape) = ([70_001], [301, 129], [3, 4, 41, 40])
    let labels = (0..<301).map { Int32($0 * 7 % 129) }
    let variance = Tensor([4], [0.5, 1, 2, 3])
    return [
      GradientCheck("add/large", OperationChecks.inputs(["x": [301, 129], "y": [129]])) {
        $0[0].adding($0[1], scale: 0.3)
      },
      GradientCheck(
        "attention/large",
        OperationChecks.inputs(["queries": [3, 40, 48], "keys": [3, 37, 48], "values": [3, 37, 48]])
      ) {
        $0[0].attention(keys: $0[1], values: $0[2], heads: 6)
      },
      GradientCheck("averagePool/large", OperationChecks.inputs(["x": pictures])) { $0[0].averagePooled(by: 2) },
      GradientCheck("batchNorm/large", OperationChecks.inputs(["x": pictures, "gamma": [4], "beta": [4]])) {
        $0[0].batchNorm(
          gamma: $0[1], beta: $0[2], mean: CheckNumbers(seed: 9).tensor([4]), variance: variance, epsilon: 1e-5)
      },
      GradientCheck(
        "branchedLinear/large",
        OperationChecks.inputs([
          "x": [301, 129], "weight": [190, 129], "hidden": [301, 8], "up": [190, 8], "bias": [190],
        ])
      ) {
        $0[0].linear($0[1], bias: $0[4], adding: $0[2], through: $0[3])
      },
      GradientCheck("convolution/large", OperationChecks.inputs(["x": pictures, "weight": [6, 2, 3, 3], "bias": [6]])) {
        $0[0].convolution($0[1], bias: $0[2], padding: 1, groups: 2)
      },
      GradientCheck("crossEntropy/large, labels", OperationChecks.inputs(["logits": matrix])) {
        $0[0].crossEntropy(labels: labels)
      },
      GradientCheck(
        "depthwiseConvolution/large",
        OperationChecks.inputs(["x": [3, 19, 21, 37], "weight": [37, 1, 7, 7], "bias": [37]])
      ) {
        $0[0].depthwiseConvolution($0[1], bias: $0[2])
      },
      GradientCheck("distillation/large, frozen teacher", OperationChecks.inputs(["logits": matrix])) {
        $0[0].distillation(teacher: CheckNumbers(seed: 3).tensor(matrix))
      },
      GradientCheck("dot/large", OperationChecks.inputs(["x": flat, "y": flat])) { $0[0].dot($0[1]) },
      GradientCheck("dropout/large", OperationChecks.inputs(["x": matrix])) {
        $0[0].dropout(0.3, draw: DropDraw(seed: 1, site: 2, step: 3))
      },
      GradientCheck("dropPath/large", OperationChecks.inputs(["x": matrix])) {
        $0[0].dropPath(0.3, draw: DropDraw(seed: 1, site: 2, step: 3))
      },
      GradientCheck("eachRow/large", OperationChecks.inputs(["x": [7, 513], "weight": [390, 513], "bias": [390]])) {
        $0[0].eachRow([$0[1], $0[2]]) { $0.linear($1[0], bias: $1[1]).quickGELU() }
      },
      GradientCheck("embedding/large", OperationChecks.inputs(["table": [50, 33]])) {
        $0[0].embedding((0..<2000).map { Int32($0 % 50) }, shape: [20, 100])
      },
      GradientCheck("elementwiseExponential/large", OperationChecks.inputs(["x": flat])) { $0[0].exponential() },
      GradientCheck("gelu/large", OperationChecks.inputs(["x": flat])) { $0[0].gelu() },
      GradientCheck("geluTanh/large", OperationChecks.inputs(["x": flat])) { $0[0].geluTanh() },
      GradientCheck(
        "globalResponseNorm/large", OperationChecks.inputs(["x": [7, 50, 129], "gamma": [129], "beta": [129]])
      ) {
        $0[0].globalResponseNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-6)
      },
      GradientCheck("l2Norm/large", OperationChecks.inputs(["x": flat, "y": matrix])) { Variable.l2Norm($0) },
      GradientCheck("l2Normalize/large", OperationChecks.inputs(["x": matrix])) { $0[0].l2Normalized() },
      GradientCheck("layerNorm/large", OperationChecks.inputs(["x": matrix, "gamma": [129], "beta": [129]])) {
        $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-5)
      },
      GradientCheck("linear/large", OperationChecks.inputs(["x": [301, 129], "weight": [190, 129], "bias": [190]])) {
        $0[0].linear($0[1], bias: $0[2])
      },
      GradientCheck("logSoftmax/large", OperationChecks.inputs(["x": matrix])) { $0[0].logSoftmax() },
      GradientCheck(
        "maskedLinear/large", OperationChecks.inputs(["x": [301, 129], "weight": [190, 129], "mask": [190, 129]])
      ) {
        $0[0].linear($0[1], maskedBy: .init($0[2], above: 0.2))
      },
      GradientCheck("maskedWeight/large", OperationChecks.inputs(["weight": flat, "mask": flat])) {
        $0[0].masked(by: .init($0[1], above: 0.2))
      },
      GradientCheck("meanToken/large", OperationChecks.inputs(["x": [7, 50, 129]])) { $0[0].meanToken(from: 1) },
      GradientCheck("patches/large", OperationChecks.inputs(["x": pictures])) { $0[0].patches(of: 4) },
      GradientCheck("permuteTokens/large", OperationChecks.inputs(["x": [7, 50, 129]])) {
        $0[0].permutingTokens(TokenPermutation((0..<50).map { $0 * 7 % 50 }))
      },
      GradientCheck("prepend/large", OperationChecks.inputs(["x": [7, 50, 129], "token": [129]])) {
        $0[0].prepending($0[1])
      },
      GradientCheck("quickGELU/large", OperationChecks.inputs(["x": flat])) { $0[0].quickGELU() },
      GradientCheck("relu/large", OperationChecks.inputs(["x": flat])) { $0[0].relu() },
      GradientCheck("removeTokens/large", OperationChecks.inputs(["x": [7, 50, 129]])) {
        $0[0].removingTokens(11, after: 1)
      },
      GradientCheck("reshape/large", OperationChecks.inputs(["x": matrix])) { $0[0].reshaped(to: [129, 301]) },
      GradientCheck("rotate/large", OperationChecks.inputs(["x": [7, 50, 136]])) {
        $0[0].rotated(by: OperationChecks.rotation(tokens: 45, pairs: 17), heads: 4)
      },
      GradientCheck("scaleByExponential/large", OperationChecks.inputs(["x": flat, "exponent": []])) {
        $0[0].scaled(byExponentialOf: $0[1])
      },
      GradientCheck("scaleChannels/large", OperationChecks.inputs(["x": matrix, "gamma": [129]])) {
        $0[0].scaledChannels(by: $0[1])
      },
      GradientCheck("scaledSigmoid/large", OperationChecks.inputs(["x": flat])) { $0[0].scaledSigmoid(16) },
      GradientCheck("scaleHeads/large", OperationChecks.inputs(["x": matrix, "exponents": [43]])) {
        $0[0].scaledHeads(byExponentialOf: $0[1], limit: 0.5, factor: 3)
      },
      GradientCheck("scatterAdd/large", OperationChecks.inputs(["x": matrix, "shifts": [12_943]])) {
        $0[0].scatterAdding($0[1], at: OperationChecks.sparse(matrix, 3))
      },
      GradientCheck("selectToken/large", OperationChecks.inputs(["x": [7, 50, 129]])) {
        $0[0].selectingToken([0, 1, 2, 3, 49, 5, 6])
      },
      GradientCheck("softmax/large", OperationChecks.inputs(["x": matrix])) { $0[0].softmax() },
      GradientCheck(
        "sparseLinear/large",
        OperationChecks.inputs(["x": [1301, 129], "weight": [190, 129], "shifts": [1442], "bias": [190]])
      ) {
        $0[0].linear($0[1], shiftedBy: $0[2], at: OperationChecks.sparse([190, 129], 17), bias: $0[3])
      },
      GradientCheck("spatialTokens/large", OperationChecks.inputs(["x": pictures])) { $0[0].spatialTokens() },
      GradientCheck("swiglu/large", OperationChecks.inputs(["gate": flat, "u": flat])) { $0[0].swiglu($0[1]) },
      GradientCheck(
        "windowAttention/large",
        OperationChecks.inputs([
          "queries": [140, 9, 10], "keys": [140, 9, 10], "values": [140, 9, 10], "table": [25, 2],
        ])
      ) {
        $0[0].windowAttention(
          keys: $0[1], values: $0[2], relativePositions: $0[3], heads: 2,
          in: AttentionWindows(size: 3, windows: 4, parts: (0..<36).map { $0 < 18 ? 0 : Int32($0 % 4) }))
      },
    ]
  }
}
