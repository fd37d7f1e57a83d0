import Checks
import Models
import Tensor
import Testing

@testable import Methods

/// What is trained at a site, and what weight decay acts on.
@Suite struct SiteTuningTests {
  private let tower = VisionTransformer.random(
    VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 8, hiddenWidth: 16, blocks: 1, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8, patchSize: 4,
      form: .classifier), seed: 1)

  @Test(arguments: [("bitfit", PlainTuning.biases), ("layernorm", .norms)])
  func threeStepsAreThoseOfPyTorch(_ name: String, _ rule: PlainTuning) throws {
    let golden = try EncoderGolden()
    let designs = rule.designs(of: golden.model.vision, rank: 0, BranchSettings.Branch())
    try golden.compare(name, SiteTuning(designs, seed: 1))
  }

  /// Positions are a matrix, but the tokens' own.
  @Test func decayActsOnMatricesButNotOnTokensAndPositions() throws {
    let tuning = SiteTuning(PlainTuning.full.designs(of: tower, rank: 2, BranchSettings.Branch()), seed: 1)
    #expect(tuning.trainables.map(\.name) == tower.parameters.map(\.site.name))
    for (trainable, parameter) in zip(tuning.trainables, tower.parameters) {
      let isToken = ["vision.positions", "vision.classToken"].contains(parameter.site.name)
      #expect(trainable.isDecayed == (parameter.value.shape.rank > 1 && !isToken), "\(trainable.name)")
    }
    let decayed = Set(tuning.trainables.filter(\.isDecayed).map(\.name))
    #expect(decayed.contains("vision.patchEmbedding") && decayed.contains("vision.blocks.0.mlp.up"))
    #expect(decayed.count == 7)
  }

  @Test func decayActsOnTheMapsOfBranchesAndOnNoEntry() throws {
    let parameter = try #require(tower.parameters.first { $0.site.name == "vision.blocks.0.mlp.up" })
    let form = Branch.Form(
      isSequential: true, hasActivation: true, dropout: 0, dropPath: 0, dropoutSite: 0, dropPathSite: 0)
    let design = BranchDesign(form: form, rank: 2, hasBiases: true, start: .zeroUp)
    let branch = SiteTuning([.branched(parameter, design)], seed: 1)
    #expect(branch.trainables.map(\.isDecayed) == [true, false, true, false])
    let sparse = SiteTuning([.sparse(parameter, SparseIndices([1, 5], in: parameter.value.shape))], seed: 1)
    #expect(sparse.trainables.map(\.isDecayed) == [false])
    #expect(sparse.trainables[0].initial == .zeros([2]))
  }
}
