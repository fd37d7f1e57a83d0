import Models

/// FacT by its names, as published on VTAB-1k.
///
///     source    the authors' scripts for VTAB-1k, ViT-B/16; rank (4 to 32) and s (0.01 to 100) are chosen by task
///               there
///     expected  VTAB-1k, mean of the three groups: fact-tt 75.9 %, fact-tk 75.7 %, trained again by others, settings
///               chosen on val
///     command   frugal tune --model VIT --data DATA --method fact-tt --out RUN
struct FactorMethod: EncoderMethod {
  let name: String
  private let isTucker: Bool

  static let all = [FactorMethod(name: "fact-tt", isTucker: false), FactorMethod(name: "fact-tk", isTucker: true)]

  var card: MethodCard {
    MethodCard(
      "Jie & Deng, FacT", 2023,
      tunes: "low-rank updates of all maps with shared factors" + (isTucker ? " and cores" : ""),
      count: isTucker ? "30,976 (rank 16)" : "61,440 (rank 16)", defaults: "authors' scripts for VTAB-1k, ViT-B/16")
  }

  let equations = [
    "gradient/branch": "FacT (a)", "initial/branch": "FacT (e)", "draw/dropout": "FacT (a)", "rate": "FacT (g)",
    "value": "FacT (g)", "state": "FacT (g)",
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  private static let options = [
    MethodOption("rank", "N", .integer(1...256), "rank of the shared factors (default 16)") {
      $0[FactorSettings.self]?.factors.rank = $1.integer
    },
    MethodOption("dropout", "X", .number(0...0.99), "dropout before the last factor (default 0.1)") {
      $0[FactorSettings.self]?.factors.dropout = $1.number
    },
    MethodOption("adapter-scale", "X", .positive, "factor of what an update adds (default 1)") {
      $0[FactorSettings.self]?.factors.scale = $1.number
    },
  ]

  private static let sliceOrder = MethodOption(
    "slice-order", SliceOrder.allCases.map(\.rawValue).joined(separator: "|"),
    .choice(SliceOrder.allCases.map(\.rawValue)),
    "order of the slices in the cores of MLPs (default interleaved; slice-major where the paper is followed)"
  ) { $0[FactorSettings.self]?.factors.sliceOrder = SliceOrder(rawValue: $1.word) }

  var options: [MethodOption] { isTucker ? Self.options + [Self.sliceOrder] : Self.options }

  /// AdamW at 1e-3 under the schedule of SPT (m), all parameters decayed (FacT (g)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var factors = FactorSettings.Factors()
    if isTucker { factors.sliceOrder = setting.fidelity == .paper ? .sliceMajor : .interleaved }
    var recipe = SiteMethod.sharedRecipe
    recipe.keepsLastBatch = false
    recipe[FactorSettings.self] = FactorSettings(factors)
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard FactorSite.all(of: tower.parameters).sites.isEmpty else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, whose blocks have no maps between multiples of one width",
      found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let own = setting.recipe[FactorSettings.self]?.factors ?? .init()
    return FactorTuning(
      setting.tower, isTucker ? .tucker(own.sliceOrder ?? .interleaved) : .tensorTrain, rank: own.rank,
      scale: own.scale, dropout: own.dropout, seed: setting.seed)
  }
}
