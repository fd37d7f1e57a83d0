import Reference
import Testing

/// Every backward function of a layer against differences of its forward function.
@Suite struct LayerGradientTests {
  /// Rows and columns: 1, odd, prime, long.
  static let shapes = [[1, 1], [1, 7], [3, 5], [5, 2], [2, 13]]

  @Test(arguments: shapes, [1, 3, 4]) func linearMaps(_ shape: [Int], out: Int) {
    var numbers = Numbers(seed: 1)
    let dy = numbers.matrix(shape[0], out)
    let (x, weight) = (numbers.matrix(shape[0], shape[1]), numbers.matrix(out, shape[1]))
    let d = linearBackward(dy, x: x, weight: weight)
    expectDifferences(
      ["x": x, "W": weight, "b": numbers.matrix(1, out)], ["x": d.x, "W": d.weight, "b": d.bias]
    ) { inner(linear($0.at("x"), weight: $0.at("W"), bias: $0.at("b")), dy) }
    expectDifferences(["x": x, "W": weight], ["x": d.x, "W": d.weight]) {
      inner(linear($0.at("x"), weight: $0.at("W")), dy)
    }
  }

  @Test(arguments: [[1, 2], [3, 5], [5, 2], [2, 13]], [1e-6, 1e-5, 0.1])
  func layerNorms(_ shape: [Int], epsilon: Double) {
    var numbers = Numbers(seed: 2)
    // At a width of 2 all rows are normalised to ±1, so that a small ε leaves no gradient to speak of.
    let epsilon = shape[1] == 2 ? 0.1 : epsilon
    let (x, dy) = (numbers.matrix(shape[0], shape[1], scale: 2), numbers.matrix(shape[0], shape[1]))
    let (scale, shift) = (numbers.matrix(1, shape[1], around: 1), numbers.matrix(1, shape[1]))
    let d = layerNormBackward(dy, x: x, scale: scale, epsilon: epsilon)
    expectDifferences(
      ["x": x, "scale": scale, "shift": shift], ["x": d.x, "scale": d.scale, "shift": d.shift]
    ) { inner(layerNorm($0.at("x"), scale: $0.at("scale"), shift: $0.at("shift"), epsilon: epsilon), dy) }
  }

  @Test(arguments: shapes) func activations(_ shape: [Int]) {
    var numbers = Numbers(seed: 3)
    let (x, dy) = (numbers.matrix(shape[0], shape[1], scale: 4), numbers.matrix(shape[0], shape[1]))
    expectDifferences(["x": x], ["x": geluBackward(dy, x: x)]) { inner(gelu($0.at("x")), dy) }
    expectDifferences(["x": x], ["x": quickGELUBackward(dy, x: x)]) { inner(quickGELU($0.at("x")), dy) }
  }

  @Test(arguments: [[1, 2], [3, 5], [5, 2], [2, 13]]) func softmaxAndTheLossesMadeOfIt(_ shape: [Int]) {
    var numbers = Numbers(seed: 4)
    let (z, dy) = (numbers.matrix(shape[0], shape[1], scale: 3), numbers.matrix(shape[0], shape[1]))
    let teacher = numbers.matrix(shape[0], shape[1], scale: 3)
    let labels = (0..<shape[0]).map { ($0 * 7 + 1) % shape[1] }
    expectDifferences(["z": z], ["z": softmaxBackward(dy, p: softmax(z))]) { inner(softmax($0.at("z")), dy) }
    expectDifferences(["z": z], ["z": logSoftmaxBackward(dy, logP: logSoftmax(z))]) {
      inner(logSoftmax($0.at("z")), dy)
    }
    expectDifferences(["z": z], ["z": crossEntropyBackward(z, labels: labels)]) {
      crossEntropy($0.at("z"), labels: labels)
    }
    expectDifferences(["z": z], ["z": distillationBackward(z, teacher: teacher)]) {
      distillation($0.at("z"), teacher: teacher)
    }
  }

  /// Sequences, queries, keys, heads, head width.
  @Test(arguments: [[1, 1, 2, 1, 1], [2, 3, 3, 2, 3], [1, 5, 5, 3, 1], [3, 2, 7, 1, 5]], [false, true])
  func attentions(_ sizes: [Int], isCausal: Bool) {
    // A causal query that sees one key only has no gradient to speak of.
    if isCausal && sizes[1] == 1 { return }
    var numbers = Numbers(seed: 5)
    let (sequences, heads, width) = (sizes[0], sizes[3], sizes[3] * sizes[4])
    let queries = numbers.matrix(sequences * sizes[1], width, scale: 2)
    let keys = numbers.matrix(sequences * sizes[2], width, scale: 2)
    let values = numbers.matrix(sequences * sizes[2], width)
    let dy = numbers.matrix(sequences * sizes[1], width)
    let d = attentionBackward(
      dy, queries: queries, keys: keys, values: values, sequences: sequences, heads: heads, isCausal: isCausal)
    expectDifferences(["q": queries, "k": keys, "v": values], ["q": d.queries, "k": d.keys, "v": d.values]) {
      inner(
        attention(
          queries: $0.at("q"), keys: $0.at("k"), values: $0.at("v"), sequences: sequences, heads: heads,
          isCausal: isCausal), dy)
    }
  }

  /// Samples, tokens before the patches, patches along a side, width, rank.
  @Test(arguments: [[1, 0, 1, 1, 1], [2, 1, 2, 5, 3], [3, 2, 3, 4, 2], [1, 1, 5, 3, 1]])
  func bypassesWithConvolutions(_ sizes: [Int]) {
    let (prefix, side, width, rank) = (sizes[1], sizes[2], sizes[3], sizes[4])
    var numbers = Numbers(seed: 7)
    let (h, dy) = (
      numbers.matrix(sizes[0] * (prefix + side * side), width),
      numbers.matrix(sizes[0] * (prefix + side * side), width)
    )
    func named(_ h: Matrix, _ parts: ConvolutionalBypass) -> Parameters {
      let kernel = parts.kernel.enumerated().map { ("C\($0)", $1) }
      let all = [("h", h), ("D", parts.down), ("a", parts.downBias), ("c", parts.kernelBias), ("U", parts.up)]
      return Dictionary(uniqueKeysWithValues: all + [("b", parts.upBias)] + kernel)
    }
    func bypass(_ parts: Parameters) -> ConvolutionalBypass {
      ConvolutionalBypass(
        down: parts.at("D"), downBias: parts.at("a"), kernel: (0..<9).map { parts.at("C\($0)") },
        kernelBias: parts.at("c"), up: parts.at("U"), upBias: parts.at("b"), prefix: prefix, side: side)
    }
    let parts = ConvolutionalBypass(
      down: numbers.matrix(rank, width), downBias: numbers.matrix(1, rank),
      kernel: (0..<9).map { _ in numbers.matrix(rank, rank) }, kernelBias: numbers.matrix(1, rank),
      up: numbers.matrix(width, rank), upBias: numbers.matrix(1, width), prefix: prefix, side: side)
    let found = parts.backward(dy, h: h)
    expectDifferences(named(h, parts), named(found.h, found.parts)) { inner(bypass($0)($0.at("h")), dy) }
  }

  @Test(arguments: [0, 0.3, 0.9]) func dropoutAndDropPathAreTheirOwnGradients(_ probability: Double) {
    var numbers = Numbers(seed: 6)
    let (x, dy) = (numbers.matrix(12, 5), numbers.matrix(12, 5))
    var (elements, samples) = (numbers.uniform(60), numbers.uniform(4))
    // One that is kept for sure, so that not all gradients are 0.
    (elements[7], samples[2]) = (0.95, 0.95)
    expectDifferences(["x": x], ["x": dropout(dy, probability: probability, uniform: elements)]) {
      inner(dropout($0.at("x"), probability: probability, uniform: elements), dy)
    }
    expectDifferences(["x": x], ["x": dropPath(dy, probability: probability, uniform: samples)]) {
      inner(dropPath($0.at("x"), probability: probability, uniform: samples), dy)
    }
  }

  @Test func tokens() {
    var numbers = Numbers(seed: 7)
    let (table, ids) = (numbers.matrix(5, 3), [4, 0, 4, 2, 4, 0])
    let dy = numbers.matrix(6, 3)
    expectDifferences(["x": table], ["x": selectRowsBackward(dy, ids, of: 5)]) {
      inner(selectRows($0.at("x"), ids), dy)
    }
    let dSequences = numbers.matrix(8, 3)
    let d = prependedBackward(dSequences, samples: 2)
    expectDifferences(["x": dy, "c": numbers.matrix(1, 3)], ["x": d.x, "c": d.token]) {
      inner(prepended($0.at("x"), token: $0.at("c"), samples: 2), dSequences)
    }
    expectDifferences(["x": dy, "p": numbers.matrix(3, 3)], ["x": dy, "p": positionsBackward(dy, tokens: 3)]) {
      inner(withPositions($0.at("x"), $0.at("p")), dy)
    }
  }

  /// Height, width, patch size; pixels that fill no patch have no gradient.
  @Test(arguments: [[2, 2, 1], [4, 6, 2], [7, 5, 3]]) func patchesOfImages(_ sizes: [Int]) {
    var numbers = Numbers(seed: 8)
    let (height, width, size) = (sizes[0], sizes[1], sizes[2])
    func images(_ values: [Double]) -> Images { Images(count: 2, channels: 3, height: height, width: width, values) }
    let x = numbers.matrix(1, 2 * 3 * height * width)
    let dy = numbers.matrix(2 * (height / size) * (width / size), 3 * size * size)
    let dx = patchesBackward(dy, images: images(x.values), of: size)
    expectDifferences(["x": x], ["x": Matrix(row: dx.values)]) {
      inner(patches(images($0.at("x").values), of: size), dy)
    }
  }

  /// Up to a norm of 1e-12 a row is divided by that constant.
  @Test(arguments: [0, 3e-13]) func shortRowsHaveAConstantDivisor(_ size: Double) {
    let (x, du) = (Matrix(row: [size, 0, 0]), Matrix(row: [2, 3, 5]))
    #expect(normalizedRows(x).values == [size / 1e-12, 0, 0])
    let expected: [Double] = [2 / 1e-12, 3 / 1e-12, 5 / 1e-12]
    #expect(normalizedRowsBackward(du, x: x).values == expected)
  }

  @Test(arguments: [[1, 2], [3, 5], [5, 13]], [1, 4]) func clipsClassifier(_ shape: [Int], classes: Int) {
    var numbers = Numbers(seed: 9)
    let (features, classifier) = (numbers.matrix(shape[0], shape[1]), numbers.matrix(classes, shape[1]))
    let (dLogits, scale) = (numbers.matrix(shape[0], classes), Matrix(row: [1.3]))
    let du = numbers.matrix(shape[0], shape[1])
    expectDifferences(["x": features], ["x": normalizedRowsBackward(du, x: features)]) {
      inner(normalizedRows($0.at("x")), du)
    }
    let d = clipLogitsBackward(dLogits, features: features, classifier: classifier, logitScale: 1.3)
    expectDifferences(
      ["f": features, "t": classifier, "s": scale],
      ["f": d.features, "t": d.classifier, "s": Matrix(row: [d.logitScale])]
    ) {
      inner(clipLogits(features: $0.at("f"), classifier: $0.at("t"), logitScale: $0.at("s").values[0]), dLogits)
    }
  }
}

extension Parameters {
  /// The tensor of a name that a test has given.
  func at(_ name: String) -> Matrix { self[name] ?? Matrix(0, 0) }
}
