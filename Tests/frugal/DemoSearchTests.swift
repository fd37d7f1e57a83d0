import Foundation
import FrugalTestSupport
import Testing

@testable import Methods
@testable import frugal

/// The searches that chose the demo's settings, and those of other methods: plans, `docs/search/NAME.json`, and
/// results, `NAME/search.json`.
@Suite struct DemoSearchTests {
  /// Those of the demo, in rounds: a second one has the rates beyond the edges of the first.
  private static let searches = [["clip"], ["clip-4-shots"], ["clip-1-shot"], ["vit", "vit-edges"]]
  /// Searches of methods that the demo does not have.
  private static let others = ["heads", "clip-encoders", "vit-encoders"]

  private static func plan(_ name: String) throws -> SweepPlan {
    let path = Fixtures.package.appendingPathComponent("docs/search/\(name)").path
    return try SweepPlan("\(path).json", out: path)
  }

  private static func shots(_ name: String) -> Int? {
    ["clip": 16, "clip-4-shots": 4, "clip-1-shot": 1][name]
  }

  /// The candidates of a method.
  private static func candidates(_ name: String, _ method: String) -> Int {
    switch name {
    case "vit": 6
    case "vit-edges": 2
    default: ["linear-probe", "gda", "tip-adapter", "lp++"].contains(method) ? 1 : 8
    }
  }

  /// Every method had as many candidates, but for those that choose for themselves; all of them were judged, and by no
  /// seed that a table uses.
  @Test(arguments: searches.flatMap { $0 } + others)
  func theResultIsThatOfThePlan(name: String) throws {
    let plan = try Self.plan(name)
    let (search, result) = (try #require(plan.search), try #require(plan.choice))
    #expect(plan.obstacle == nil && result.digest == search.digest)
    #expect(Set(search.seeds).isDisjoint(with: DemoPlan.full.cells.map(\.seed)))
    for method in result.methods {
      #expect(method.candidates.count == Self.candidates(name, method.method), "\(method.method)")
      #expect(SearchResult.winner(of: method.candidates)?.name == method.winner)
      for candidate in method.candidates {
        let accuracies = candidate.runs.compactMap(\.accuracy)
        #expect(accuracies.count == search.data.count)
        #expect(abs(Statistic(accuracies).mean - (candidate.accuracy ?? -1)) < 1e-9)
      }
    }
  }

  /// Every row of the demo has the settings that won, or those of the row that it is a variant of.
  @Test(arguments: searches)
  func theDemoHasTheSettingsThatWon(rounds: [String]) throws {
    let plans = try rounds.map(Self.plan)
    let (data, shots) = (try #require(plans[0].search).data, Self.shots(rounds[0]))
    let rows = DemoPlan.full.cells.filter { $0.seed == 1 && !$0.isBase && $0.shots == shots }
    var judged = Set<String>()
    for cell in rows where data.contains(cell.task.name) {
      let (label, source) = (cell.method.label, cell.method.searchedRow)
      let plan = try #require(Self.best(plans, for: source), "\(label)")
      let searched = try #require(plan.cells.first { $0.method == source && $0.dataset == cell.task.name }, "\(label)")
      let (won, made) = (
        try Self.recipe(try TuneFlags.request(searched.arguments)), try Self.recipe(cell.request(in: "demo"))
      )
      #expect(label == source ? won == made : Self.training(won) == Self.training(made), "\(label), \(cell.task.name)")
      judged.insert(label)
    }
    #expect(judged == Set(rows.map(\.method.label)) && !judged.isEmpty)
  }

  /// The round whose winner has the higher accuracy, the first of equal ones.
  private static func best(_ plans: [SweepPlan], for method: String) -> SweepPlan? {
    func accuracy(_ plan: SweepPlan) -> Double {
      let found = plan.choice?.methods.first { $0.method == method }
      return found?.candidates.first { $0.name == found?.winner }?.accuracy ?? -1
    }
    return plans.reduce(nil as SweepPlan?) { best, next in
      best.map { accuracy($0) >= accuracy(next) } ?? false ? best : next
    }
  }

  private static func recipe(_ request: RunRequest) throws -> Recipe {
    let method = try Run.method(request.method)
    var shots: Int?
    if case .count(let count) = request.shots { shots = count }
    var recipe = method.recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
    try request.adjust(&recipe)
    return recipe
  }

  /// What a variant shares with the row it is a variant of: all but its own settings and its head.
  private static func training(_ recipe: Recipe) -> Recipe {
    var shared = Recipe(epochs: recipe.epochs, batchSize: recipe.batchSize, optimizer: recipe.encoder)
    (shared.augments, shared.shift, shared.stochasticDepth) = (recipe.augments, recipe.shift, recipe.stochasticDepth)
    return shared
  }

  /// The tables of the document follow from the results.
  @Test(arguments: searches.flatMap { $0 } + others)
  func theTableOfTheDocumentIsThatOfTheResult(name: String) throws {
    let document = Fixtures.package.appendingPathComponent("docs/results-settings.md")
    let text = try String(contentsOf: document, encoding: .utf8)
    for line in Self.table(try #require(try Self.plan(name).choice)) { #expect(text.contains(line + "\n"), "\(line)") }
  }

  /// A line per method and length: the accuracy of every rate, and the rate where it is part of the winner.
  private static func table(_ result: SearchResult) -> [String] {
    result.methods.flatMap { method in
      let lengths = method.candidates.compactMap { $0.flags["epochs"]?.first }.unique
      return lengths.map { epochs in
        let own = method.candidates.filter { $0.flags["epochs"] == [epochs] }
        let rates = own.map { "\($0.flags["lr"]?.first ?? ""): " + String(format: "%.1f", $0.accuracy ?? -1) }
        let won = own.first { $0.name == method.winner }?.flags["lr"]?.first
        let edge = method.edges.contains("lr") ? ", an edge" : ""
        return "| \(epochs == lengths[0] ? method.method : "") | \(epochs) | \(rates.joined(separator: ", ")) | "
          + (won.map { "**\($0)**\(edge) |" } ?? "|")
      }
    }
  }
}
