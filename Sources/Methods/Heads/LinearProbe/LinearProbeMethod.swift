import Tensor

/// The linear probe by name (Radford et al. 2021), which is not `linear`, a head trained step by step.
///
///     source    CLIP's README and the scripts of CoOp's authors
///     expected  CLIP ViT-B/16, 16 shots, mean of eleven test accuracies: 71.12 %; ImageNet 56.03 % (a later paper's)
///     command   frugal tune --model CLIP --data DATA --method linear-probe --shots 16 --seed 1 --out RUN
struct LinearProbeMethod: HeadMethod {
  let name = "linear-probe"
  var needsText: Bool { false }
  var needsExamples: Bool { true }
  var isFitted: Bool { true }

  var card: MethodCard {
    MethodCard(
      "Radford et al., Learning Transferable Visual Models", 2021, tunes: "a linear head, by L-BFGS",
      count: "512 C + C (ViT: 768 C + C)", defaults: "scripts of CoOp's authors")
  }

  /// Features of the images as they are evaluated; without a validation split the C of CLIP's README.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = Recipe.fitted(smallestCrop: 0.08, views: nil)
    recipe[LinearProbeSettings.self] = LinearProbeSettings(inverseDecay: 0.316)
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "inverse-decay", "X", .positive, "C, the weight of the loss against the penalty (default the best on val)"
      ) {
        $0[LinearProbeSettings.self] = LinearProbeSettings(inverseDecay: $1.number, isDecayGiven: true)
      }
    ]
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    let settings = setting.recipe[LinearProbeSettings.self] ?? LinearProbeSettings(inverseDecay: 0.316)
    return LinearProbe(
      try setting.examples(for: name), classes: setting.classes, strength: settings.inverseDecay,
      isSearched: settings.isDecayGiven != true)
  }
}

/// The settings of a linear probe in a recipe.
struct LinearProbeSettings: MethodSettings {
  /// C, the weight of the loss against the penalty.
  var inverseDecay: Double
  /// True if C is not to be chosen on a validation split.
  var isDecayGiven: Bool?

  /// A weight, which is that of a run without a validation split unless it is given.
  init(inverseDecay: Double, isDecayGiven: Bool? = nil) {
    (self.inverseDecay, self.isDecayGiven) = (inverseDecay, isDecayGiven)
  }

  /// The keys in a run's `config.json`.
  static let keys = ["inverseDecay"]

  /// A value that no run can have: key, expected and found.
  var problem: String? {
    inverseDecay > 0 ? nil : "inverseDecay: expected more than 0, found \(inverseDecay)"
  }
}
