import Checks
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The control of SPT: its own ranking on other tensors.
@Suite struct RandomAllocationTests {
  private static let sites = SensitivitySite.all(
    of: VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 8, hiddenWidth: 16, blocks: 3, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8,
        patchSize: 4, form: .classifier), seed: 1))

  private static let ranking = Ranking(
    of: sites.enumerated().map { index, site in
      CheckNumbers(seed: UInt64(index)).tensor(site.parameter.value.shape).scaled(by: 1 / Real(1 + index % 7))
    }, largest: 900)

  private static func permuted(_ seed: UInt64) -> Ranking { ranking.permuted(among: sites, .official, seed: seed) }

  private static func isNorm(_ index: Int) -> Bool { !sites[index].trainsEntries(.official) }

  /// Modules, vectors and entries come out under the same rules: as many of each kind, and the same total.
  @Test(arguments: StructuredForm.allCases, [30, 100, 250, 500])
  func asMuchOfEachKindIsTunedAsBySensitivity(_ form: StructuredForm, _ budget: Int) {
    var rules = Allocation.Rules(form: form)
    rules.rank = 2
    func allocation(_ ranking: Ranking) -> Allocation {
      FilledBudget(budget, ranking, Self.sites, classToken: 8, rules, .official).allocation
    }
    func kinds(_ indices: [Int]) -> [String] { indices.map { "\(Self.sites[$0].kind) \(Self.isNorm($0))" }.sorted() }
    let wanted = allocation(Self.ranking)
    for seed in 1...5 as ClosedRange<UInt64> {
      let found = allocation(Self.permuted(seed))
      #expect(found.threshold == wanted.threshold && found.trained(Self.sites, .official) == budget)
      #expect(kinds(found.modules) == kinds(wanted.modules) && kinds(found.vectors) == kinds(wanted.vectors))
      #expect(found.entries.sorted() == wanted.entries.sorted() && found.structured == wanted.structured)
    }
  }

  @Test func everyEntryIsStillOneOfItsTensorAndSelectedOnce() {
    let found = Self.permuted(3)
    #expect(found.count == Self.ranking.count)
    let lists = found.positions(first: found.count, of: Self.sites.count)
    for (list, site) in zip(lists, Self.sites) {
      #expect(Set(list).count == list.count && list.allSatisfy { (0..<site.count).contains(Int($0)) })
    }
    for rank in 0..<found.count {
      let (from, to) = (Int(Self.ranking.tensors[rank]), Int(found.tensors[rank]))
      #expect(Self.sites[from].kind == Self.sites[to].kind && Self.isNorm(from) == Self.isNorm(to))
    }
  }

  @Test func aSeedIsOnePermutation() {
    #expect(Self.permuted(5).tensors == Self.permuted(5).tensors)
    #expect(Self.permuted(5).positions == Self.permuted(5).positions)
    #expect(Set((0..<20).map { Self.permuted($0).tensors }).count == 20)
    #expect(Set((0..<20).map { Self.permuted($0).positions }).count == 20)
  }

  /// The first tensor, a norm's vector of eight, is put at each of the 14 tensors of its kind equally often.
  @Test func tensorsAreMovedAnywhereOfTheirKindEquallyOften() throws {
    let rank = try #require(Self.ranking.tensors.firstIndex(of: 0))
    var counts: [UInt16: Int] = [:]
    for seed in 0..<1400 { counts[Self.permuted(UInt64(seed)).tensors[rank], default: 0] += 1 }
    #expect(counts.count == 14)
    // Of 100 expected, five standard deviations of 9.6.
    #expect(counts.values.allSatisfy { abs($0 - 100) < 49 }, "\(counts)")
  }
}
