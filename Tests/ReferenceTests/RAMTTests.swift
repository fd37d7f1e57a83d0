import Foundation
import Reference
import Testing

/// Masks, gradient dropout and a training step of R-AMT, by hand and by differences.
@Suite struct RAMTTests {
  @Test func aWeightIsKeptWhereItsRealMaskIsAboveTheThreshold() {
    let mask = Matrix(row: [0.005, 0.005.nextUp, 0.005.nextDown, 0.01, 0, -1, .nan, .infinity])
    let weight = Matrix(row: [1, 2, 3, -4, 5, 6, 7, 8])
    #expect(masked(weight, mask: mask).values == [0, 2, 0, -4, 0, 0, 0, 8])
    #expect(initialMask > maskThreshold)
  }

  @Test func theStraightThroughGradientIsThatOfARelaxedMask() {
    var numbers = Numbers(seed: 21)
    let (weight, x, dy) = (numbers.matrix(3, 5), numbers.matrix(2, 5), numbers.matrix(2, 3))
    let binary = Matrix(3, 5, (0..<15).map { $0 % 4 == 0 ? 0 : 1 })
    let used = weight.zip(binary) { $0 * $1 }
    let gradient = maskedBackward(linearBackward(dy, x: x, weight: used).weight, weight: weight)
    expectDifferences(["B": binary], ["B": gradient]) { inputs in
      inner(linear(x, weight: weight.zip(inputs.at("B")) { $0 * $1 }), dy)
    }
    // Dropped weights get a gradient too.
    #expect(gradient.values[0] != 0 && gradient.values[4] != 0)
  }

  @Test func queryKeyAndValueAreOneTensorOfTheNorm() {
    let groups = maskedGroups(blocks: 2)
    #expect(groups.map(\.count) == [1, 3, 1, 3, 1])
    #expect(groups[0] == ["vision.patchEmbedding"] && groups[4] == ["vision.blocks.1.attention.output"])
    #expect(groups[3] == ["query", "key", "value"].map { "vision.blocks.1.attention.\($0)" })
    #expect(
      maskedGroups(blocks: 3, patchEmbedding: false, attention: false, mlp: true).map(\.count) == [1, 1, 1, 1, 1, 1])
    // 1, 2, 2 and 4 have the norm 5.
    let masks = [Matrix(row: [1, 2]), Matrix(row: [2]), Matrix(2, 1, [4, 0])]
    #expect(maskNorm(masks) == 5)
    #expect(maskNormBackward(masks).map(\.values) == [[0.2, 0.4], [0.4], [0.8, 0]])
    #expect(maskNormBackward([Matrix(1, 3)])[0].values == [0, 0, 0])
  }

  @Test func keepProbabilities() {
    // Of one sign, of opposite signs, of opposite signs and one size; the paper's figure has 0.2 and −0.6.
    let cases = [(0.7, 0.3, 1.0), (-0.7, -0.3, 1), (0.1, -1e6, 0), (-0.1, 1e6, 0), (0.4, -0.4, 0.5), (0.2, -0.6, 0.25)]
    for (a, b, p) in cases { #expect(abs(keepProbability(a, b) - p) < 1e-6, "\(a), \(b)") }
    // sgn 0 = 0; both 0; both far below ε; ε itself: a = b = 1e-8 has 2e-8 / 3e-8.
    #expect(keepProbability(0, 3) == 0.5 && keepProbability(-0.0, -3) == 0.5 && keepProbability(0, 0) == 0.5)
    #expect(abs(keepProbability(1e-14, 1e-14) - 0.5) < 1e-5)
    expectEqual([keepProbability(1e-8, 1e-8), keepProbability(-1e-8, 1e-8)], [0.5 * (1 + 2.0 / 3), 0.5])
  }

  @Test func droppedEntriesKeepOneMinusLambda() {
    let (a, b) = (Matrix(row: [0.4, 0.4, -0.4, 0]), Matrix(row: [-0.4, -0.4, 0.4, 9]))
    // P is ½ minus nothing: an entry is kept where P > U, dropped where P = U.
    let u = [0.49, 0.5, 0.51, 0]
    #expect(gradientDropout(a, b, uniform: u, lambda: 1).values == [0.4, 0, 0, 0])
    #expect(gradientDropout(a, b, uniform: u, lambda: 0).values == a.values)
    expectEqual(gradientDropout(a, b, uniform: u, lambda: 0.3).values, [0.4, 0.28, -0.28, 0])
  }

  /// A tiny CLIP, masks of which every third weight is dropped, and everything else that a step reads.
  struct Bench {
    let tower: Network
    let images: Images
    let classifier: Matrix
    let groups = maskedGroups(blocks: 2)
    var masks: Parameters = [:]
    var uniform: Draws = [:]
    let labels = [3, 0, 1]

    init(seed: UInt64) {
      var numbers = Numbers(seed: seed)
      tower = Tiny.vision(&numbers, isCLIP: true)
      images = Tiny.images(&numbers, count: 3)
      let text = Tiny.text(&numbers)
      let ids = (0..<4).map { label in [1, label + 2, 6, 0] }
      classifier = text.textTransformer(ids, ends: [2, 2, 2, 2]).features
      for name in groups.joined() {
        let weight = tower[name]
        masks[name] = Matrix(
          weight.rows, weight.columns, weight.values.indices.map { $0 % 3 == 1 ? 0.004 : 0.01 + 1e-5 * Double($0) })
        uniform[name] = numbers.uniform(weight.count)
      }
    }

    func step(lambda: Double, normWeight: Double = 1e-4) -> MaskStep {
      maskStep(
        tower, masks: masks, groups: groups, images: images, labels: labels, classifier: classifier, logitScale: 2,
        uniform: uniform, lambda: lambda, normWeight: normWeight)
    }

    /// The logits of the tower with W ⊙ R for masks R of any real values.
    func logits(_ relaxed: Parameters) -> Matrix {
      var network = tower
      for (name, mask) in relaxed { network.weights[name] = tower[name].zip(mask) { $0 * $1 } }
      return clipLogits(
        features: network.visionTransformer(images).features, classifier: classifier, logitScale: 2)
    }
  }

  @Test func theStepsGradientsAreThoseOfRelaxedMasks() {
    let bench = Bench(seed: 22)
    let step = bench.step(lambda: 1, normWeight: 0)
    let binary = bench.masks.mapValues { $0.map { $0 > 0.005 ? 1 : 0 } }
    let teacher = bench.logits([:])
    #expect(step.teacherLogits == teacher && step.logits == bench.logits(binary) && step.logits != teacher)
    expectDifferences(binary, step.a, "a") { crossEntropy(bench.logits($0), labels: bench.labels) }
    expectDifferences(binary, step.b, "b") { distillation(bench.logits($0), teacher: teacher) }
  }

  @Test func theNormIsPartOfTheFirstGradientOnly() {
    let bench = Bench(seed: 23)
    let (plain, step) = (bench.step(lambda: 1, normWeight: 0), bench.step(lambda: 1, normWeight: 0.1))
    #expect(step.b == plain.b && step.crossEntropy == plain.crossEntropy && step.distillation == plain.distillation)
    var sum = 0.0
    for group in bench.groups {
      let norm = group.flatMap { bench.masks.at($0).values }.reduce(0) { $0 + $1 * $1 }.squareRoot()
      sum += norm
      for name in group {
        let wanted = plain.a.at(name).zip(bench.masks.at(name)) { $0 + 0.1 * $1 / norm }
        expectEqual(step.a.at(name).values, wanted.values, name)
      }
    }
    expectEqual([step.norm], [sum])
  }

  @Test func aStepDropsByEquationSevenAndMovesByAdam() {
    var bench = Bench(seed: 24)
    let step = bench.step(lambda: 0.3)
    #expect(bench.step(lambda: 0).g == step.a)
    var kept = 0
    var dropped = 0
    for (name, g) in step.g {
      let uniform = bench.uniform[name] ?? []
      for k in g.values.indices {
        let (a, b) = (step.a.at(name).values[k], step.b.at(name).values[k])
        let isKept = keepProbability(a, b) > uniform[k]
        if isKept { kept += 1 } else { dropped += 1 }
        expectEqual([g.values[k]], [isKept ? a : 0.7 * a], name)
      }
    }
    #expect(kept > 20 && dropped > 20)
    // The first step of Adam moves every mask by the learning rate against its gradient, as ε is small beside it.
    let (before, rate) = (bench.masks, 8e-5)
    var moments: [String: Moments] = [:]
    updateMasks(&bench.masks, &moments, step: step, learningRate: rate)
    for (name, g) in step.g {
      let wanted = before.at(name).zip(g) { m, g in m - rate * g / (abs(g) + 1e-8) }
      expectEqual(bench.masks.at(name).values, wanted.values, name)
    }
    #expect(moments.values.allSatisfy { $0.steps == 1 } && moments.count == 9)
  }

  /// With all masks at their initial value the model is the untuned one, and L_b is the teacher's entropy.
  @Test func trainingStartsAtTheTeacher() {
    var bench = Bench(seed: 25)
    bench.masks = bench.masks.mapValues { $0.map { _ in initialMask } }
    let step = bench.step(lambda: 1)
    #expect(step.logits == step.teacherLogits)
    let p = softmax(step.logits).values
    expectEqual([step.distillation], [-p.reduce(0) { $0 + $1 * Foundation.log($1) } / 3])
    #expect(step.b.values.flatMap(\.values).allSatisfy { $0 == 0 })
  }
}

private func expectEqual(_ found: [Double], _ wanted: [Double], _ comment: String) {
  expectEqual(found, wanted, tolerance: 1e-13, comment)
}
