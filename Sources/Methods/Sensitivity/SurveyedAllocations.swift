import Formats
import Foundation
import Models
import Tensor

/// The allocations of a survey, `allocations.json`, and the scores that they came from, `sensitivity.safetensors` in
/// the same folder.
///
/// The first says how many entries of each tensor are tuned; the scores say which: the τ largest.
struct SurveyedAllocations {
  /// SHA-256 of both files.
  let sha256: String
  /// SHA-256 of the model's weights.
  let model: String
  private let file: String
  private let scores: SafeTensorsFile
  private let rules: [Allocation.Rules]
  private let allocations: [Entry]

  /// The keys that are read.
  private struct Document: Decodable {
    let model: String
    let rules: [Allocation.Rules]
    let allocations: [Entry]
  }

  private struct Entry: Decodable {
    let budget: Int
    let form: StructuredForm
    let threshold: Int
    let modules: [String]
    let vectors: [String]
    let entries: [String: Int]

    /// True if an allocation of sites with these names is this one.
    func says(_ allocation: Allocation, _ names: [String]) -> Bool {
      let single = zip(names, allocation.entries).filter { $1 > 0 }.map { ($0, $1) }
      return modules == allocation.modules.map { names[$0] } && vectors == allocation.vectors.map { names[$0] }
        && entries == Dictionary(uniqueKeysWithValues: single)
    }
  }

  init(_ url: URL) throws {
    let bytes = try MappedFile.bytes(of: url)
    let found: Document
    do { found = try JSON.decoded(Document.self, from: bytes) } catch {
      throw AllocationError(url.shown, expected: "the allocations of a survey", found: "other JSON (\(error))")
    }
    scores = try SafeTensorsFile(
      contentsOf: url.deletingLastPathComponent().appendingPathComponent("sensitivity.safetensors"))
    (file, model, rules, allocations) = (url.shown, found.model, found.rules, found.allocations)
    var hash = SHA256()
    hash.update(bytes)
    hash.update(Array(scores.sha256.description.utf8))
    sha256 = hash.digest.description
  }

  /// The budgets whose allocations are there, ascending.
  func budgets(_ form: StructuredForm) -> [Int] { allocations.filter { $0.form == form }.map(\.budget).sorted() }

  /// The rules of the allocations with modules of a form.
  func rules(_ form: StructuredForm) throws(AllocationError) -> Allocation.Rules {
    guard let rules = rules.first(where: { $0.form == form }) else {
      throw AllocationError(file, expected: "rules of \(form.rawValue)", found: "none")
    }
    return rules
  }

  /// The allocation of a budget.
  func choice(_ budget: Budget, _ sites: [SensitivitySite], classToken: Int) throws -> AllocationFile.Choice {
    let form = budget.rules.form
    guard let entry = allocations.first(where: { $0.budget == budget.parameters && $0.form == form }) else {
      throw AllocationError(
        file, expected: "an allocation of \(budget.parameters) with \(form.rawValue)", found: "none")
    }
    let scores: [Tensor] = try sites.map { site in
      let (name, shape) = (site.parameter.site.name, site.parameter.value.shape)
      let tensor = try self.scores.tensor(name)
      guard tensor.shape == shape else {
        throw AllocationError(self.scores.file, expected: "\"\(name)\" of shape \(shape)", found: "\(tensor.shape)")
      }
      return tensor
    }
    let count = sites.reduce(0) { $0 + $1.count }
    guard entry.threshold >= 0 else {
      throw AllocationError(file, expected: "thresholds of 0 or more", found: "\(entry.threshold)")
    }
    let ranking = Ranking(of: scores, largest: min(entry.threshold, count))
    let positions = ranking.positions(first: entry.threshold, of: sites.count)
    let names = sites.map(\.parameter.site.name)
    // That of a published sweep, and of any in files of older versions; or that which fills its budget.
    let candidates = [
      Allocation(
        threshold: entry.threshold, counts: positions.map(\.count), kinds: sites.map(\.kind), classToken: classToken,
        budget.rules),
      FilledBudget(entry.budget, ranking, sites, classToken: classToken, budget.rules, .official).allocation,
    ]
    guard let allocation = candidates.first(where: { entry.says($0, names) }) else {
      throw AllocationError(
        file, expected: "the allocation of \(budget.parameters) that \(self.scores.file) gives", found: "another")
    }
    return AllocationFile.Choice(allocation: allocation, positions: positions)
  }
}
