import Reference
import Testing

/// The backward passes of whole networks against differences, for every element of every tensor.
@Suite struct NetworkGradientTests {
  /// Differences of ⟨features, dy⟩ for all tensors and pixels of an image tower.
  private func expectDifferences(_ network: Network, _ images: Images, _ numbers: inout Numbers, _ comment: String) {
    let values = network.visionTransformer(images)
    let dy = numbers.matrix(values.features.rows, values.features.columns)
    let d = network.visionTransformerBackward(dy, values, images: images)
    // The head is none of the tower's tensors.
    var inputs = network.weights.filter { !$0.key.hasPrefix("head.") }
    var gradients = d.weights
    (inputs["images"], gradients["images"]) = (Matrix(row: images.values), Matrix(row: d.images.values))
    ReferenceTests.expectDifferences(inputs, gradients, comment) { inputs in
      var (moved, pixels) = (network, images)
      moved.weights.merge(inputs) { $1 }
      pixels.values = inputs.at("images").values
      return inner(moved.visionTransformer(pixels).features, dy)
    }
  }

  @Test(arguments: [(true, 1, 1), (true, 2, 2), (false, 2, 1), (false, 3, 3)])
  func imageTowers(_ isCLIP: Bool, _ blocks: Int, _ samples: Int) {
    var numbers = Numbers(seed: 11)
    let network = Tiny.vision(&numbers, isCLIP: isCLIP, blocks: blocks)
    expectDifferences(network, Tiny.images(&numbers, count: samples), &numbers, "\(blocks) blocks")
  }

  /// Images of 5 × 5 pixels and patches of 2: the last row and column are not seen.
  @Test func imagesThatPatchesDoNotFill() {
    var numbers = Numbers(seed: 12)
    let network = Tiny.vision(&numbers, isCLIP: true, size: 5, blocks: 1)
    expectDifferences(network, Tiny.images(&numbers, size: 5), &numbers, "5 × 5")
  }

  /// Each form of branch at each linear map of a block, with everything dropped that may be.
  @Test(arguments: [(false, false), (true, true), (false, true)])
  func branches(_ isSequential: Bool, _ hasActivation: Bool) {
    var numbers = Numbers(seed: 13)
    var network = Tiny.vision(&numbers, isCLIP: false, blocks: 2)
    let (images, tokens) = (Tiny.images(&numbers, count: 3), 15)
    network.settings.stochasticDepth = 0.4
    var draws: Draws = ["vision.blocks.1.attention": [0.1, 0.5, 0.9], "vision.blocks.1.mlp": [0.8, 0.3, 0.7]]
    for map in ["attention.query", "attention.key", "attention.value", "attention.output", "mlp.up", "mlp.down"] {
      let name = "vision.blocks.1.\(map)"
      let weight = network.weights.at(name)
      let read = isSequential ? weight.rows : weight.columns
      network.settings.branches[name] = BranchForm(
        isSequential: isSequential, hasActivation: hasActivation, dropout: 0.3, dropPath: 0.2)
      network.weights["\(name).branch.down"] = numbers.matrix(3, read)
      network.weights["\(name).branch.up"] = numbers.matrix(weight.rows, 3)
      if hasActivation {
        network.weights["\(name).branch.down.bias"] = numbers.matrix(1, 3)
        network.weights["\(name).branch.up.bias"] = numbers.matrix(1, weight.rows)
      }
      draws["\(name).dropout"] = numbers.uniform(tokens * read)
      draws["\(name).dropPath"] = [0.9, 0.1, 0.6]
    }
    expectDifferences(network, images, &numbers, "evaluation")
    network.draws = draws
    expectDifferences(network, images, &numbers, "training")
  }

  @Test(arguments: [[0, 3, 1], [4, 4, 4], [2]]) func textTowers(_ ends: [Int]) {
    var numbers = Numbers(seed: 14)
    let network = Tiny.text(&numbers)
    let ids = ends.indices.map { sample in (0..<5).map { ($0 * 3 + sample * 2) % 7 } }
    let values = network.textTransformer(ids, ends: ends)
    let dy = numbers.matrix(ends.count, 5)
    let gradients = network.textTransformerBackward(dy, values, ids, ends: ends)
    ReferenceTests.expectDifferences(network.weights, gradients) { weights in
      inner(Network(weights, network.settings).textTransformer(ids, ends: ends).features, dy)
    }
  }

  @Test func tokensAfterTheEndChangeNothing() {
    var numbers = Numbers(seed: 15)
    let network = Tiny.text(&numbers)
    let long = network.textTransformer([[1, 2, 6, 0, 0], [3, 6, 5, 4, 3]], ends: [2, 1]).features
    let short = network.textTransformer([[1, 2, 6], [3, 6, 2]], ends: [2, 1]).features
    #expect(long == short)
  }

  @Test func classifiers() {
    var numbers = Numbers(seed: 16)
    let network = Tiny.vision(&numbers, isCLIP: false)
    let images = Tiny.images(&numbers, count: 3)
    let labels = [2, 0, 2]
    let gradients = classifierGradients(network, images: images, labels: labels).gradients
    ReferenceTests.expectDifferences(network.weights, gradients) { weights in
      classifierGradients(Network(weights, network.settings), images: images, labels: labels).loss
    }
  }

  /// A branch that adds nothing leaves the network as it is, and so does one that every sample skips.
  @Test func branchesWithoutEffect() {
    var numbers = Numbers(seed: 17)
    let plain = Tiny.vision(&numbers, isCLIP: false)
    let (images, name) = (Tiny.images(&numbers), "vision.blocks.0.attention.value")
    var branched = plain
    branched.settings.branches[name] = BranchForm(
      isSequential: false, hasActivation: false, dropout: 0, dropPath: 0.5)
    branched.weights["\(name).branch.down"] = numbers.matrix(2, 6)
    branched.weights["\(name).branch.up"] = Matrix(6, 2)
    let features = plain.visionTransformer(images).features
    #expect(branched.visionTransformer(images).features == features)
    branched.weights["\(name).branch.up"] = numbers.matrix(6, 2)
    #expect(branched.visionTransformer(images).features != features)
    branched.draws = ["\(name).dropPath": [0.1, 0.49]]
    #expect(branched.visionTransformer(images).features == features)
  }
}
