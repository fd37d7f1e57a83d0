import Methods

/// Two rows of a demo that are compared, either because a paper claims that the first is better, or to place it among
/// other methods.
struct DemoComparison: Sendable {
  /// The labels of the two methods; `zero-shot` is the frozen model of the better one's runs.
  let better, worse: String
  let scope: Scope
  /// True if a paper claims it.
  var isClaim = true
  /// True if the rows are compared at equal budgets.
  var isAtEqualBudgets = false

  private init(_ better: String, _ worse: String, _ scope: Scope) {
    (self.better, self.worse, self.scope) = (better, worse, scope)
  }

  private static func atShots(_ better: String, _ worse: String) -> [DemoComparison] {
    [16, 4, 1].map { DemoComparison(better, worse, .shots($0)) }
  }

  private static func atEqualBudgets(_ better: String, _ worse: String) -> DemoComparison {
    var comparison = DemoComparison(better, worse, .vtab)
    comparison.isAtEqualBudgets = true
    return comparison
  }

  /// True if the second row is the frozen model.
  var isAgainstZeroShot: Bool { worse == "zero-shot" }

  /// The claim, or what is compared, in one sentence.
  var statement: String {
    isClaim ? "\(better) is better than \(worse), \(scope.name)" : "\(better) and \(worse), \(scope.name)"
  }

  /// The claims of the papers that the demo has rows for.
  ///
  /// - R-AMT: better than the frozen model and than a linear probe at 1 to 16 shots (figures of the project page); its
  ///   gradient dropout is better than plain masks at 16 shots and, with λ = 1, from base to new classes.
  /// - TaskRes: better than the frozen model and than a linear probe, most of all at few shots.
  /// - SPT: better than full tuning, than the head alone, than LoRA and adapters at equal budgets; and where it tunes
  ///   matters, which is what random positions are compared for.
  static let claims: [DemoComparison] =
    atShots("r-amt", "zero-shot") + atShots("r-amt", "linear") + [
      DemoComparison("r-amt", "mask-tuning", .shots(16)),
      DemoComparison("r-amt (λ 1)", "mask-tuning", .newClasses),
      DemoComparison("r-amt (λ 1)", "mask-tuning", .harmonicMean),
    ] + atShots("task-res", "zero-shot") + atShots("task-res", "linear") + [
      atEqualBudgets("spt-lora", "lora"), atEqualBudgets("spt-adapter", "adapter"),
      atEqualBudgets("spt-lora", "random"), DemoComparison("spt-lora", "full", .vtab),
      DemoComparison("spt-lora", "linear", .vtab),
    ]

  /// Comparisons that no paper makes a claim of.
  static let others: [DemoComparison] = [
    DemoComparison("r-amt", "task-res", .shots(16)), DemoComparison("r-amt", "lora", .shots(16)),
    DemoComparison("r-amt", "full", .shots(16)), DemoComparison("r-amt", "r-mmt", .shots(16)),
    DemoComparison("r-amt", "r-mt", .shots(16)), DemoComparison("r-amt", "r-pmt", .shots(16)),
    DemoComparison("r-amt (λ 1)", "mask-tuning", .shots(16)), DemoComparison("r-amt (λ 1)", "zero-shot", .newClasses),
    DemoComparison("r-amt+task-res", "r-amt", .shots(16)), DemoComparison("r-amt+task-res", "task-res", .shots(16)),
  ].map { comparison in
    var comparison = comparison
    comparison.isClaim = false
    return comparison
  }

  /// Claims of the papers that the demo does not try, and why.
  static let missing: [(claim: String, reason: String)] = [
    (
      "R-AMT improves CoOp, CLIP-Adapter and Tip-Adapter on top of them",
      "their pairs are in docs/results-field.md, not in the demo"
    ),
    (
      "R-AMT is better than prompt and adapter tuning: CoOp, VPT, UPT, Tip-Adapter",
      "CoOp, VPT and Tip-Adapter are beside it in docs/results-field.md, UPT is not"
    ),
    ("R-AMT and TaskRes keep their gains under domain shift", "no task comes in a second style"),
    (
      "TaskRes is better than prompt and adapter tuning: CoOp, CLIP-Adapter, Tip-Adapter",
      "they are beside it in docs/results-field.md, not in the demo"
    ),
    ("SPT is better than LoRA, adapters and full tuning on FGVC", "no fine-grained task with all training images"),
    ("SPT does so on Swin and ConvNeXt, and after MAE and MoCo v3", "the shipped model is one supervised ViT"),
  ]

  /// The runs that a comparison is about, and the figure compared.
  enum Scope: Sendable {
    case shots(Int)
    case newClasses, harmonicMean, vtab

    var name: String {
      switch self {
      case .shots(let count): "\(count) \(count == 1 ? "shot" : "shots")"
      case .newClasses: "new classes"
      case .harmonicMean: "H"
      case .vtab: "VTAB"
      }
    }

    func contains(_ cell: DemoPlan.Cell) -> Bool {
      switch self {
      case .shots(let count): cell.task.suite == .eleven && !cell.isBase && cell.shots == count
      case .newClasses, .harmonicMean: cell.isBase
      case .vtab: cell.task.suite == .vtab
      }
    }

    /// The accuracy of the tuned model, in percent.
    func score(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.test.accuracy
      case .newClasses: result.newClasses?.test.accuracy
      case .harmonicMean: result.harmonicMean
      }
    }

    /// The accuracy of the model before tuning, in percent.
    func zeroShot(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.zeroShot?.accuracy
      case .newClasses: result.newClasses?.zeroShot.accuracy
      case .harmonicMean: result.zeroShotHarmonicMean
      }
    }
  }
}

extension DemoClaim {
  /// Claims, other comparisons and missing claims, as the demo prints them, or the differences on single tasks where
  /// there are too few for a verdict; `nil` where there are runs for none.
  static func report(_ finished: [DemoTable.Finished]) -> String? {
    let (claims, others) = (all(DemoComparison.claims, finished), all(DemoComparison.others, finished))
    guard !claims.isEmpty || !others.isEmpty else { return DemoDifferences(finished)?.text }
    let rule = "difference in points, mean over tasks ± standard error; a verdict needs two of these"
    let missing = DemoComparison.missing.map { "- \($0.claim): \($0.reason)" }
    return [
      claims.isEmpty ? nil : text(claims, title: "Claims of the papers: \(rule)"),
      others.isEmpty ? nil : text(others, title: "Beside other methods, which no paper makes a claim of"),
      "Claims of the papers that the demo does not try\n\n" + missing.joined(separator: "\n"),
    ].compactMap(\.self).joined(separator: "\n\n")
  }
}
