import Models

/// The usual ways to tune parts of an encoder, by name: what SPT is compared with, under its own recipe.
///
///     source    the authors' scripts of SPT on VTAB-1k, ViT-B/16
///     expected  VTAB-1k, mean of the three groups: lora 74.9 %, adapter 73.9 %, bitfit 65.2 %, full 69.0 %,
///               partial-k 60.7 %
///     command   frugal tune --model VIT --data DATA --method lora --out RUN
struct SiteMethod: EncoderMethod {
  let name: String
  /// The rule that chooses the sites.
  private let rule: @Sendable (Recipe) -> PlainTuning
  private let settings: @Sendable (inout Recipe) -> Void
  let options: [MethodOption]
  /// What a tower must have: the role of a site, and its name in the message.
  private let needed: (role: Site.Role, name: String)?

  private init(
    _ name: String, needs needed: (role: Site.Role, name: String)? = nil, options: [MethodOption] = [],
    settings: @escaping @Sendable (inout Recipe) -> Void = { _ in },
    rule: @escaping @Sendable (Recipe) -> PlainTuning
  ) {
    (self.name, self.needed, self.options) = (name, needed, options)
    (self.rule, self.settings) = (rule, settings)
  }

  static let all: [SiteMethod] = [
    SiteMethod(
      "lora", needs: (.query, "query maps"), options: BranchSettings.options(),
      settings: { $0[BranchSettings.self] = BranchSettings(.init(dropPath: 0, start: .zeroUp)) },
      rule: { _ in .lora }),
    SiteMethod(
      "adapter", needs: (.mlpDown, "MLPs"), options: BranchSettings.options(),
      settings: { $0[BranchSettings.self] = BranchSettings(.init(dropout: 0, dropPath: 0, start: .zeroUp)) },
      rule: { _ in .adapter }),
    SiteMethod("bitfit", rule: { _ in .biases }),
    SiteMethod("layernorm", needs: (.normScale, "layer norms"), rule: { _ in .norms }),
    SiteMethod("full", rule: { _ in .full }),
    SiteMethod(
      "partial-k",
      options: [
        MethodOption("last-blocks", "K", .integer(1...10_000), "blocks to train (default 1)") {
          $0[PartialSettings.self]?.lastBlocks = $1.integer
        }
      ],
      settings: { $0[PartialSettings.self] = PartialSettings(lastBlocks: 1) },
      rule: { .lastBlocks($0[PartialSettings.self]?.lastBlocks ?? 1) }),
  ]

  var card: MethodCard {
    func card(_ paper: String, _ year: Int, _ tunes: String, _ count: String) -> MethodCard {
      MethodCard(paper, year, tunes: tunes, count: count, defaults: "scripts of SPT's authors on VTAB-1k, ViT-B/16")
    }
    return switch name {
    case "lora":
      card("Hu et al., LoRA", 2022, "low-rank branches parallel to the query and value maps", "294,912 (rank 8)")
    case "adapter":
      card("Pfeiffer et al., AdapterFusion", 2021, "a bottleneck after every MLP", "156,768 (rank 8)")
    case "bitfit": card("Ben Zaken et al., BitFit", 2022, "all biases", "102,912")
    case "layernorm":
      card("Basu et al., Strong Baselines for Parameter-Efficient Few-Shot Fine-Tuning", 2024, "all norms", "38,400")
    case "partial-k":
      card("Yosinski et al., How transferable are features?", 2014, "the last blocks and norm", "7,089,408 (1 block)")
    default: card("He et al., Sensitivity-Aware … Fine-Tuning (baseline)", 2023, "every weight", "85,798,656")
    }
  }

  /// What all methods of SPT's tables share: 100 epochs of AdamW with a ramp, the schedule lagging by one epoch
  /// (SPT (l), (m)).
  static let sharedRecipe: Recipe = {
    var optimizer = OptimizerRecipe(learningRate: 1e-3)
    (optimizer.kind, optimizer.weightDecay) = (.adamw, 1e-4)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.ramp, 10, 1e-6)
    (optimizer.minimumLearningRate, optimizer.recounts, optimizer.lag) = (1e-5, false, 1)
    var recipe = Recipe(epochs: 100, batchSize: 64, optimizer: optimizer)
    (recipe.keepsLastBatch, recipe.stochasticDepth) = (true, 0.1)
    return recipe
  }()

  /// The formulas of this recipe, by what a trace shows (SPT (l), (m), (o)).
  static let sharedEquations = [
    "draw/dropPath": "SPT (o)", "rate": "SPT (m)", "value": "SPT (l)", "state": "SPT (l)",
  ]

  var equations: [String: String] {
    let branch: [String: String] =
      switch name {
      case "lora": ["draw/dropout": "SPT (i)", "gradient/branch": "SPT (i)"]
      case "adapter": ["draw/dropout": "SPT (j)", "gradient/branch": "SPT (j)"]
      default: [:]
      }
    return Self.sharedEquations.merging(branch) { $1 }
  }

  var trainingProtocol: TrainingProtocol { .allImages }

  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = Self.sharedRecipe
    settings(&recipe)
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    if let count = recipe[PartialSettings.self]?.lastBlocks {
      let blocks = Set(tower.parameters.compactMap(\.site.block)).count
      guard count <= blocks else {
        throw SettingError(
          "last-blocks",
          expected: "at most \(blocks), as the image tower has \(blocks) \(blocks == 1 ? "block" : "blocks")",
          found: "\(count)")
      }
    }
    guard let needed, !tower.parameters.contains(where: { $0.site.role == needed.role }) else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, which has no \(needed.name)", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let branch = setting.recipe[BranchSettings.self]?.branch ?? BranchSettings.Branch()
    return SiteTuning(
      rule(setting.recipe).designs(of: setting.tower, rank: branch.rank, branch), seed: setting.seed)
  }
}

/// The settings of partial tuning in a recipe.
public struct PartialSettings: MethodSettings {
  /// The number of blocks that are trained, counted from the last.
  public var lastBlocks: Int

  /// A number of blocks.
  public init(lastBlocks: Int) { self.lastBlocks = lastBlocks }

  /// The number of blocks.
  public static let keys = ["lastBlocks"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? { lastBlocks < 1 ? "lastBlocks: expected 1 or more, found \(lastBlocks)" : nil }
}

/// The encoder as it came, by name.
struct FrozenMethod: EncoderMethod {
  let name = "frozen"
  var isTrained: Bool { false }
  var trainingProtocol: TrainingProtocol { .fewShot }
  var card: MethodCard { MethodCard("", 2021, tunes: "nothing", count: "0", defaults: "none") }

  func recipe(_ setting: PublishedSetting) -> Recipe {
    Recipe(epochs: 1, batchSize: 32, optimizer: OptimizerRecipe(learningRate: 0))
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    FrozenEncoder()
  }
}
