import Foundation
import Reference
import Testing

/// Forward functions by hand: differences would not notice one that is wrong together with its gradient.
@Suite struct KnownAnswerTests {
  @Test func aLinearMapReadsRowsOfItsWeight() {
    let x = Matrix(2, 3, [1, 2, 3, -1, 0, 1])
    let weight = Matrix(2, 3, [1, 0, 2, 0, -3, 1])
    #expect(linear(x, weight: weight) == Matrix(2, 2, [7, -3, 1, 1]))
    #expect(linear(x, weight: weight, bias: Matrix(row: [10, 20])) == Matrix(2, 2, [17, 17, 11, 21]))
  }

  @Test func aNormalisedRowHasMeanZeroAndVarianceOne() {
    // Mean 3, variance (4 + 0 + 4 + 0) / 4 = 2, by the width.
    let x = Matrix(1, 4, [1, 3, 5, 3])
    let one = Matrix(1, 4, repeating: 1)
    let y = layerNorm(x, scale: one, shift: Matrix(1, 4), epsilon: 0)
    expectEqual(y.values, [-2, 0, 2, 0].map { $0 / 2.0.squareRoot() })
    expectEqual(layerNorm(x, scale: one, shift: one, epsilon: 2).values, [0, 1, 2, 1])
    expectEqual(layerNorm(x, scale: Matrix(row: [3, 1, 1, 1]), shift: Matrix(1, 4), epsilon: 2).values, [-3, 0, 1, 0])
  }

  @Test func activationsAtKnownPoints() {
    // Φ(1) and Φ(−3) of tables, σ(1.702 · 2) by hand.
    let (x, phi1, phi3) = (Matrix(row: [0, 1, -1, -3]), 0.841344746068543, 0.00134989803163009)
    expectEqual(gelu(x).values, [0, phi1, -(1 - phi1), -3 * phi3], tolerance: 1e-14)
    let sigmoid = 1 / (1 + exp(-3.404))
    expectEqual(quickGELU(Matrix(row: [0, 2, -2])).values, [0, 2 * sigmoid, -2 * (1 - sigmoid)])
    #expect(abs(gelu(Matrix(row: [-30])).values[0]) < 1e-190)
  }

  @Test func softmaxOfLogarithmsAreShares() {
    let z = Matrix(2, 3, [log(1), log(2), log(5), 1000 + log(2), 1000 + log(2), 1000 + log(4)])
    let shares = [0.125, 0.25, 0.625, 0.25, 0.25, 0.5]
    expectEqual(softmax(z).values, shares, tolerance: 1e-12)
    expectEqual(logSoftmax(z).values, shares.map { log($0) }, tolerance: 1e-12)
    expectEqual([crossEntropy(z, labels: [2, 0])], [-(log(0.625) + log(0.25)) / 2], tolerance: 1e-12)
    // Both shares of the second row are those of the teacher: its part is their entropy, 1.5 log 2.
    let teacher = Matrix(2, 3, [0, 0, 0, log(1), log(1), log(2)])
    let first = -(log(0.125) + log(0.25) + log(0.625)) / 3
    expectEqual([distillation(z, teacher: teacher)], [(first + 1.5 * log(2)) / 2], tolerance: 1e-12)
  }

  @Test func attentionMixesValues() {
    // Head width 4: scores are q · k / 2. Equal keys share evenly; log 9 more for a key is nine times the share.
    let queries = Matrix(2, 4, repeating: 1)
    let even = Matrix(2, 4, repeating: 0.3)
    let values = Matrix(2, 4, [1, 2, 3, 4, 5, 6, 7, 8])
    func mixed(_ keys: Matrix, isCausal: Bool = false) -> [Double] {
      attention(queries: queries, keys: keys, values: values, sequences: 1, heads: 1, isCausal: isCausal).values
    }
    expectEqual(mixed(even), [3, 4, 5, 6, 3, 4, 5, 6])
    expectEqual(mixed(even, isCausal: true), [1, 2, 3, 4, 3, 4, 5, 6])
    let uneven = Matrix(2, 4, [0, 0, 0, 0, 2 * log(9), 0, 0, 0])
    expectEqual(mixed(uneven), [4.6, 5.6, 6.6, 7.6, 4.6, 5.6, 6.6, 7.6], tolerance: 1e-12)
    // Two heads of width 2 attend by themselves, and so do two sequences.
    let keys = Matrix(2, 4, [0, 0, 9, 9, 0, 0, -900, 9])
    let heads = attention(queries: queries, keys: keys, values: values, sequences: 1, heads: 2)
    expectEqual(heads.values, [3, 4, 3, 4, 3, 4, 3, 4])
    #expect(attention(queries: queries, keys: keys, values: values, sequences: 2, heads: 2) == values)
  }

  @Test func dropoutKeepsWhereUIsNotBelowP() {
    let x = Matrix(4, 2, [1, 2, 3, 4, 5, 6, 7, 8])
    let u = [0, 0.5, 0.49, 0.75, 0.25, 0.9, 0.1, 0.5]
    #expect(dropout(x, probability: 0.5, uniform: u).values == [0, 4, 0, 8, 0, 12, 0, 16])
    #expect(dropPath(x, probability: 0.75, uniform: [0.75, 0.7]).values == [4, 8, 12, 16, 0, 0, 0, 0])
    #expect(dropout(x, probability: 1, uniform: u) == Matrix(4, 2))
    #expect(dropout(x, probability: 0, uniform: []) == x)
  }

  @Test func tokensAndPatchesAreWhereTheyBelong() {
    let x = Matrix(4, 1, [1, 2, 3, 4])
    #expect(prepended(x, token: Matrix(row: [9]), samples: 2).values == [9, 1, 2, 9, 3, 4])
    #expect(withPositions(x, Matrix(2, 1, [10, 20])).values == [11, 22, 13, 24])
    #expect(selectRows(x, [3, 0, 3]).values == [4, 1, 4])
    // Two channels of 3 × 4 pixels, numbered; patches of 2, of which the third line fills none.
    let images = Images(count: 1, channels: 2, height: 3, width: 4, (0..<24).map { Double($0) })
    #expect(patches(images, of: 2) == Matrix(2, 8, [0, 1, 4, 5, 12, 13, 16, 17, 2, 3, 6, 7, 14, 15, 18, 19]))
  }

  @Test func logitsAreScaledCosines() {
    let features = Matrix(2, 2, [3, 4, 0, 0])
    let classifier = Matrix(3, 2, [10, 0, 0, 0.5, -8, 6])
    let logits = clipLogits(features: features, classifier: classifier, logitScale: log(5))
    expectEqual(logits.values, [3, 4, 0, 0, 0, 0], tolerance: 1e-12)
  }

  /// Without dropout a LoRA is another weight, W + U D; a sequential branch without φ is (1 + U D)(W x + b) + U c + e.
  @Test func branchesWithoutActivationAreOtherWeights() {
    var numbers = Numbers(seed: 51)
    let plain = Tiny.vision(&numbers, isCLIP: false)
    let (images, name) = (Tiny.images(&numbers), "vision.blocks.0.mlp.up")
    let weight = plain[name]
    for isSequential in [false, true] {
      let (down, up) = (numbers.matrix(2, isSequential ? 7 : 6), numbers.matrix(7, 2))
      let product = linear(up, weight: transposed(down))
      var (branched, merged) = (plain, plain)
      branched.settings.branches[name] = BranchForm(
        isSequential: isSequential, hasActivation: false, dropout: 0.5, dropPath: 0.5)
      (branched.weights["\(name).branch.down"], branched.weights["\(name).branch.up"]) = (down, up)
      if isSequential {
        let (c, e, b) = (numbers.matrix(1, 2), numbers.matrix(1, 7), plain["\(name).bias"])
        (branched.weights["\(name).branch.down.bias"], branched.weights["\(name).branch.up.bias"]) = (c, e)
        merged.weights[name] = weight + linear(product, weight: transposed(weight))
        merged.weights["\(name).bias"] = b + linear(b, weight: product) + linear(c, weight: up) + e
      } else {
        merged.weights[name] = weight + product
      }
      let (found, wanted) = (branched.visionTransformer(images).features, merged.visionTransformer(images).features)
      expectEqual(found.values, wanted.values, tolerance: 1e-12, "sequential: \(isSequential)")
      #expect(found != plain.visionTransformer(images).features)
    }
  }

  /// With p = ½ in the last of three blocks, the second has p = ¼: a sample is skipped below it, else divided by ¾.
  @Test func stochasticDepthGrowsLinearly() {
    var numbers = Numbers(seed: 52)
    var network = Tiny.vision(&numbers, isCLIP: false, blocks: 3)
    network.settings.stochasticDepth = 0.5
    let kept = [0.5, 0.5]
    network.draws = [
      "vision.blocks.1.attention": [0.25, 0.24], "vision.blocks.1.mlp": kept, "vision.blocks.2.attention": kept,
      "vision.blocks.2.mlp": [0.49, 0.5],
    ]
    let values = network.visionTransformer(Tiny.images(&numbers))
    let (first, second) = (values.blocks[1], values.blocks[2])
    let half = first.input.count / 2
    let attention = first.middle.zip(first.input) { $0 - $1 }.values
    expectEqual(Array(attention[..<half]), first.attention.values[..<half].map { $0 / 0.75 }, tolerance: 1e-12)
    #expect(attention[half...].allSatisfy { $0 == 0 })
    let mlp = second.output.zip(second.middle) { $0 - $1 }.values
    #expect(mlp[..<half].allSatisfy { $0 == 0 })
    expectEqual(Array(mlp[half...]), second.mlp.values[half...].map { $0 / 0.5 }, tolerance: 1e-12)
    // The first block is never skipped.
    let zero = values.blocks[0]
    #expect(zero.output == zero.middle + zero.mlp && zero.middle == zero.input + zero.attention)
  }

  private func transposed(_ x: Matrix) -> Matrix {
    var y = Matrix(x.columns, x.rows)
    for r in 0..<x.rows { for c in 0..<x.columns { y[c, r] = x[r, c] } }
    return y
  }
}
