import Tensor

/// LP++ by name (Huang et al., CVPR 2024).
///
///     source    the authors' code, CoOp's eleven datasets
///     expected  CLIP ViT-B/16, 16 shots, ten of the eleven datasets and RESISC45: 81.2 % (a later paper's)
///     command   frugal tune --model CLIP --data DATA --method lp++ --shots 16 --seed 1 --out RUN
struct BlendMethod: HeadMethod {
  let name = "lp++"
  var needsExamples: Bool { true }
  var isFitted: Bool { true }
  var ensembling: TextEnsembling { .unitMean }

  var card: MethodCard {
    MethodCard(
      "Huang et al., LP++", 2024, tunes: "a linear head, and its blend with the texts class by class",
      count: "514 C", defaults: "authors' code; step sizes follow from the data")
  }

  let equations = ["forward/logits": "LP++ (a)"]

  /// One view of every image.
  func recipe(_ setting: PublishedSetting) -> Recipe { .fitted(smallestCrop: 0.5, views: 1) }

  var options: [MethodOption] { [.views] }

  func templates(_ benchmark: Benchmark?) -> [String] { Benchmark.ensembledTemplates(benchmark) }

  func head(_ setting: MethodSetting) throws -> any Head {
    let unitText = Variable(setting.textFeatures(for: name).features).l2Normalized().value
    let (classes, width) = (unitText.shape[0], unitText.shape[1])
    // Indices of the encoder's sites begin at 0, so the largest step is free.
    let random = Random(seed: setting.seed, purpose: .initialization, step: Int(UInt32.max))
    let fit = BlendFit(
      try setting.examples(for: name), unitText: unitText,
      bias: .uniform([classes], bound: 1 / Real(width).squareRoot(), random))
    let found = fit.run()
    return BlendClassifier(
      unitText: unitText, weight: found.weight, bias: found.bias, alpha: found.alpha, fit: fit)
  }
}
