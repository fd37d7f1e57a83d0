import Tensor
import Testing

@testable import Methods

/// The published settings, as the specification tabulates them.
@Suite struct RecipeTests {
  func recipe(
    _ method: String, _ benchmark: Benchmark? = nil, shots: Int? = 16, as fidelity: Fidelity = .official
  ) throws -> Recipe {
    try #require(MethodName(method)).recipe(
      PublishedSetting(benchmark: benchmark, shots: shots, fidelity: fidelity))
  }

  /// β₁ and β₂ of a recipe are those of every rule that has them, and below 1.
  @Test func theFactorsOfMomentsArrive() throws {
    var recipe = OptimizerRecipe(learningRate: 1)
    #expect(recipe.betas.first == 0.9 && recipe.betas.second == 0.999 && recipe.problem == nil)
    (recipe.beta1, recipe.beta2) = (0.5, 0.75)
    for (kind, decay) in [(OptimizerRecipe.Kind.adam, Adam.Decay.coupled), (.adamw, .decoupled)] {
      recipe.kind = kind
      let adam = try #require(recipe.optimizer([ParameterSlot("p", [1])], seed: 1) as? Adam)
      #expect(adam.beta1 == 0.5 && adam.beta2 == 0.75 && adam.decay == decay)
    }
    recipe.kind = .sparseAdam
    let sparse = try #require(recipe.optimizer([ParameterSlot("p", [1])], seed: 1) as? SparseAdam)
    #expect(sparse.beta1 == 0.5 && sparse.beta2 == 0.75)
    recipe.beta2 = 1
    #expect(recipe.problem == "beta2: expected 0 or more, below 1, found 1.0")
    (recipe.beta1, recipe.beta2) = (-0.5, nil)
    #expect(recipe.problem == "beta1: expected 0 or more, below 1, found -0.5")
  }

  @Test(arguments: Benchmark.allCases, [1, 2, 4, 8, 16])
  func lambdaIsThreeTenthsAtSixteenShotsButForTheLargestDatasets(_ benchmark: Benchmark, _ shots: Int) throws {
    let isLarge = [.imagenet, .sun397, .food101].contains(benchmark)
    #expect(
      try recipe("r-amt", benchmark, shots: shots)[MaskTuningSettings.self]?.lambda
        == (shots == 16 && !isLarge ? 0.3 : 1))
  }

  /// The script of the runs from base to new classes leaves λ at the configuration's 1, at 16 shots and on small data.
  @Test(arguments: Benchmark.allCases) func lambdaIsOneFromBaseToNewClasses(_ benchmark: Benchmark) throws {
    for method in ["r-amt", "r-mmt", "r-mt", "r-pmt", "mask-tuning"] {
      let recipe = try #require(MethodName(method)).recipe(
        PublishedSetting(benchmark: benchmark, shots: 16, fidelity: .official, classes: .base))
      #expect(recipe[MaskTuningSettings.self]?.lambda == (method == "mask-tuning" ? 0 : 1), "\(method)")
    }
  }

  @Test(arguments: Benchmark.allCases) func maskTuningHasAdamAtItsRateForItsEpochs(_ benchmark: Benchmark) throws {
    let (recipe, isImageNet) = (try recipe("r-amt", benchmark), benchmark == .imagenet)
    #expect(recipe.encoder == OptimizerRecipe(learningRate: isImageNet ? 3e-5 : 8e-5))
    #expect(recipe.epochs == (isImageNet ? 10 : 30))
    #expect(
      recipe.batchSize == 32 && recipe.smallestCrop == 0.5 && recipe.augments
        && recipe[MaskTuningSettings.self]?.normWeight == 1e-4)
  }

  @Test func fewShotsTrainLongerByThePaperOnly() throws {
    for shots in [1, 2, 4] {
      #expect(try recipe("r-amt", shots: shots).epochs == 30)
      #expect(try recipe("r-amt", shots: shots, as: .paper).epochs == 50)
    }
    #expect(try recipe("r-amt", shots: 8, as: .paper).epochs == 30)
    #expect(try recipe("r-amt", .imagenet, shots: 1, as: .paper).epochs == 10)
  }

  @Test func plainMaskTuningHasNoGradientDropout() throws {
    #expect(try recipe("mask-tuning")[MaskTuningSettings.self]?.lambda == 0)
  }

  @Test(arguments: Benchmark.allCases, [1, 2, 4, 8, 16])
  func taskResHasItsTable(_ benchmark: Benchmark, _ shots: Int) throws {
    let recipe = try recipe("task-res", benchmark, shots: shots)
    #expect(recipe.epochs == (shots <= 4 ? 100 : 200))
    #expect(recipe.head.learningRate == (benchmark == .imagenet ? 2e-4 : 2e-3))
    #expect(recipe[TaskResSettings.self]?.alpha == (benchmark == .oxfordFlowers ? 1 : 0.5))
    #expect(recipe.head.weightDecay == 5e-4 && recipe.head.warmup == .constant && recipe.head.recounts)
    #expect(recipe.batchSize == 256 && recipe.smallestCrop == 0.08)
  }

  /// `linear` is the head of the site methods under their recipe, not the probe of the CLIP papers (L-BFGS).
  @Test func theLinearHeadHasTheRecipeOfTheSiteMethods() throws {
    var (head, site) = (try recipe("linear", shots: nil), try recipe("bitfit", shots: nil))
    #expect(head.head.kind == .adamw && head.epochs == 100)
    // A frozen encoder has no stochastic depth: its features stay.
    #expect(head.stochasticDepth == nil && site.stochasticDepth == 0.1)
    site.stochasticDepth = nil
    #expect(head == site)
    head = try recipe("lora+linear", shots: nil)
    #expect(head.stochasticDepth == 0.1)
  }

  @Test func bothHalvesKeepTheirOwnOptimisers() throws {
    let both = try recipe("r-amt+task-res")
    #expect(both.encoder == (try recipe("r-amt").encoder))
    #expect(both.head == (try recipe("task-res").head))
    #expect(both.epochs == (try recipe("r-amt").epochs))
  }

  @Test(arguments: [
    ("r-amt", "r-amt"), ("task-res", "task-res"), ("r-amt+zero-shot", "r-amt"), ("task-res+r-pmt", "r-pmt+task-res"),
    ("zero-shot", "zero-shot"),
  ])
  func namesReadAndWrite(_ typed: String, _ written: String) throws {
    #expect(try #require(MethodName(typed)).description == written)
  }

  @Test(arguments: ["", "ramt", "r-amt+", "r-amt+r-mmt", "task-res+zero-shot", "+task-res", "r-amt+task-res+task-res"])
  func otherNamesAreNone(_ typed: String) { #expect(MethodName(typed) == nil) }

  @Test(arguments: [
    ("r-amt", true), ("task-res", true), ("r-pmt+task-res", true), ("mask-tuning", true), ("zero-shot", false),
  ]) func onlyTheUntouchedModelIsNotTrained(_ typed: String, _ isTrained: Bool) throws {
    #expect(try #require(MethodName(typed)).isTrained == isTrained)
  }

  @Test(arguments: [
    ("caltech-101", Benchmark.caltech101), ("food-101", .food101), ("oxford_pets", .oxfordPets), ("EuroSAT", .eurosat),
  ])
  func usualFoldersNameTheirDataset(_ folder: String, _ benchmark: Benchmark) {
    #expect(Benchmark(folder: folder) == benchmark)
  }

  @Test func otherFoldersNameNone() { #expect(Benchmark(folder: "pictures") == nil) }
}
