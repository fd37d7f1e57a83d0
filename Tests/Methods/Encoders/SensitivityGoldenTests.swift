import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite(.enabled(if: GoldenSPT.exists)) struct SensitivityGoldenTests {
  @Test func squaredGradientsOfEveryTensorAreTheirs() throws {
    let (golden, item) = (try GoldenSPT(), Fixtures.golden("spt", "sensitivity"))
    let (tensors, file) = (try item.tensors(), try item.file())
    let head = try #require(golden.backbone.head)
    let parameters = golden.backbone.tower.parameters
    var sensitivity = Sensitivity(
      of: parameters, in: golden.backbone.tower, head: golden.head(head.parameters.map(\.value)), seed: 0)
    for batch in 0..<2 {
      let labels = try file.integers("batch\(batch).labels").map { Int32($0) }
      let loss = sensitivity.add(try #require(tensors["batch\(batch).images"]), labels: labels)
      let want = Double(try #require(tensors["batch\(batch).loss"]).scalar)
      #expect(abs(loss - want) < 1e-5 * want)
    }
    for (parameter, found) in zip(parameters, sensitivity.scores) {
      let name = "sensitivity.\(GoldenSPT.name(parameter.site))"
      expectClose(
        found, try #require(tensors[name], "\(name)").reshaped(to: found.shape), rtol: item.rtol, atol: item.atol, name)
    }
  }

  /// The places are in their order of sites: flat places in the concatenation, largest first.
  @Test func theRankingIsTheirs() throws {
    let (golden, item) = (try GoldenSPT(), Fixtures.golden("spt", "ranking"))
    let candidates = (item.args["candidates"].array ?? []).compactMap(\.string)
    #expect(golden.sites.map { GoldenSPT.name($0.parameter.site) }.sorted() == candidates.sorted())
    let sizes = Dictionary(
      uniqueKeysWithValues: golden.sites.map { (GoldenSPT.name($0.parameter.site), $0.count) })
    var (starts, start) = ([String: Int](), 0)
    for name in candidates { (starts[name], start) = (start, start + (sizes[name] ?? 0)) }
    #expect(start == item.args["count"].int)
    let scores = try golden.scores()
    let ranking = Ranking(of: scores, largest: 3000)
    let order = try item.file().integers("order")
    let sorted = try #require(try item.tensors()["sorted"])
    for rank in 0..<3000 {
      let (tensor, place) = (Int(ranking.tensors[rank]), Int(ranking.places[rank]))
      let value = scores[tensor].values[place]
      #expect(value == sorted.values[rank], "rank \(rank)")
      // Equal numbers may stand in another order there.
      let flat = (starts[GoldenSPT.name(golden.sites[tensor].parameter.site)] ?? 0) + place
      #expect(flat == Int(order[rank]) || sorted.values.count { $0 == value } > 1, "rank \(rank)")
    }
  }

  @Test func thresholdsAreThoseOfFloatingPoint() {
    let item = Fixtures.golden("spt", "ranking")
    #expect(AllocationSweep.thresholds(unit: 10_000) == (item.args["taus"].array ?? []).compactMap(\.int))
  }

  static var runs: [JSONValue] { GoldenSPT.exists ? Fixtures.json("spt/allocation.json")["runs"].array ?? [] : [] }

  @Test(arguments: Array(0..<runs.count)) func allocationsAreTheirsAtEveryThreshold(_ number: Int) throws {
    let (golden, run) = (try GoldenSPT(), Self.runs[number])
    let rules = try GoldenSPT.rules(run)
    let scores = try golden.scores()
    let ranking = Ranking(of: scores, largest: 15_800)
    let sweep = AllocationSweep(
      ranking, thresholds: AllocationSweep.thresholds(unit: 10_000), kinds: golden.sites.map(\.kind), classToken: 64,
      rules)
    let wanted = run["sweep"].array ?? []
    #expect(wanted.count == 79 || wanted.count == 9)
    for want in wanted {
      let found = try #require(sweep.allocations.first { $0.threshold == want["tau"].int })
      try expect(found, want, golden)
      #expect(found.total == want["total_with_cls"].int && found.structured == want["structured"].int)
      #expect(found.unstructured == want["unstructured"].int)
    }
    for (budget, want) in run["budgets"].object ?? [:] {
      let found = try #require(Double(budget).flatMap { sweep.nearest(to: $0, unit: 15_000) }, "\(budget)")
      try expect(found, want, golden)
      #expect(abs(Double(found.total) / 15_000 - (want["params"].double ?? 0)) < 1e-9, "\(budget)")
    }
  }

  private func expect(_ found: Allocation, _ want: JSONValue, _ golden: GoldenSPT) throws {
    let names = golden.sites.map { GoldenSPT.name($0.parameter.site) }
    #expect(Set(found.vectors.map { names[$0] }) == Set((want["tuned_vectors"].array ?? []).compactMap(\.string)))
    let operations = ["attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"]
    var modules: Set<String> = []
    for (block, row) in (want["tuned_matrices"].array ?? []).enumerated() {
      for (operation, flag) in zip(operations, row.array ?? []) where flag.int == 1 {
        modules.insert("blocks.\(block).\(operation).weight")
      }
    }
    #expect(Set(found.modules.map { names[$0] }) == modules)
    if let counts = want["unstructured_count_per_tensor"].object {
      let entries = zip(names, found.entries).filter { $1 > 0 }
      #expect(
        Dictionary(uniqueKeysWithValues: entries.map { ($0, $1) }) == counts.mapValues { $0.int ?? -1 })
    }
  }
}

/// The authors' own allocations on VTAB-1k: what was tuned gives the totals that were published.
@Suite(.enabled(if: Fixtures.has("spt/published-allocations-lora.json"))) struct PublishedAllocationTests {
  /// The kinds of ViT-B/16 by the released code's names.
  static func kind(_ name: String) -> SensitivitySite.Kind {
    let isUp = name.contains("fc1")
    if name.contains("norm") || name.contains("bias") { return .vector(isUp ? 3072 : 768) }
    return .matrix(out: isUp ? 3072 : 768, in: name.contains("fc2") ? 3072 : 768)
  }

  @Test(arguments: StructuredForm.allCases) func totalsAreTheirs(_ form: StructuredForm) throws {
    let file = Fixtures.json("spt/published-allocations-\(form.rawValue).json")
    let names = (file["tensor_names"].array ?? []).compactMap(\.string)
    let operations = ["attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"]
    var records = 0
    for (task, budgets) in file["tasks"].object ?? [:] {
      for (budget, record) in budgets.object ?? [:] {
        var (kinds, modules, vectors, entries) = ([SensitivitySite.Kind](), [Int](), [Int](), [Int]())
        func add(_ name: String, _ count: Int) { (kinds, entries) = (kinds + [Self.kind(name)], entries + [count]) }
        for (block, row) in (record["tuned_matrices"].array ?? []).enumerated() {
          for (operation, flag) in zip(operations, row.array ?? []) where flag.int == 1 {
            modules.append(kinds.count)
            add("blocks.\(block).\(operation).weight", 0)
          }
        }
        for name in (record["tuned_vectors"].array ?? []).compactMap(\.string) {
          vectors.append(kinds.count)
          add(name, 0)
        }
        let flat = (record["unstructured_counts"].array ?? []).compactMap(\.int)
        for pair in stride(from: 0, to: flat.count, by: 2) { add(names[flat[pair]], flat[pair + 1]) }
        let allocation = Allocation(
          threshold: 0, modules: modules, vectors: vectors, entries: entries, kinds: kinds, classToken: 768,
          Allocation.Rules(form: form))
        #expect(allocation.unstructured == record["unstructured_params"].int, "\(task) \(budget)")
        #expect(allocation.structured == record["structured_params"].int, "\(task) \(budget)")
        #expect(abs(Double(allocation.total) / 1e6 - (record["params"].double ?? 0)) < 1e-7, "\(task) \(budget)")
        records += 1
      }
    }
    #expect(records == 133)
  }
}
