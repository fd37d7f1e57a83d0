import Datasets
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods
@testable import frugal

/// Claims of the papers, and what stands beside them.
@Suite struct DemoClaimTests {
  private static let five = ["pets", "ucf", "dtd", "sun", "food"]

  @Test func aClaimIsTheMeanOfPairsWithItsStandardError() throws {
    // Against zero-shot, 25: +5, +6, +7, +8, +9; the second seed of the first task adds 2 to its mean.
    var runs = try Self.five.enumerated().map { try finishedRun($1, "r-amt", 1, Double(30 + $0)) }
    runs.append(try finishedRun("pets", "r-amt", 2, 34))
    runs += try Self.five.enumerated().map {
      try finishedRun($1, "linear", 1, Double(30 + $0 + ($0 % 2 == 0 ? 1 : -1)), encoder: 0)
    }
    let claims = DemoClaim.all(DemoComparison.claims, runs)
    #expect(
      claims.map(\.comparison.statement) == [
        "r-amt is better than zero-shot, 16 shots", "r-amt is better than linear, 16 shots",
      ])
    #expect(claims[0].differences == [7, 6, 7, 8, 9] && claims.map(\.seeds) == [1...2, 1...1])
    // s² = 1.3, √(1.3 / 5) = 0.5099
    #expect(abs(claims[0].difference - 7.4) < 1e-12 && abs(claims[0].standardError - 0.5099) < 1e-4)
    #expect(claims[0].verdict == "holds")
    // Only seed 1 has a pair, and its differences are -1, 1, -1, 1, -1.
    #expect(claims[1].differences == [-1, 1, -1, 1, -1] && claims[1].verdict == "not shown")
    let lines = DemoClaim.text(claims, title: "Claims").split(separator: "\n")
    func words(_ line: Substring) -> String { line.split(separator: " ").joined(separator: " ") }
    #expect(
      lines.map(words) == [
        "Claims", "difference tasks above 0 seeds trained besides the head",
        "r-amt is better than zero-shot, 16 shots +7.4 ± 0.5 5 of 5 1–2 1,000 : 0 holds",
        "r-amt is better than linear, 16 shots -0.2 ± 0.5 2 of 5 1 1,000 : 0 not shown",
      ])
    // Four tasks are too few for an error bar.
    let four = runs.filter { $0.cell.task.name != "sun" }
    #expect(DemoClaim.all(DemoComparison.claims, four).isEmpty)
    let lost = try Self.five.flatMap { [try finishedRun($0, "r-amt", 1, 30), try finishedRun($0, "linear", 1, 40)] }
    #expect(DemoClaim.all(DemoComparison.claims, lost).last?.verdict == "the reverse")
  }

  /// Two tasks: differences with errors over seeds, and a sentence that counts them.
  @Test func fewTasksShowDifferencesInsteadOfVerdicts() throws {
    // Against linear, 40: +2, +4, +6 (error 2 / √3) on pets, none on ucf, which has a mean of 0 within its error.
    var runs: [DemoTable.Finished] = []
    for seed in 1...3 {
      runs.append(try finishedRun("pets", "linear", seed, 40, zeroShot: nil))
      runs.append(try finishedRun("ucf", "linear", seed, 40, zeroShot: nil))
      runs.append(try finishedRun("pets", "r-amt", seed, 40 + 2 * Double(seed), zeroShot: nil))
      runs.append(try finishedRun("ucf", "r-amt", seed, 38 + Double(seed), zeroShot: nil))
    }
    let (text, one) = (
      try #require(DemoClaim.report(runs)), try #require(DemoClaim.report(runs.filter { $0.cell.seed == 1 }))
    )
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.contains("r-amt is better than linear, 16 shots +4.0 ± 1.2 0.0 ± 0.6"))
    #expect(text.contains("errors:\n1 of 2; below 0: 0; neither: 1."))
    #expect(one.contains("+2.0") && one.hasSuffix("nothing can be said of these differences."))
  }

  @Test func claimsOfNewClassesAndOfTheTransformerReadTheirOwnRuns() throws {
    var runs = try Self.five.flatMap { task in
      try [
        finishedRun(task, "mask-tuning", 1, 50, new: (40, 42)), finishedRun(task, "r-amt (λ 1)", 1, 50, new: (41, 42)),
      ]
    }
    runs += try Self.transformer("lora", 50, 6144) + Self.transformer("spt-lora", 53, 6144)
    func found(_ comparisons: [DemoComparison]) -> [(String, Double)] {
      DemoClaim.all(comparisons, runs).map { ($0.comparison.statement, ($0.difference * 1000).rounded() / 1000) }
    }
    let expected = [
      ("r-amt (λ 1) is better than mask-tuning, new classes", 1),
      ("r-amt (λ 1) is better than mask-tuning, H", 0.611), ("spt-lora is better than lora, VTAB", 3),
    ]
    let claims = found(DemoComparison.claims)
    #expect(claims.map(\.0) == expected.map(\.0) && claims.map(\.1) == expected.map(\.1))
    let others = found(DemoComparison.others)
    #expect(others.map(\.0) == ["r-amt (λ 1) and zero-shot, new classes"] && others.map(\.1) == [-1])
    let text = try #require(DemoClaim.report(runs))
    #expect(text.contains("Beside other methods, which no paper makes a claim of\n\n") && text.contains("  below\n"))
    for (claim, reason) in DemoComparison.missing { #expect(text.contains("- \(claim): \(reason)")) }
  }

  private static func transformer(
    _ method: String, _ accuracy: Double, _ encoder: Int?, diverges: Bool = false
  ) throws -> [DemoTable.Finished] {
    try ["count", "turn", "land", "grade", "shapes"].map { task in
      try finishedRun(
        task, method, shots: nil, 1, accuracy, zeroShot: nil, encoder: task == "land" ? encoder : 6144,
        diverges: diverges && task == "turn")
    }
  }

  /// One pair whose totals differ is enough: what would be compared is another thing.
  @Test func rowsThatTrainDifferentTotalsAreNotCompared() throws {
    let spt = try Self.transformer("spt-lora", 53, 5503)
    let claims = try DemoClaim.all(DemoComparison.claims, spt + Self.transformer("lora", 50, 6144))
    #expect(claims.map(\.comparison.statement) == ["spt-lora is better than lora, VTAB"])
    #expect(claims[0].verdict == "not compared: totals 5,503 and 6,144 differ by 11.6 % (land, seed 1)")
    #expect(!DemoClaim.text(claims, title: "").contains("+3.0"))
    let unknown = try DemoClaim.all(
      DemoComparison.claims, Self.transformer("spt-lora", 53, nil) + Self.transformer("lora", 50, 6144))
    #expect(unknown[0].verdict == "not compared: totals are not recorded (land, seed 1)")
    // Full tuning is no comparison at equal budgets.
    let full = try DemoClaim.all(DemoComparison.claims, spt + Self.transformer("full", 50, 1_200_000))
    #expect(full.map(\.verdict) == ["holds"])
    let near = try DemoClaim.all(
      DemoComparison.claims, Self.transformer("spt-lora", 53, 6050) + Self.transformer("lora", 50, 6144))
    #expect(near.map(\.verdict) == ["holds"])
  }

  @Test func divergedRunsAreCountedBesideTheVerdict() throws {
    let claims = try DemoClaim.all(
      DemoComparison.claims,
      Self.transformer("spt-lora", 53, 6144, diverges: true) + Self.transformer("lora", 50, 6144))
    #expect(claims[0].diverged == 1 && claims[0].difference == 3)
    #expect(DemoClaim.text(claims, title: "").hasSuffix("holds, 1 run diverged"))
  }

  @Test func everyComparisonHasRowsInTheFullPlan() {
    let cells = DemoPlan.full.cells
    for comparison in DemoComparison.claims + DemoComparison.others {
      for label in [comparison.better, comparison.worse] where label != "zero-shot" {
        let tasks = cells.filter { comparison.scope.contains($0) && $0.method.label == label }.map(\.task.name).unique
        #expect(tasks.count >= DemoClaim.fewestTasks, "\(comparison.statement): \(label)")
      }
    }
    let pairs = (DemoComparison.claims + DemoComparison.others).map { "\($0.better), \($0.worse), \($0.scope.name)" }
    #expect(Set(pairs).count == pairs.count)
    for words in ["CoOp", "CLIP-Adapter", "Tip-Adapter", "FGVC"] {
      #expect(DemoComparison.missing.contains { $0.claim.contains(words) })
    }
  }

  /// The rows that are compared at equal budgets: SPT's budget is what the other row trains on the shipped model.
  @Test func budgetsAreTheTotalsOfTheRowsTheyAreComparedWith() throws {
    let model = try ImageBackbone(contentsOf: MiniatureModels.vit)
    func total(_ label: String) throws -> Int {
      let cell = try #require(DemoPlan.full.cells.first { $0.method.label == label && $0.task.name == "count" })
      let request = try cell.request(in: "demo")
      let name = try Run.method(request.method)
      var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
      try request.adjust(&recipe)
      if let budget = request.budgets.first { return budget }
      let tuning = try name.encoder.tuning(
        MethodSetting(tower: model.tower, text: nil, classes: 8, recipe: recipe, fidelity: .official, seed: 1),
        head: LinearHead(width: 128, classes: 8, seed: 1), choosing: nil)
      return tuning.trainables.reduce(0) { $0 + $1.count }
    }
    let compared = DemoComparison.claims.filter(\.isAtEqualBudgets)
    #expect(compared.count == 3)
    for comparison in compared { #expect(try total(comparison.better) == total(comparison.worse)) }
    #expect(try total("lora") == 6144 && total("adapter") == 6936)
  }
}
