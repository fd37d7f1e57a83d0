import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// SPT (a) to (h).
@Suite(.golden(.spt, .vit)) struct SensitivityGoldenTests {
  @Test func squaredGradientsOfEveryTensorAreTheirs() throws {
    let golden = try GoldenSPT()
    let item = golden.item
    let tensors = try item.tensors()
    let head = try #require(golden.backbone.head)
    let parameters = golden.backbone.tower.parameters
    var sensitivity = Sensitivity(
      of: parameters, in: golden.backbone.tower, head: golden.head(head.parameters.map(\.value)), seed: 0)
    let batches = try #require(item.args["batches"].int)
    try #require(batches > 0)
    for batch in 0..<batches {
      let images = try golden.images("batch\(batch).images", of: tensors)
      let labels = try golden.labels("batch\(batch).labels", of: item, count: images.shape[0])
      let loss = sensitivity.add(images, labels: labels)
      let want = Double(try tensors.required("batch\(batch).loss", []).scalar)
      #expect(abs(loss - want) < 1e-5 * want)
    }
    for (parameter, found) in zip(parameters, sensitivity.scores) {
      let name = "sensitivity.\(GoldenSPT.name(parameter.site))"
      expectClose(
        found, try tensors.required(name).required(as: found.shape), rtol: item.rtol, atol: item.atol, name)
    }
  }

  /// The indices are in their order of sites: flat indices in the concatenation, largest first.
  @Test func theRankingIsTheirs() throws {
    let (golden, item) = (try GoldenSPT(), try GoldenSet.spt.golden("ranking"))
    let candidates = try #require(item.args["candidates"].strings)
    #expect(golden.sites.map { GoldenSPT.name($0.parameter.site) }.sorted() == candidates.sorted())
    let sizes = Dictionary(
      uniqueKeysWithValues: golden.sites.map { (GoldenSPT.name($0.parameter.site), $0.count) })
    var (starts, start) = ([String: Int](), 0)
    for name in candidates { (starts[name], start) = (start, start + (sizes[name] ?? 0)) }
    #expect(start == item.args["count"].int)
    let scores = try golden.scores()
    let order = try item.file().integers("order")
    let sorted = try item.tensors().required("sorted", [order.count])
    try #require(!order.isEmpty && order.count <= start)
    let ranking = Ranking(of: scores, largest: order.count)
    for rank in order.indices {
      let (tensor, index) = (Int(ranking.tensors[rank]), Int(ranking.positions[rank]))
      let value = scores[tensor].values[index]
      #expect(value == sorted.values[rank], "rank \(rank)")
      // Equal numbers may stand in another order there.
      let flat = (starts[GoldenSPT.name(golden.sites[tensor].parameter.site)] ?? 0) + index
      #expect(flat == Int(order[rank]) || sorted.values.count { $0 == value } > 1, "rank \(rank)")
    }
  }

  @Test func thresholdsAreThoseOfFloatingPoint() throws {
    let (golden, item) = (try GoldenSPT(), try GoldenSet.spt.golden("ranking"))
    #expect(try golden.thresholds == item.args["taus"].ints && golden.thresholds == golden.allocation["taus"].ints)
  }

  static var runs: [JSONValue] { (try? GoldenSet.spt.json("allocation.json"))?["runs"].array ?? [] }

  @Test func thereAreAllocationsOfBothForms() {
    #expect(Set(Self.runs.map(\.["structured_type"].string)) == Set(StructuredForm.allCases.map(\.rawValue)))
  }

  @Test func allocationsAreTheirsAtEveryThreshold() throws {
    let golden = try GoldenSPT()
    let ranking = try golden.ranking()
    for run in Self.runs { try expectAllocations(run, golden, ranking) }
  }

  private func expectAllocations(_ run: JSONValue, _ golden: GoldenSPT, _ ranking: Ranking) throws {
    let sweep = try golden.sweep(ranking, GoldenSPT.rules(run))
    let (wanted, unit) = (try #require(run["sweep"].array), try golden.budgetUnit)
    // Some runs list every threshold, the others a few.
    #expect(!wanted.isEmpty)
    for want in wanted {
      let found = try #require(sweep.allocations.first { $0.threshold == want["tau"].int })
      try expect(found, want, golden)
      #expect(found.total == want["total_with_cls"].int && found.structured == want["structured"].int)
      #expect(found.unstructured == want["unstructured"].int)
    }
    let budgets = try #require(run["budgets"].object)
    #expect(!budgets.isEmpty)
    for (budget, want) in budgets {
      let found = try #require(Double(budget).flatMap { sweep.nearest(to: $0, unit: unit) }, "\(budget)")
      try expect(found, want, golden)
      #expect(abs(Double(found.total) / unit - (want["params"].double ?? 0)) < 1e-9, "\(budget)")
    }
  }

  private func expect(_ found: Allocation, _ want: JSONValue, _ golden: GoldenSPT) throws {
    let names = golden.sites.map { GoldenSPT.name($0.parameter.site) }
    #expect(Set(found.vectors.map { names[$0] }) == Set(try #require(want["tuned_vectors"].strings)))
    let modules = try tunedMatrices(want["tuned_matrices"], golden.allocation["operation_order"])
    #expect(Set(found.modules.map { names[$0] }) == Set(modules))
    if let counts = want["unstructured_count_per_tensor"].object {
      let entries = zip(names, found.entries).filter { $1 > 0 }
      #expect(
        Dictionary(uniqueKeysWithValues: entries.map { ($0, $1) }) == counts.mapValues { $0.int ?? -1 })
    }
  }
}

/// The authors' own allocations on VTAB-1k: what was tuned gives the totals that were published.
///
/// SPT (f) to (h).
@Suite(.golden(.spt)) struct PublishedAllocationTests {
  /// The kinds of ViT-B/16, of which all published allocations are, by the released code's names.
  static func kind(_ name: String) -> SensitivitySite.Kind {
    let isUp = name.contains("fc1")
    if name.contains("norm") || name.contains("bias") { return .vector(isUp ? 3072 : 768) }
    return .matrix(out: isUp ? 3072 : 768, in: name.contains("fc2") ? 3072 : 768)
  }

  @Test(arguments: StructuredForm.allCases) func totalsAreTheirs(_ form: StructuredForm) throws {
    let file = try GoldenSet.spt.json("published-allocations-\(form.rawValue).json")
    let names = try #require(file["tensor_names"].strings)
    try #require(file["model"].string?.hasPrefix("ViT-B/16 ") == true)
    var rules = Allocation.Rules(form: form)
    rules.rank = try #require(file["rank"].int)
    let tasks = try #require(file["tasks"].object)
    #expect(!tasks.isEmpty)
    for (task, budgets) in tasks {
      let budgets = try #require(budgets.object)
      #expect(!budgets.isEmpty)
      for (budget, record) in budgets {
        var (kinds, modules, vectors, entries) = ([SensitivitySite.Kind](), [Int](), [Int](), [Int]())
        func add(_ name: String, _ count: Int) { (kinds, entries) = (kinds + [Self.kind(name)], entries + [count]) }
        for name in try tunedMatrices(record["tuned_matrices"], file["operation_order"]) {
          modules.append(kinds.count)
          add(name, 0)
        }
        for name in try #require(record["tuned_vectors"].strings) {
          vectors.append(kinds.count)
          add(name, 0)
        }
        let flat = try #require(record["unstructured_counts"].ints)
        let indices = stride(from: 0, to: flat.count, by: 2).map { flat[$0] }
        try #require(flat.count % 2 == 0 && indices.allSatisfy(names.indices.contains))
        for pair in stride(from: 0, to: flat.count, by: 2) { add(names[flat[pair]], flat[pair + 1]) }
        let allocation = Allocation(
          threshold: 0, modules: modules, vectors: vectors, entries: entries, kinds: kinds, classToken: 768, rules)
        #expect(allocation.unstructured == record["unstructured_params"].int, "\(task) \(budget)")
        #expect(allocation.structured == record["structured_params"].int, "\(task) \(budget)")
        #expect(abs(Double(allocation.total) / 1e6 - (record["params"].double ?? 0)) < 1e-7, "\(task) \(budget)")
      }
    }
  }
}

/// The names of matrices that have a module: a row of flags per block, in the order of the operations ("q", "fc1").
private func tunedMatrices(_ flags: JSONValue, _ operations: JSONValue) throws -> [String] {
  let operations = try #require(operations.strings).map { ($0.hasPrefix("fc") ? "mlp." : "attn.") + $0 }
  return try #require(flags.array).enumerated().flatMap { block, row in
    let row = try #require(row.ints)
    try #require(row.count == operations.count)
    return zip(operations, row).filter { $1 == 1 }.map { operation, _ in "blocks.\(block).\(operation).weight" }
  }
}
