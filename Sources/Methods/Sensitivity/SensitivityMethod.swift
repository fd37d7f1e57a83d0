import Datasets
import Foundation
import Models
import Tensor

/// SPT by name (He et al., *Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning*, ICCV 2023).
///
///     source    the authors' scripts on VTAB-1k, ViT-B/16 supervised on ImageNet-21k
///     expected  VTAB-1k, mean of the three groups: spt-lora 76.4 %, spt-adapter 76.4 %
///     command   frugal tune --model VIT --data DATA --method spt-lora --budget 0.2M,0.4M,0.6M --out RUN
struct SensitivityMethod: EncoderMethod {
  let name: String
  /// What a matrix with enough selected entries gets.
  let form: StructuredForm

  static let all: [SensitivityMethod] = [
    SensitivityMethod(name: "spt-lora", form: .lora), SensitivityMethod(name: "spt-adapter", form: .adapter),
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  var card: MethodCard {
    MethodCard(
      "He et al., Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning", 2023,
      tunes: "\(form == .lora ? "low-rank branches" : "adapters") and single weights where the loss is sensitive",
      count: "the budget: 400,000", defaults: "authors' scripts on VTAB-1k, ViT-B/16")
  }

  var equations: [String: String] {
    let branch = form == .lora ? "SPT (i)" : "SPT (j)"
    return SiteMethod.sharedEquations.merging([
      "draw/choice": "SPT (d), (f), (g)", "draw/dropout": branch, "initial/branch": "SPT (n)",
      "initial/entries": "SPT (k)", "gradient/branch": branch, "gradient/entries": "SPT (k)",
    ]) { $1 }
  }

  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = SiteMethod.sharedRecipe
    recipe[SensitivitySettings.self] = SensitivitySettings(
      Budget(parameters: 400_000, rules: Allocation.Rules(form: form)))
    recipe[BranchSettings.self] = BranchSettings(.init(start: setting.fidelity == .official ? .normal : .zeroUp))
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "budget", "N[,N…]", .parameters, isList: true,
        "parameters to train besides the head, 400000 or 0.4M (default 0.4M); of several, the best on val is kept"
      ) { $0[SensitivitySettings.self]?.budget.parameters = $1.integer },
      MethodOption(
        "allocation", "sensitivity|random|FILE", .choiceOrFile(Budget.Choice.allCases.map(\.rawValue)),
        "tune the most sensitive weights, as many at random (the control), or what a file says: the authors' "
          + "param_req_*.pth, or allocations.json of a survey (default sensitivity)"
      ) { recipe, value in
        let choice = Budget.Choice(rawValue: value.word)
        recipe[SensitivitySettings.self]?.budget.choice = choice == .random ? .random : nil
        recipe[SensitivitySettings.self]?.budget.file =
          choice == nil ? AllocationSource(path: URL(fileURLWithPath: value.word).standardizedFileURL.path) : nil
      },
      MethodOption(
        "samples", "N", .integer(1...100_000_000), "images that sensitivity is measured on (default 512)"
      ) { $0[SensitivitySettings.self]?.budget.samples = $1.integer },
      MethodOption(
        "sample-batch", "N", .integer(1...65_536),
        "batch size of the sensitivity gradients; 1 sums over samples, as the paper does (default 32)"
      ) { $0[SensitivitySettings.self]?.budget.batchSize = $1.integer },
    ] + Self.ruleOptions + Self.branchOptions
  }

  private static let branchOptions: [MethodOption] = {
    let options = BranchSettings.options { $0[SensitivitySettings.self]?.budget.rules.rank = $1 }
    return options.map { $0.refused(where: withoutModules) }
  }()

  /// Where single entries alone are tuned there is neither a module nor a vector that is tuned whole.
  private static let withoutModules: MethodOption.Obstacle = { recipe in
    guard recipe[SensitivitySettings.self]?.budget.rules.structure == .unstructuredOnly else { return nil }
    return ("modules or whole vectors with it", "single entries only")
  }

  /// The rules that turn counts into an allocation.
  static let ruleOptions: [MethodOption] = [
    MethodOption(
      "spt-alpha", "X", .positive, "a matrix with at least cost/α sensitive entries gets a module (default 10)"
    ) { $0[SensitivitySettings.self]?.budget.rules.alpha = $1.number }
    .refused(where: withoutModules),
    MethodOption(
      "spt-beta", "X", .positive, "a vector with at least length/β sensitive entries is tuned whole (default 5)"
    ) { $0[SensitivitySettings.self]?.budget.rules.beta = $1.number }
    .refused(where: withoutModules),
    MethodOption("structured-only", "", .flag, excludes: "unstructured-only", "modules and whole vectors only") {
      recipe, _ in
      recipe[SensitivitySettings.self]?.budget.rules.structure = .structuredOnly
    },
    MethodOption("unstructured-only", "", .flag, excludes: "structured-only", "single entries only") { recipe, _ in
      recipe[SensitivitySettings.self]?.budget.rules.structure = .unstructuredOnly
    },
  ]

  func budget(of recipe: Recipe) -> Int? { recipe[SensitivitySettings.self]?.budget.parameters }

  func recipe(_ recipe: Recipe, budget: Int) -> Recipe {
    var recipe = recipe
    recipe[SensitivitySettings.self]?.budget.parameters = budget
    return recipe
  }

  func survey(_ recipe: Recipe) -> (images: Int, batch: Int)? {
    recipe[SensitivitySettings.self].flatMap { $0.budget.file == nil ? ($0.budget.samples, $0.budget.batchSize) : nil }
  }

  func recipe(_ recipe: Recipe, surveying images: Int, batch: Int) -> Recipe {
    var recipe = recipe
    recipe[SensitivitySettings.self]?.budget.samples = images
    recipe[SensitivitySettings.self]?.budget.batchSize = batch
    return recipe
  }

  /// Reads the file of an allocation, which decides rules and, where it holds one allocation, the budget.
  func completed(_ recipe: Recipe, budgets: [Int], on model: any PretrainedModel) throws -> Recipe {
    guard let budget = recipe[SensitivitySettings.self]?.budget, let source = budget.file else { return recipe }
    var recipe = recipe
    recipe[SensitivitySettings.self]?.budget = try AllocationFile(source.path)
      .completed(budget, budgets: budgets, form: form, model.tower, modelHash: model.sha256)
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard let budget = recipe[SensitivitySettings.self]?.budget else { return }
    // The budget of a file is what it holds.
    let classToken = budget.file == nil ? tower.classToken?.value.count ?? 0 : 0
    try SensitivitySurvey.check(budget.parameters, SensitivitySite.all(of: tower), classToken: classToken)
  }

  /// Sensitivities are measured on images as they are evaluated, ranked, for the control permuted, and allocated.
  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    guard let budget = setting.recipe[SensitivitySettings.self]?.budget else {
      throw SettingError("recipe.budget", expected: "one", found: "none")
    }
    let (tower, branch) = (setting.tower, setting.recipe[BranchSettings.self]?.branch ?? BranchSettings.Branch())
    let tuning = SensitivityTuning(budget.rules, setting.fidelity, branch: branch)
    if let source = budget.file {
      let (file, sites) = (try AllocationFile(source.path), SensitivitySite.all(of: tower))
      guard file.sha256 == source.sha256 else {
        throw AllocationError(
          file.file, expected: "the allocation of the run, SHA-256 \(source.sha256.prefix(12))…",
          found: "\(file.sha256.prefix(12))…")
      }
      let choice = try file.choice(of: budget, sites, classToken: tower.classToken?.value.count ?? 0)
      let own = tuning.choices(sites, choice.allocation, choice.positions)
      return SiteTuning(
        tuning.designs(of: tower, sites, try choosing?.draws?.choices(own, at: sites) ?? own), seed: setting.seed)
    }
    let choosing = try choosing.required(by: name)
    let survey = try SensitivitySurvey(
      of: tower, head: head, on: choosing.images, choosing.loader, samples: budget.samples,
      batchSize: budget.batchSize, seed: setting.seed, stochasticDepth: setting.recipe.stochasticDepth ?? 0,
      progress: choosing.progress)
    var ranking = survey.ranking(for: [budget], setting.fidelity)
    if budget.choice == .random {
      ranking = ranking.permuted(among: survey.sites, setting.fidelity, seed: setting.seed)
    }
    let allocation = try survey.allocation(budget, ranking, setting.fidelity)
    let own = tuning.choices(
      survey.sites, allocation, ranking.positions(first: allocation.threshold, of: survey.sites.count))
    let choices = try choosing.draws?.choices(own, at: survey.sites) ?? own
    return SiteTuning(tuning.designs(of: tower, survey.sites, choices), seed: setting.seed)
  }
}

/// The choice of the weights to tune under a budget, and its rules.
public struct Budget: Sendable, Codable, Equatable {
  /// The number of parameters that may be trained besides the head.
  public var parameters: Int
  /// The rules that turn counts into an allocation.
  public var rules: Allocation.Rules
  /// The images that sensitivity is measured on, in the order of the list.
  public var samples = 512
  /// The rule that selects the weights; `nil`, as in runs of the first versions, for sensitivity.
  public var choice: Choice?
  /// The file that says what is tuned; `nil` for the rule.
  public var file: AllocationSource?

  /// The rule that selects weights under a budget.
  public enum Choice: String, Sendable, Codable, CaseIterable {
    /// The most sensitive ones: SPT.
    case sensitivity
    /// As many at random (`Ranking.permuted`): what SPT is compared with.
    case random
  }

  /// Batch size of the sensitivity gradients: 1 for the paper's sum over samples.
  public var batchSize = 32

  /// The budgets of the allocations that the authors ship.
  public static let published = [50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000]

  /// True if the budget is allocated as published: by the nearest of 79 totals (SPT (e)).
  public var isPublished: Bool { Self.published.contains(parameters) }

  /// A budget under the given rules, with the published numbers of images.
  public init(parameters: Int, rules: Allocation.Rules) { (self.parameters, self.rules) = (parameters, rules) }

  private enum CodingKeys: String, CodingKey {
    case parameters = "numbers"
    case rules, samples, choice, file, batchSize
  }
}

/// The settings of SPT in a recipe.
public struct SensitivitySettings: MethodSettings {
  /// The budget.
  public var budget: Budget

  /// A budget.
  public init(_ budget: Budget) { self.budget = budget }

  /// The budget's own.
  public static let keys = ["budget"]

  /// A value that no allocation can have: key, expected and found.
  public var problem: String? {
    let rules = budget.rules
    if budget.parameters < 1 { return "budget.parameters: expected 1 or more, found \(budget.parameters)" }
    if rules.rank < 1 || rules.rank > 4096 { return "budget.rules.rank: expected 1 to 4096, found \(rules.rank)" }
    if !(rules.alpha > 0) { return "budget.rules.alpha: expected above 0, found \(rules.alpha)" }
    if !(rules.beta > 0) { return "budget.rules.beta: expected above 0, found \(rules.beta)" }
    if budget.samples < 1 { return "budget.samples: expected 1 or more, found \(budget.samples)" }
    if budget.batchSize < 1 || budget.batchSize > 65_536 {
      return "budget.batchSize: expected 1 to 65536, found \(budget.batchSize)"
    }
    return nil
  }
}
