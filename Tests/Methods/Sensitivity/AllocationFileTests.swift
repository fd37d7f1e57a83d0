import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Allocations as the authors ship them, on the image tower of the tiny CLIP.
@Suite struct AllocationFileTests {
  let fixture: RunFixture
  let folder: TemporaryFolder

  init() throws { (fixture, folder) = (try RunFixture(), try TemporaryFolder()) }

  private var tower: any ImageTower { fixture.pretrained.tower }
  private var sites: [SensitivitySite] { SensitivitySite.all(of: tower) }

  private func completed(_ path: String, _ budget: Budget, _ budgets: [Int] = []) throws -> Budget {
    try AllocationFile(path).completed(
      budget, budgets: budgets, form: budget.rules.form, tower, modelHash: fixture.pretrained.sha256)
  }

  private func budget(_ form: StructuredForm = .lora) -> Budget {
    Budget(parameters: 400_000, rules: Allocation.Rules(form: form))
  }

  private func write(_ allocation: AllocationPickle, as name: String = "param_req_0.4.pth") throws -> String {
    let named = sites.map {
      AllocationPickle.Site(PublishedAllocation.name(of: $0.parameter.site), $0.parameter.value.shape.extents)
    }
    return try folder.write(allocation.bytes(for: named), to: name).path
  }

  @Test func theAuthorsNamesAreThoseOfTimmWithQueryKeyAndValueApart() throws {
    let names = sites.map { PublishedAllocation.name(of: $0.parameter.site) }
    #expect(Set(names).count == names.count)
    for name in [
      "blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.2.attn.q.weight", "blocks.2.attn.k.bias",
      "blocks.1.attn.proj.weight", "blocks.1.norm2.bias", "blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc2.bias",
      "norm.weight", "norm.bias",
    ] { #expect(names.contains(name), "\(name)") }
  }

  /// Modules, vectors and entries stand where the file has them; entries of norms count and are not trained.
  @Test func anAllocationIsReadWhereItsNamesSay() throws {
    var pickle = AllocationPickle(blocks: 3)
    pickle.matrices[0][0] = 1
    pickle.matrices[2][5] = 1
    pickle.vectors = ["blocks.1.norm1.weight", "blocks.0.attn.v.bias"]
    pickle.entries = [
      "blocks.0.norm1.bias": [2], "blocks.0.attn.k.weight": [0, 65, 4095], "blocks.2.mlp.fc1.bias": [255],
      "norm.bias": [1],
    ]
    let path = try write(pickle)
    let budget = try completed(path, budget())
    // 8 · (64 + 64) + 8 · (256 + 64), 64 + 64, 6 entries, 64 of the class token.
    #expect(budget.parameters == 1024 + 2560 + 128 + 6 + 64)
    let choice = try AllocationFile(path).choice(of: budget, sites, classToken: 64)
    let names = sites.map(\.parameter.site.name)
    #expect(
      choice.allocation.modules.map { names[$0] } == ["vision.blocks.0.attention.query", "vision.blocks.2.mlp.down"])
    #expect(
      choice.allocation.vectors.map { names[$0] } == [
        "vision.blocks.0.attention.value.bias", "vision.blocks.1.attentionNorm.scale",
      ])
    let found = zip(names, choice.positions).filter { !$1.isEmpty }
    #expect(
      Dictionary(uniqueKeysWithValues: found.map { ($0, $1) }) == [
        "vision.blocks.0.attentionNorm.shift": [2], "vision.blocks.0.attention.key": [0, 65, 4095],
        "vision.blocks.2.mlp.up.bias": [255], "vision.postNorm.shift": [1],
      ])
    let tuning = SensitivityTuning(budget.rules, .official, branch: BranchSettings.Branch())
    let designs = tuning.designs(of: tower, sites, choice.allocation, choice.positions)
    let sparse = designs.compactMap { if case .sparse(let parameter, _) = $0 { parameter.site.name } else { nil } }
    #expect(sparse == ["vision.blocks.0.attention.key", "vision.blocks.2.mlp.up.bias"])
  }

  /// The authors' script of SPT-Adapter trains adapters where an allocation for LoRA has modules.
  @Test func anAllocationForLoRAMayBeTrainedWithAdapters() throws {
    var pickle = AllocationPickle(blocks: 3)
    pickle.matrices[1][4] = 1
    let path = try write(pickle)
    #expect(try completed(path, budget()).parameters == 8 * (64 + 256) + 64)
    #expect(try completed(path, budget(.adapter)).parameters == 2 * 256 * 8 + 8 + 256 + 64)
  }

  /// The order of the tensors is the file's own: indices count in it.
  @Test func theOrderIsThatOfTheFile() throws {
    var pickle = AllocationPickle(blocks: 3)
    pickle.entries = ["norm.bias": [3], "blocks.0.norm1.weight": [7]]
    pickle.isReversed = true
    let path = try write(pickle)
    let choice = try AllocationFile(path).choice(of: try completed(path, budget()), sites, classToken: 64)
    let names = sites.map(\.parameter.site.name)
    let found = zip(names, choice.positions).filter { !$1.isEmpty }
    #expect(
      Dictionary(uniqueKeysWithValues: found.map { ($0, $1) }) == [
        "vision.blocks.0.attentionNorm.scale": [7], "vision.postNorm.shift": [3],
      ])
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let change: @Sendable (inout AllocationPickle) -> Void

    init(_ name: String, _ text: String, change: @escaping @Sendable (inout AllocationPickle) -> Void) {
      (testDescription, self.text, self.change) = (name, text, change)
    }
  }

  @Test(arguments: [
    Bad("blocks", "expected tuned_matrices of the model's 3 blocks, found 12") { $0 = AllocationPickle(blocks: 12) },
    Bad("an operation", "expected tuned_matrices as six zeros and ones for each block, found a list of 3") {
      $0.matrices[1] = [0, 0, 0, 0, 0, 2]
    },
    Bad("five operations", "expected tuned_matrices as six zeros and ones for each block, found a list of 3") {
      $0.matrices[1] = [0, 0, 0, 0, 0]
    },
    Bad("a vector", "expected tuned_vectors of norms and biases of the model, found \"blocks.9.norm1.bias\"") {
      $0.vectors = ["blocks.9.norm1.bias"]
    },
    Bad(
      "a matrix as a vector",
      "expected tuned_vectors of norms and biases of the model, found \"blocks.0.attn.q.weight\""
    ) {
      $0.vectors = ["blocks.0.attn.q.weight"]
    },
    Bad("a vector twice", "expected each vector once, found \"norm.bias\" twice") {
      $0.vectors = ["norm.bias", "norm.bias"]
    },
    Bad("a shape", "expected \"blocks.0.attn.k.weight\" of shape [64, 64], found [64, 63]") {
      $0.shapes = ["blocks.0.attn.k.weight": [64, 63]]
    },
    Bad("an unknown tensor", "expected shapes of tensors that are ranked, found \"pos_embed\"") {
      $0.more = ["pos_embed"]
    },
    Bad("a tensor that is tuned whole", "expected each tensor once, found \"norm.bias\" twice") {
      $0.vectors = ["norm.bias"]
      $0.more = ["norm.bias"]
    },
    Bad("an index", "expected unstructured_indexes below") { $0.indices = [1_000_000] },
    Bad("a negative index", "expected ascending unstructured_indexes, found -1") { $0.indices = [-1] },
    Bad("equal indices", "expected ascending unstructured_indexes, found 5") { $0.indices = [5, 5] },
    Bad("the rank", "expected structured_params 64, with modules of rank 8, found 999") { $0.structured = 999 },
    Bad("no indices", "expected an allocation with \"unstructured_indexes\", found none of that name") {
      $0.omitted = "unstructured_indexes"
    },
    Bad("no matrices", "expected an allocation with \"tuned_matrices\", found none of that name") {
      $0.omitted = "tuned_matrices"
    },
  ])
  func whatFitsNoModelIsRefused(_ bad: Bad) throws {
    var pickle = AllocationPickle(blocks: 3)
    if bad.testDescription == "the rank" { pickle.vectors = ["norm.weight"] }
    bad.change(&pickle)
    let path = try write(pickle)
    let error = try #require(throws: AllocationError.self) { try completed(path, budget()) }
    #expect(error.description.contains("param_req_0.4.pth: \(bad.text)"), "\(error)")
  }

  @Test func aFileOfOneAllocationHasItsOwnBudget() throws {
    let path = try write(AllocationPickle(blocks: 3))
    let error = try #require(throws: SettingError.self) { try completed(path, budget(), [3000]) }
    #expect(
      error.setting == "budget" && error.found == "3000" && error.expected.hasSuffix("which holds one allocation"))
  }

  @Test func otherFilesAreNoAllocations() throws {
    let path = try folder.write(Array("not json".utf8), to: "allocations.json").path
    #expect(throws: AllocationError.self) { try AllocationFile(path) }
    let torch = try folder.write(PickleBuilder().integer(1).archive().file, to: "a.pth").path
    #expect(throws: WeightFileError.self) { try AllocationFile(torch) }
    #expect(throws: FileError.self) { try AllocationFile(folder.url.appendingPathComponent("none.json").path) }
  }
}
