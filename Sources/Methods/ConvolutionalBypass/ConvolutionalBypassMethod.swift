import Models

/// Convpass by its name, as published on VTAB-1k.
///
///     source    the authors' scripts for VTAB-1k, ViT-B/16; s (0.01 to 100) and the kernel's start are chosen by task
///               there
///     expected  VTAB-1k, mean of the three groups: 76.4 %, trained again by others, settings chosen on val
///     command   frugal tune --model VIT --data DATA --method convpass --out RUN
struct ConvolutionalBypassMethod: EncoderMethod {
  let name = "convpass"

  let card = MethodCard(
    "Jie & Deng, Convolutional Bypasses", 2022,
    tunes: "a bottleneck with a convolution over the patches, parallel to attention and MLP", count: "327,552 (rank 8)",
    defaults: "authors' scripts for VTAB-1k, ViT-B/16")

  let equations = [
    "gradient/branch": "Convpass (b)", "initial/branch": "Convpass (d)", "draw/dropout": "Convpass (b)",
    "draw/dropPath": "Convpass (a)", "rate": "Convpass (e)", "value": "Convpass (e)", "state": "Convpass (e)",
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  let options = [
    MethodOption("rank", "N", .integer(1...256), "channels of the convolutions (default 8)") {
      $0[ConvolutionalBypassSettings.self]?.bypass.rank = $1.integer
    },
    MethodOption("dropout", "X", .number(0...0.99), "dropout before the last map (default 0.1)") {
      $0[ConvolutionalBypassSettings.self]?.bypass.dropout = $1.number
    },
    MethodOption("adapter-scale", "X", .positive, "factor of what a bypass adds (default 1)") {
      $0[ConvolutionalBypassSettings.self]?.bypass.scale = $1.number
    },
    MethodOption("attention-only", "", .flag, "leaves MLPs as they are") { recipe, _ in
      recipe[ConvolutionalBypassSettings.self]?.bypass.attentionOnly = true
    },
    MethodOption(
      "kernel-init", ConvolutionalBypasses.KernelStart.allCases.map(\.rawValue).joined(separator: "|"),
      .choice(ConvolutionalBypasses.KernelStart.allCases.map(\.rawValue)),
      "where the convolutions start (default identity)"
    ) { $0[ConvolutionalBypassSettings.self]?.bypass.start = .init(rawValue: $1.word) ?? .identity },
  ]

  /// AdamW at 1e-3 under the schedule of SPT (m), all parameters decayed (Convpass (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = SiteMethod.sharedRecipe
    recipe.keepsLastBatch = false
    recipe[ConvolutionalBypassSettings.self] = ConvolutionalBypassSettings(.init())
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard tower.bypassSites.isEmpty || tower.tokenGrid == nil else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, whose blocks have no single square of patches", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let own = setting.recipe[ConvolutionalBypassSettings.self]?.bypass ?? .init()
    return ConvolutionalBypasses(
      setting.tower, rank: own.rank, scale: own.scale, dropout: own.dropout, start: own.start,
      attentionOnly: own.attentionOnly, seed: setting.seed)
  }
}
