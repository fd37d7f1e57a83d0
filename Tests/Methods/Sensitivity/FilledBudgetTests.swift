import Checks
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Budgets without a published sweep are trained to the last parameter.
///
/// SPT (e) to (h) and (k).
@Suite struct FilledBudgetTests {
  private static let tower = VisionTransformer.random(
    VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 8, hiddenWidth: 16, blocks: 2, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8, patchSize: 4,
      form: .classifier), seed: 1)
  private static let sites = SensitivitySite.all(of: tower)
  private static let count = sites.reduce(0) { $0 + $1.count }

  /// Scores of which the first tensors have more than their share, so that modules and whole vectors come out.
  private static func ranking(_ depth: Int? = nil) -> Ranking {
    let scores = sites.enumerated().map { index, site in
      CheckNumbers(seed: UInt64(index)).tensor(site.parameter.value.shape).scaled(by: 1 / Real(1 + index % 5))
    }
    return Ranking(of: scores, largest: depth ?? count)
  }

  private static func rules(_ form: StructuredForm, rank: Int = 2) -> Allocation.Rules {
    var rules = Allocation.Rules(form: form)
    rules.rank = rank
    return rules
  }

  /// What the run then trains is the budget: by the allocation's own count, and by the tensors of the tuning.
  @Test(arguments: StructuredForm.allCases, Fidelity.allCases)
  func whatIsTrainedIsTheBudget(_ form: StructuredForm, _ fidelity: Fidelity) throws {
    let (ranking, rules) = (Self.ranking(), Self.rules(form))
    let tuning = SensitivityTuning(rules, fidelity, branch: BranchSettings.Branch())
    var forms = Set<String>()
    for budget in stride(from: 9, through: 500, by: 7) {
      let found = FilledBudget(budget, ranking, Self.sites, classToken: 8, rules, fidelity)
      #expect(found.isComplete && found.allocation.trained(Self.sites, fidelity) == budget)
      let designs = tuning.designs(of: Self.tower, Self.sites, found.allocation, ranking)
      let trained = SiteTuning(designs, seed: 1).trainables.reduce(0) { $0 + $1.count }
      #expect(trained == budget, "\(budget)")
      if !found.allocation.modules.isEmpty { forms.insert("modules") }
      if !found.allocation.vectors.isEmpty { forms.insert("vectors") }
      if found.allocation.unstructured > 0 { forms.insert("entries") }
    }
    #expect(forms.count == 3)
  }

  /// Two maps of 4 × 4, modules of 8 parameters from two entries on.
  private static func pair(_ budget: Int, _ tensors: [UInt16]) -> FilledBudget {
    let sites = [Site.Role.query, .key].map { role in
      SensitivitySite(
        parameter: Parameter(Site("vision.blocks.0.\(role)", role, block: 0), .zeros([4, 4])),
        kind: .matrix(out: 4, in: 4))
    }
    var rules = rules(.lora, rank: 1)
    rules.alpha = 4
    let ranking = Ranking(tensors: tensors, positions: tensors.indices.map { Int32($0) })
    return FilledBudget(budget, ranking, sites, classToken: 0, rules, .official)
  }

  @Test func aModuleThatTheBudgetDoesNotHoldIsNotFormed() {
    // One module (8) and three single entries: the second module would make it 16.
    let found = Self.pair(11, [0, 0, 1, 1, 1, 1])
    #expect(found.allocation.modules == [0] && found.allocation.entries == [0, 3])
    #expect(found.allocation.threshold == 5 && found.allocation.total == 11 && found.isComplete)
    let both = Self.pair(16, [0, 0, 1, 1, 1, 1])
    #expect(both.allocation.modules == [0, 1] && both.allocation.threshold == 4 && both.allocation.total == 16)
    // Entries of a module cost nothing more.
    #expect(Self.pair(9, [0, 0, 0, 0, 1]).allocation.threshold == 5)
  }

  @Test func aRankingThatEndsTooSoonIsNotComplete() {
    #expect(!Self.pair(11, [0, 0, 1, 1]).isComplete && Self.pair(11, [0, 0, 1, 1, 1]).isComplete)
    let (all, rules) = (Self.ranking(), Self.rules(.lora))
    for budget in [40, 200, 400] {
      let whole = FilledBudget(budget, all, Self.sites, classToken: 8, rules, .official).allocation
      let part = FilledBudget(
        budget, Self.ranking(whole.threshold), Self.sites, classToken: 8, rules, .official)
      #expect(part.isComplete && part.allocation == whole)
      #expect(
        !FilledBudget(budget, Self.ranking(whole.threshold - 1), Self.sites, classToken: 8, rules, .official)
          .isComplete)
    }
    // All modules and vectors cost less than this.
    let most = FilledBudget(Self.count, all, Self.sites, classToken: 8, rules, .official)
    #expect(most.isComplete && most.allocation.total < Self.count && most.allocation.unstructured == 0)
  }

  /// A norm's entry, a map's, a norm's, a map's: two are trained after two ranks, or after four.
  @Test(arguments: [(Fidelity.official, 4), (.paper, 2)])
  func entriesOfNormsAreNoPartOfTheBudgetWhereTheyAreNotTrained(_ fidelity: Fidelity, _ threshold: Int) {
    let sites = [
      SensitivitySite(
        parameter: Parameter(Site("vision.postNorm.scale", .normScale), .zeros([16])), kind: .vector(16)),
      SensitivitySite(
        parameter: Parameter(Site("vision.blocks.0.query", .query, block: 0), .zeros([4, 4])),
        kind: .matrix(out: 4, in: 4)),
    ]
    var rules = Self.rules(.lora)
    rules.alpha = 1
    let ranking = Ranking(tensors: [0, 1, 0, 1, 1], positions: [0, 1, 2, 3, 4])
    let found = FilledBudget(2, ranking, sites, classToken: 0, rules, fidelity)
    #expect(found.isComplete && found.allocation.threshold == threshold && found.allocation.total == threshold)
    #expect(found.allocation.trained(sites, fidelity) == 2)
  }

  @Test func oneKindOfTuningAloneStaysWithinTheBudget() {
    var rules = Self.rules(.lora)
    rules.structure = .unstructuredOnly
    let entries = FilledBudget(300, Self.ranking(), Self.sites, classToken: 8, rules, .official).allocation
    #expect(entries.modules.isEmpty && entries.vectors.isEmpty && entries.trained(Self.sites, .official) == 300)
    rules.structure = .structuredOnly
    let whole = FilledBudget(300, Self.ranking(), Self.sites, classToken: 8, rules, .official)
    // The smallest thing that may still be missing is a vector of 8.
    #expect(whole.allocation.unstructured == 0 && (293...300).contains(whole.allocation.total) && whole.isComplete)
    rules.tunesVectors = false
    #expect(
      FilledBudget(300, Self.ranking(), Self.sites, classToken: 8, rules, .official).allocation.vectors.isEmpty)
  }

  @Test func thePublishedBudgetsAreThoseThatTheAuthorsShip() {
    func isPublished(_ parameters: Int) -> Bool {
      Budget(parameters: parameters, rules: Allocation.Rules(form: .lora)).isPublished
    }
    #expect([50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000].allSatisfy(isPublished))
    #expect(![6144, 49_999, 300_000, 700_000, 2_000_000].contains(where: isPublished))
  }
}
