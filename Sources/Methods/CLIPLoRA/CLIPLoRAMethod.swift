import Models

/// CLIP-LoRA by its name.
///
///     source    the defaults of the authors' script, the same for CoOp's eleven datasets and all numbers of shots
///     expected  CLIP ViT-B/16, 4 shots, mean of eleven test accuracies as a later paper trained it: 75.4 %
///     command   frugal tune --model CLIP --data DATA --method clip-lora --shots 16 --seed 1 --out RUN
struct CLIPLoRAMethod: EncoderMethod {
  let name = "clip-lora"

  let card = MethodCard(
    "Zanella and Ben Ayed, Low-Rank Few-Shot Adaptation of Vision-Language Models", 2024,
    tunes: "low-rank branches in both towers", count: "184,320 (rank 2)", defaults: "authors' script")

  let equations = [
    "loss": "CLIP-LoRA (c)", "gradient/branch": "CLIP-LoRA (a)", "initial/branch": "CLIP-LoRA (b)",
    "draw/dropout": "CLIP-LoRA (a)", "rate": "CLIP-LoRA (e)", "value": "CLIP-LoRA (e)", "state": "CLIP-LoRA (e)",
  ]

  var trainingProtocol: TrainingProtocol { .fewShot }

  /// The authors tune both towers unless told otherwise.
  func tunesText(_ recipe: Recipe) -> Bool { towers(recipe) != .vision }

  private func towers(_ recipe: Recipe) -> TunedTowers { recipe[CLIPLoRASettings.self]?.towerBranch.towers ?? .both }

  let options = [
    MethodOption("rank", "N", .integer(1...4096), "rank of the branches (default 2)") {
      $0[CLIPLoRASettings.self]?.towerBranch.rank = $1.integer
    },
    MethodOption("lora-alpha", "X", .positive, "α: branches are scaled by α / √rank (default 1)") {
      $0[CLIPLoRASettings.self]?.towerBranch.alpha = $1.number
    },
    MethodOption("dropout", "X", .number(0...0.99), "dropout at the input of branches (default 0.25)") {
      $0[CLIPLoRASettings.self]?.towerBranch.dropout = $1.number
    },
    TunedTowers.option { $0[CLIPLoRASettings.self]?.towerBranch.towers = $1 },
    MethodOption(
      "blocks", "PLACE", .choice(CLIPLoRASettings.Blocks.allCases.map(\.rawValue)),
      "blocks of each tower: a third, bottom, mid or up, half-bottom, half-up or top3 (default all)"
    ) {
      let blocks = CLIPLoRASettings.Blocks(rawValue: $1.word)
      $0[CLIPLoRASettings.self]?.towerBranch.blocks = blocks == .all ? nil : blocks
    },
    MethodOption(
      "maps", "LETTERS", .choice(Self.letters),
      "maps with branches, some of q, k, v and o in this order (default qkv)"
    ) { $0[CLIPLoRASettings.self]?.towerBranch.maps = $1.word == "qkv" ? nil : $1.word },
  ]

  /// Every choice of maps, in the order of their letters.
  private static let letters = (1..<16).map { bits in
    String("qkvo".enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
  }

  /// One prompt for all datasets.
  func templates(_ benchmark: Benchmark?) -> [String]? { [Benchmark.standardTemplate] }

  /// AdamW at 2e-4 with half a cosine by steps to 1e-6, 500 · K steps of 32 images (CLIP-LoRA (e)); as many as for 16
  /// images per class where all are learned from.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-4)
    (optimizer.kind, optimizer.weightDecay) = (.adamw, 1e-2)
    (optimizer.minimumLearningRate, optimizer.isStepwise) = (1e-6, true)
    // The epochs of a hundred classes, whatever K; a run has those that the steps take.
    var recipe = Recipe(epochs: 160, batchSize: 32, optimizer: optimizer, augments: true, smallestCrop: 0.08)
    (recipe.keepsLastBatch, recipe.steps) = (true, 500 * (setting.shots ?? 16))
    recipe[CLIPLoRASettings.self] = CLIPLoRASettings(.init())
    return recipe
  }

  func check(_ recipe: Recipe) throws(SettingError) {
    if tunesText(recipe) { try TunedTowers.check(recipe, for: name) }
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    try towers(recipe).check(tower, for: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let branch = setting.recipe[CLIPLoRASettings.self]?.towerBranch ?? .init()
    var towers: [(name: TunedTowers, parameters: [Parameter])] = []
    if branch.towers != .text { towers.append((.vision, setting.tower.parameters)) }
    if branch.towers != .vision {
      guard let texts = setting.texts else {
        throw RunError("\(name): expected class names and a text tower to tune, found none")
      }
      towers.append((.text, texts.tower.parameters))
    }
    var sites: [Parameter] = []
    for (tower, parameters) in towers {
      let own = CLIPLoRA.sites(of: parameters, branch)
      // A third of two blocks is none of them.
      guard !own.isEmpty else {
        let count = Set(parameters.compactMap(\.site.block)).count
        throw SettingError(
          "blocks", expected: "some of the blocks of each tower that is tuned",
          found: "\((branch.blocks ?? .all).rawValue), none of the \(count) of the \(tower.rawValue) tower")
      }
      sites += own
    }
    return CLIPLoRA.tuning(sites, branch, seed: setting.seed)
  }
}
