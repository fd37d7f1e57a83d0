import Foundation
import Methods
import Models

/// Flags of methods that tune an encoder site by site.
let siteOptions = [
  Option(
    "--budget", "N[,N…]",
    "spt: numbers to train besides the head, 400000 or 0.4M (default 0.4M); of several, the best on val is taken"),
  Option(
    "--allocation", "sensitivity|random",
    "spt: tune the most sensitive weights, or modules at matrices drawn by lot, the control (default sensitivity)"),
  Option("--samples", "N", "spt: pictures that sensitivity is measured on (default 512)"),
  Option("--sample-batch", "N", "spt: pictures a gradient; 1 adds up samples, as the paper does (default 32)"),
  Option("--spt-alpha", "X", "spt: a matrix gets a module from its cost/α sensitive entries on (default 10)"),
  Option("--spt-beta", "X", "spt: a vector is tuned whole from its length/β sensitive entries on (default 5)"),
  Option("--structured-only", "spt: modules and whole vectors only"),
  Option("--unstructured-only", "spt: single entries only"),
  Option("--rank", "N", "spt, lora, adapter: numbers a token has inside of a branch (default 8)"),
  Option("--dropout", "X", "spt, lora, adapter: dropout at the input of branches (default 0.1; adapter 0)"),
  Option("--drop-path", "X", "spt, lora, adapter: share of samples that skip a branch (default 0.1; lora, adapter 0)"),
  Option("--branch-init", "normal|zero-up", "spt, lora, adapter: where branches start (default by method and --as)"),
  Option("--last-blocks", "K", "partial-k: blocks to train (default 1)"),
  Option("--stochastic-depth", "X", "share of samples that skip a residual branch of the last block (default 0.1)"),
  normalizeOption,
]

/// The flag that names the constants of a classifier's pictures.
let normalizeOption = Option(
  "--normalize", "imagenet|inception",
  "constants that an image classifier's pictures are normalised with (default imagenet)")

/// From the flags above to a recipe.
enum SiteFlags {
  /// Changes what the flags name.
  static func apply(_ arguments: Arguments, to recipe: inout Recipe, _ method: MethodName) throws(UsageError) {
    if var budget = recipe.budget {
      if let numbers = try arguments.budgets().first { budget.numbers = numbers }
      try applyRules(arguments, to: &budget.rules)
      if let choice = try arguments.choice("--allocation", of: Recipe.Budget.Choice.self) {
        budget.choice = choice == .random ? .random : nil
      }
      if let samples = try arguments.integer("--samples", in: 1...100_000_000) { budget.samples = samples }
      if let size = try arguments.integer("--sample-batch", in: 1...65_536) { budget.batchSize = size }
      recipe.budget = budget
    }
    if var branch = recipe.branch {
      if let rank = try arguments.integer("--rank", in: 1...4096) {
        branch.rank = rank
        recipe.budget?.rules.rank = rank
      }
      if let dropout = try arguments.number("--dropout", in: 0...0.99) { branch.dropout = dropout }
      if let share = try arguments.number("--drop-path", in: 0...0.99) { branch.dropPath = share }
      if let start = try arguments.choice("--branch-init", of: BranchDesign.Start.self) { branch.start = start }
      recipe.branch = branch
    }
    if let blocks = try arguments.integer("--last-blocks", in: 1...10_000) { recipe.lastBlocks = blocks }
    if let share = try arguments.number("--stochastic-depth", in: 0...0.99) { recipe.stochasticDepth = share }
  }

  /// Changes the rules of an allocation.
  static func applyRules(_ arguments: Arguments, to rules: inout Allocation.Rules) throws(UsageError) {
    if let alpha = try arguments.positive("--spt-alpha") { rules.alpha = alpha }
    if let beta = try arguments.positive("--spt-beta") { rules.beta = beta }
    guard !arguments.has("--structured-only") || !arguments.has("--unstructured-only") else {
      throw UsageError("--structured-only", expected: "one of the two", found: "--unstructured-only beside it")
    }
    if arguments.has("--structured-only") { rules.structure = .structuredOnly }
    if arguments.has("--unstructured-only") { rules.structure = .unstructuredOnly }
  }

  /// Each flag, whether a method reads it, and which do.
  static func readers(_ method: MethodName) -> [(String, Bool, String)] {
    let hasBranches = method.measuresSensitivity || method.encoder == .lora || method.encoder == .adapter
    let spt = [
      "--budget", "--allocation", "--samples", "--sample-batch", "--spt-alpha", "--spt-beta", "--structured-only",
    ]
    return (spt + ["--unstructured-only"]).map { ($0, method.measuresSensitivity, "spt-lora or spt-adapter") }
      + ["--rank", "--dropout", "--drop-path", "--branch-init"].map {
        ($0, hasBranches, "a method with branches (spt-lora, spt-adapter, lora, adapter)")
      } + [("--last-blocks", method.encoder == .partial, "partial-k")]
  }
}

extension Arguments {
  /// A number of parameters: `400000`, `0.4M` or `400k`.
  func budget() throws(UsageError) -> Int? { try string("--budget").map(Self.budget) }

  /// Numbers of parameters, rising: `0.2M,0.4M`; none where the flag is not given.
  func budgets() throws(UsageError) -> [Int] {
    var budgets: [Int] = []
    for text in string("--budget")?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let budget = try Self.budget(String(text))
      guard !budgets.contains(budget) else {
        throw UsageError("--budget", expected: "different numbers", found: "\(budget) twice")
      }
      budgets.append(budget)
    }
    return budgets.sorted()
  }

  private static func budget(_ text: String) throws(UsageError) -> Int {
    let units: [Character: Double] = ["M": 1e6, "m": 1e6, "K": 1e3, "k": 1e3]
    let unit = text.last.flatMap { units[$0] }
    let number = Double(unit == nil ? Substring(text) : text.dropLast()).map { ($0 * (unit ?? 1)).rounded() }
    guard let number, number >= 1, number <= 1e12 else {
      throw UsageError("--budget", expected: "numbers to train, as 400000 or 0.4M", found: "\"\(text)\"")
    }
    return Int(number)
  }

  /// A number above 0.
  func positive(_ flag: String) throws(UsageError) -> Double? {
    guard let number = try number(flag, in: 0...1e9) else { return nil }
    guard number > 0 else { throw UsageError(flag, expected: "a number above 0", found: "\(number)") }
    return number
  }
}
