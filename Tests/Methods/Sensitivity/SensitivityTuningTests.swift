import Checks
import Datasets
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Who is ranked and what becomes of an allocation.
///
/// SPT (i), (j) and (n).
@Suite struct SensitivityTuningTests {
  private let tower = VisionTransformer.random(
    VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 8, hiddenWidth: 16, blocks: 2, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8, patchSize: 4,
      form: .classifier), seed: 1)
  private var sites: [SensitivitySite] { SensitivitySite.all(of: tower) }

  private func index(_ site: String) throws -> Int {
    try #require(sites.firstIndex { $0.parameter.site.name == "vision.\(site)" })
  }

  /// The designs of an allocation with these modules and vectors, one entry in each of the other sites.
  private func designs(
    _ form: StructuredForm, _ fidelity: Fidelity, modules: [String] = [], vectors: [String] = []
  ) throws -> [String: TuningDesign] {
    let (modules, vectors) = (try modules.map(index), try vectors.map(index))
    var entries = [Int](repeating: 1, count: sites.count)
    for index in modules + vectors { entries[index] = 0 }
    let scores = sites.map { site in
      Tensor(site.parameter.value.shape, (0..<site.count).map { $0 == 0 ? 1 : 0 })
    }
    let rules = Allocation.Rules(form: form)
    let allocation = Allocation(
      threshold: sites.count, modules: modules, vectors: vectors, entries: entries, kinds: sites.map(\.kind),
      classToken: 8, rules)
    let name = try #require(MethodName(form == .lora ? "spt-lora" : "spt-adapter"))
    let recipe = name.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: fidelity))
    let branch = recipe[BranchSettings.self]?.branch
    let found = SensitivityTuning(rules, fidelity, branch: try #require(branch))
      .designs(of: tower, sites, allocation, Ranking(of: scores, largest: sites.count))
    return Dictionary(uniqueKeysWithValues: found.map { ($0.parameter.site.name, $0) })
  }

  private func design(_ design: TuningDesign?) throws -> BranchDesign {
    guard case .branched(_, let design)? = design else {
      Issue.record("expected a branch, found \(String(describing: design))")
      return BranchDesign(
        form: Branch.Form(
          isSequential: false, hasActivation: false, dropout: 0, dropPath: 0, dropoutSite: 0, dropPathSite: 0), rank: 0,
        hasBiases: false, start: .normal)
    }
    return design
  }

  private static let maps = ["query", "key", "value", "output"].map { "blocks.1.attention.\($0)" }

  @Test func embeddingsAreNotRanked() {
    let names = sites.map(\.parameter.site.name)
    #expect(names.count == 2 * 16 + 2)
    #expect(!names.contains { $0.contains("patchEmbedding") || $0.contains("positions") || $0.contains("classToken") })
  }

  @Test(arguments: Fidelity.allCases) func theOutputMapsAdapterIsParallelInTheReleasedCode(_ fidelity: Fidelity) throws
  {
    let found = try designs(.adapter, fidelity, modules: Self.maps)
    for map in Self.maps {
      let form = try design(found["vision.\(map)"]).form
      #expect(form.isSequential == !(map.hasSuffix("output") && fidelity == .official), "\(map)")
      #expect(form.hasActivation && form.dropPath == 0.1)
    }
  }

  @Test(arguments: StructuredForm.allCases, Fidelity.allCases)
  func theOutputMapHasNoDropoutInTheReleasedCode(_ form: StructuredForm, _ fidelity: Fidelity) throws {
    let found = try designs(form, fidelity, modules: Self.maps)
    for map in Self.maps {
      let isBare = map.hasSuffix("output") && fidelity == .official
      #expect(try design(found["vision.\(map)"]).form.dropout == (isBare ? 0 : 0.1), "\(map)")
    }
  }

  @Test func queryKeyAndValueShareASampleOfDropoutInTheReleasedLoRA() throws {
    func numbers(_ form: StructuredForm, _ fidelity: Fidelity) throws -> Int {
      let found = try designs(form, fidelity, modules: Self.maps)
      return Set(try Self.maps.prefix(3).map { try design(found["vision.\($0)"]).form.dropoutSite }).count
    }
    #expect(try numbers(.lora, .official) == 1)
    #expect(try numbers(.lora, .paper) == 3)
    #expect(try numbers(.adapter, .official) == 3)
  }

  @Test(arguments: Fidelity.allCases) func entriesOfNormsAreCountedAndNotTrainedInTheReleasedCode(_ fidelity: Fidelity)
    throws
  {
    let found = try designs(.lora, fidelity)
    #expect((found["vision.blocks.0.attentionNorm.scale"] != nil) == (fidelity == .paper))
    #expect((found["vision.postNorm.shift"] != nil) == (fidelity == .paper))
    guard case .sparse(_, let indices)? = found["vision.blocks.0.mlp.up"] else {
      Issue.record("expected an entry")
      return
    }
    #expect(indices.positions == [0])
    // Whole vectors of norms are trained either way.
    let whole = try designs(.lora, fidelity, vectors: ["blocks.0.attentionNorm.scale"])
    guard case .whole? = whole["vision.blocks.0.attentionNorm.scale"] else {
      Issue.record("expected a whole vector")
      return
    }
  }

  /// The paper's branch starts as no change, the released one does not.
  @Test(arguments: StructuredForm.allCases, Fidelity.allCases)
  func branchesStartWhereTheyShould(_ form: StructuredForm, _ fidelity: Fidelity) throws {
    let found = try designs(form, fidelity, modules: Self.maps)
    let tuning = SiteTuning(Self.maps.compactMap { found["vision.\($0)"] }, seed: 1)
    let method = Method(
      encoder: tuning, head: LinearHead(width: 8, classes: 3, seed: 1), tower: tower)
    let frozen = Method(encoder: FrozenEncoder(), head: LinearHead(width: 8, classes: 3, seed: 1), tower: tower)
    let images = Method.Input.images(CheckNumbers(seed: 2).tensor([2, 3, 8, 8]))
    let logits = method.logits(images, values: method.trainables.map(\.initial))
    let same = frozen.logits(images, values: frozen.trainables.map(\.initial))
    #expect((logits == same) == (fidelity == .paper))
    let ups = tuning.trainables.filter { $0.name.hasSuffix(".up") }
    #expect(ups.count == 4 && ups.allSatisfy { $0.initial.values.allSatisfy { abs($0) < 0.2 } })
  }

  /// A budget is kept apart from what the sweep can reach.
  @Test func allocationsGrowWithTheThreshold() {
    let scores = sites.map { CheckNumbers(seed: 3).tensor($0.parameter.value.shape).scaled(by: 1) }
    let kinds = sites.map(\.kind)
    let ranking = Ranking(of: scores, largest: 300)
    for structure in Allocation.Structure.allCases {
      var rules = Allocation.Rules(form: .lora)
      (rules.rank, rules.structure) = (1, structure)
      let sweep = AllocationSweep(ranking, thresholds: Array(1...300), kinds: kinds, classToken: 8, rules)
      for (before, after) in zip(sweep.allocations, sweep.allocations.dropFirst()) {
        #expect(before.modules.count <= after.modules.count && before.vectors.count <= after.vectors.count)
      }
      let last = sweep.allocations[299]
      #expect((last.unstructured == 0) == (structure == .structuredOnly))
      #expect(last.modules.isEmpty == (structure == .unstructuredOnly))
      #expect(structure != .unstructuredOnly || last.total == 308)
    }
  }

  @Test func aBudgetFartherFromEverythingThanFromNothingHasNoAllocation() {
    let ranking = Ranking(of: sites.map { _ in Tensor([1], [1]) }, largest: 4)
    let sweep = AllocationSweep(
      ranking, thresholds: [2, 4], kinds: sites.map(\.kind), classToken: 100, Allocation.Rules(form: .lora))
    #expect(sweep.nearest(to: 40, unit: 1) == nil)
    #expect(sweep.nearest(to: 200, unit: 1)?.threshold == 4)
  }
}

@Suite struct SensitivitySurveyTests {
  private func set(_ labels: [Int]) -> ImageSet {
    ImageSet(
      items: labels.enumerated().map { LabelledImage(url: URL(fileURLWithPath: "/\($0)"), label: $1) },
      classes: ["a", "b", "c"])
  }

  @Test func aFolderIsDealtOutClassByClass() {
    let dealt = SensitivitySurvey.dealt(set([0, 0, 0, 1, 2, 2]))
    #expect(dealt.map(\.url.lastPathComponent) == ["0", "3", "4", "1", "5", "2"])
  }

  @Test func aListKeepsItsOrder() {
    let labels = [2, 0, 1, 0, 2]
    #expect(SensitivitySurvey.dealt(set(labels)).map(\.label) == labels)
  }

  /// A survey of the pictures, whose rankings reach as far as budgets need.
  @Test func aRankingReachesAsFarAsEveryBudget() throws {
    let tower = VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 8, hiddenWidth: 16, blocks: 2, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8,
        patchSize: 4, form: .classifier), seed: 1)
    let images = try ImageFolder(contentsOf: Fixtures.embedded.appendingPathComponent("pictures")).train
    let survey = try SensitivitySurvey(
      of: tower, head: LinearHead(width: 8, classes: images.classes.count, seed: 1), on: images,
      ImageLoader(
        preprocessing: Preprocessing(
          geometry: .direct(height: 8, width: 8), mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])),
      samples: 8, batchSize: 4, seed: 1, stochasticDepth: 0)
    var rules = Allocation.Rules(form: .lora)
    rules.rank = 2
    let budgets = [20, 60, 300, 640].map { Budget(parameters: $0, rules: rules) }
    let ranking = survey.ranking(for: budgets, .official)
    let whole = survey.ranking(for: [], .official, atLeast: survey.count)
    #expect(whole.count == survey.count && survey.ranking(for: [], .official, atLeast: 17).count == 17)
    for budget in budgets {
      let found = try survey.allocation(budget, ranking, .official)
      #expect(try found == survey.allocation(budget, whole, .official))
      #expect(found == (try survey.allocation(budget, survey.ranking(for: [budget], .official), .official)))
    }
    for (budget, text) in [
      (8, "budget: expected above 8, the parameters of the class token, which is always tuned, found 8"),
      (survey.count + 1, "budget: expected at most \(survey.count), "),
    ] {
      let error = #expect(throws: SettingError.self) {
        try survey.allocation(Budget(parameters: budget, rules: rules), ranking, .official)
      }
      #expect("\(String(describing: error))".contains(text), "\(String(describing: error))")
    }
  }
}

/// The usual methods choose the sites they are known for: counts of ViT-B/16 (the baselines of SPT).
@Suite struct PlainTuningTests {
  @Test(arguments: [
    (PlainTuning.full, 85_798_656), (.lastBlocks(1), 7_089_408), (.lastBlocks(3), 21_265_152), (.biases, 102_912),
    (.norms, 38_400),
    (.lora, 294_912), (.adapter, 156_768),
  ]) func trainableParametersAreThePublishedCounts(_ tuning: PlainTuning, _ count: Int) {
    // Zeros take the place of weights, of which only the shapes matter.
    let tower = ShapeTower()
    let branch = BranchSettings.Branch(start: .zeroUp)
    let found = tuning.designs(of: tower, rank: 8, branch).reduce(0) { sum, design in
      let shape = design.parameter.value.shape
      switch design {
      case .whole: return sum + shape.count
      case .sparse(_, let indices): return sum + indices.count
      case .branched(_, let design):
        let read = design.form.isSequential ? shape[0] : shape[1]
        return sum + design.rank * (read + shape[0]) + (design.hasBiases ? design.rank + shape[0] : 0)
      }
    }
    #expect(found == count)
  }

  /// ViT-B/16 by its shapes.
  struct ShapeTower: ImageTower {
    let parameters: [Parameter] = {
      var parameters: [Parameter] = []
      func add(_ name: String, _ role: Site.Role, _ shape: Shape, _ block: Int? = nil) {
        parameters.append(Parameter(Site("vision.\(name)", role, block: block), .zeros(shape)))
      }
      add("patchEmbedding", .patchEmbedding, [768, 3, 16, 16])
      add("patchEmbedding.bias", .bias, [768])
      add("classToken", .classToken, [768])
      add("positions", .positions, [197, 768])
      for block in 0..<12 {
        for norm in ["attentionNorm", "mlpNorm"] {
          add("blocks.\(block).\(norm).scale", .normScale, [768], block)
          add("blocks.\(block).\(norm).shift", .normShift, [768], block)
        }
        for (name, role, out, width) in [
          ("query", Site.Role.query, 768, 768), ("key", .key, 768, 768), ("value", .value, 768, 768),
          ("output", .attentionOutput, 768, 768), ("up", .mlpUp, 3072, 768), ("down", .mlpDown, 768, 3072),
        ] {
          add("blocks.\(block).\(name)", role, [out, width], block)
          add("blocks.\(block).\(name).bias", .bias, [out], block)
        }
      }
      add("postNorm.scale", .normScale, [768])
      add("postNorm.shift", .normShift, [768])
      return parameters
    }()
    var imageSize: Int { 224 }
    var featureWidth: Int { 768 }
    var projection: Linear? {
      Linear(weight: Parameter(Site("vision.projection", .projection), .zeros([512, 768])), bias: nil)
    }
    var promptSites: [Site] {
      (0..<12).map { (block: Int) in Site("vision.blocks.\(block).prompts", .prompts, block: block) }
    }
    var parallelSites: [ParallelSite] {
      (0..<12).map { ParallelSite(block: "vision.blocks.\($0)", index: $0, width: 768) }
    }
    var inputSites: [BlockSite] {
      (0..<12).flatMap { BlockSite.both(.input, block: "vision.blocks.\($0)", index: $0, width: 768) }
    }
    var bypassSites: [BlockSite] {
      (0..<12).flatMap { BlockSite.both(.bypass, block: "vision.blocks.\($0)", index: $0, width: 768) }
    }
    var tokenGrid: TokenGrid? { TokenGrid(prefix: 1, side: 14) }
    func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable { images }
  }
}
