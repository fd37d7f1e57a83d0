import Models

/// RepAdapter by its name, as published on VTAB-1k.
///
///     source    the authors' scripts for VTAB-1k, ViT-B/16; s is one of 0.1, 0.5, 1, 5 and 10 by task there
///     expected  VTAB-1k, mean of the three groups: 75.8 %, trained again by others, settings chosen on val
///     command   frugal tune --model VIT --data DATA --method repadapter --out RUN
struct InputAdapterMethod: EncoderMethod {
  let name = "repadapter"

  let card = MethodCard(
    "Luo et al., RepAdapter", 2023, tunes: "a linear bottleneck before the maps of attention and MLP, which take it in",
    count: "239,808 (rank 8)", defaults: "authors' scripts for VTAB-1k, ViT-B/16")

  let equations = [
    "gradient/branch": "RepAdapter (a)", "initial/branch": "RepAdapter (c)", "draw/dropout": "RepAdapter (a)",
    "rate": "RepAdapter (e)", "value": "RepAdapter (e)", "state": "RepAdapter (e)",
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  let options = [
    MethodOption("rank", "N", .integer(1...4096), "rank of the adapters, an even number (default 8)") {
      $0[InputAdapterSettings.self]?.inputAdapter.rank = $1.integer
    },
    MethodOption("dropout", "X", .number(0...0.99), "dropout in the adapters (default 0.1)") {
      $0[InputAdapterSettings.self]?.inputAdapter.dropout = $1.number
    },
    MethodOption("adapter-scale", "X", .positive, "factor of what an adapter adds (default 1)") {
      $0[InputAdapterSettings.self]?.inputAdapter.scale = $1.number
    },
    MethodOption("attention-only", "", .flag, "leaves MLPs as they are") { recipe, _ in
      recipe[InputAdapterSettings.self]?.inputAdapter.attentionOnly = true
    },
  ]

  /// AdamW at 1e-3 under the schedule of SPT (m), all parameters decayed (RepAdapter (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = SiteMethod.sharedRecipe
    recipe.keepsLastBatch = false
    recipe[InputAdapterSettings.self] = InputAdapterSettings(.init())
    return recipe
  }

  func check(_ recipe: Recipe) throws(SettingError) {
    guard let rank = recipe[InputAdapterSettings.self]?.inputAdapter.rank, rank % InputAdapters.groups != 0 else {
      return
    }
    throw SettingError("rank", expected: "an even number, as the upper map has two groups", found: "\(rank)")
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard tower.inputSites.isEmpty else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, whose blocks have no norm before attention and MLP",
      found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let own = setting.recipe[InputAdapterSettings.self]?.inputAdapter ?? .init()
    return InputAdapters(
      setting.tower, rank: own.rank, scale: own.scale, dropout: own.dropout, attentionOnly: own.attentionOnly,
      seed: setting.seed)
  }
}
