import Checks
import Models
import Tensor
import Testing

@testable import Methods

/// The published settings of heads, and where they start.
@Suite struct HeadRecipeTests {
  private func recipe(_ name: String, _ benchmark: Benchmark? = nil, shots: Int = 16) throws -> Recipe {
    let method = try #require(MethodList.heads.first(where: { $0.name == name }))
    return method.recipe(PublishedSetting(benchmark: benchmark, shots: shots, fidelity: .official))
  }

  /// Tip-Adapter (a), (f).
  @Test func keysAreTrainedAsPublished() throws {
    for (benchmark, epochs) in [(nil, 20), (.eurosat, 100), (.imagenet, 20)] as [(Benchmark?, Int)] {
      let recipe = try recipe("tip-adapter-f", benchmark)
      #expect(recipe.epochs == epochs && recipe.batchSize == 256 && recipe.keepsLastBatch == true)
      #expect(recipe.views == 10 && recipe.smallestCrop == 0.5)
      let own = recipe.head
      #expect(own.kind == .adamw && own.learningRate == 1e-3 && own.weightDecay == 0.01 && own.epsilon == 1e-4)
      #expect(own.isStepwise == true && own.warmup == .none && own.course == .cosine)
    }
    #expect(try recipe("tip-adapter").views == 10)
  }

  /// Tip-Adapter (e): the largest β and α, and α at its start.
  @Test func limitsOfTheSearchAreThoseOfTheConfigurations() {
    let published: [(Benchmark?, Double, Double, Double)] = [
      (.imagenet, 7, 3, 1.17), (.caltech101, 12, 5, 3), (.dtd, 13, 13, 2), (.eurosat, 12, 10, 2),
      (.fgvcAircraft, 30, 30, 5), (.food101, 10, 10, 1.17), (.oxfordFlowers, 50, 50, 10), (.oxfordPets, 7, 3, 1.17),
      (.stanfordCars, 20, 10, 3), (.sun397, 12, 10, 1.17), (.ucf101, 7, 3, 3), (nil, 12, 10, 1.17),
    ]
    for (benchmark, beta, alpha, start) in published {
      let wanted = CacheSettings(
        cacheAlpha: start, cacheBeta: 1, cacheLimits: CacheSettings.Limits(alpha: alpha, beta: beta))
      #expect(CacheSettings.published(benchmark) == wanted)
    }
  }

  /// GDA (a), (f).
  @Test func theGaussianClassifierHasTenViewsAndABlendByShots() throws {
    for (shots, blend) in [(1, 0.01), (2, 0.1), (4, 0.1), (8, 1), (16, 10)] as [(Int, Double)] {
      let recipe = try recipe("gda", shots: shots)
      #expect(recipe.views == 10 && recipe.smallestCrop == 0.5)
      #expect(recipe[GaussianSettings.self] == GaussianSettings(blend: blend))
    }
    #expect(try recipe("gda", .imagenet).smallestCrop == 0.08)
    #expect(GaussianClassifier.blends == [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100])
  }

  /// LP++ (d).
  @Test func theBlendHasOneView() throws {
    let recipe = try recipe("lp++")
    #expect(recipe.views == 1 && recipe.smallestCrop == 0.5 && BlendFit.epochs == 300)
  }

  /// CLAP (e). An epoch has ⌊N / 256⌋ batches, one at least.
  @Test func prototypesAreTrainedAsPublished() throws {
    let recipe = try recipe("clap")
    #expect(recipe.epochs == 300 && recipe.batchSize == 256 && recipe.views == 20 && recipe.smallestCrop == 0.08)
    let own = recipe.head
    #expect(own.kind == .sgd && own.learningRate == 0.1 && own.momentum == 0.9 && own.weightDecay == 0)
    #expect(own.warmup == .constant && own.warmupEpochs == 1 && own.warmupLearningRate == 1e-5)
    #expect([10, 255, 256, 511, 512, 1000].map { recipe.stepsPerEpoch(images: $0) } == [1, 1, 1, 1, 2, 3])
    let method = PrototypeMethod()
    #expect(method.keepsUnderscores(.official) && !method.keepsUnderscores(.paper))
    #expect(method.templates(.imagenet).count == 8 && method.templates(.imagenet).last == "a photo of a {}.")
  }

  /// CLIP-Adapter (d): D and U within ±1/√in, by the seed.
  @Test func theAdapterOfFeaturesStartsAsLinearMapsDo() {
    func start(_ seed: UInt64) -> [Tensor] {
      FeatureAdapter(
        textFeatures: .zeros([3, 512]), logitScale: Parameter(Site("logitScale", .logitScale), Tensor(1)),
        ratio: 0.2, seed: seed
      ).trainables.map(\.initial)
    }
    let values = start(1)
    #expect(values.map(\.shape) == [[128, 512], [512, 128]])
    for (value, width) in zip(values, [512.0, 128.0]) {
      let largest = value.values.reduce(0) { max($0, abs(Double($1))) } * width.squareRoot()
      #expect(largest <= 1 && largest > 0.99)
    }
    #expect(zip(values, start(2)).allSatisfy { $0 != $1 })
  }

  /// CLIP-Adapter (e): all but the ratio is CoOp's.
  @Test func theAdapterOfFeaturesHasTheRecipeOfCoOp() throws {
    for shots in [1, 4, 16] {
      let (own, context) = (try recipe("clip-adapter", shots: shots), try recipe("coop", shots: shots))
      #expect(own.epochs == context.epochs && own.batchSize == context.batchSize && own.head == context.head)
      #expect(own[FeatureAdapterSettings.self] == FeatureAdapterSettings(ratio: 0.2))
    }
  }

  /// Linear probe (e).
  @Test func theProbeReadsOneViewAndHasTheStrengthOfTheReadme() throws {
    let recipe = try recipe("linear-probe")
    #expect(recipe.views == nil && !recipe.augments)
    #expect(recipe[LinearProbeSettings.self] == LinearProbeSettings(inverseDecay: 0.316))
    #expect(LinearProbe.exponents == [6, 4, 2, 0, -2, -4, -6])
  }
}
