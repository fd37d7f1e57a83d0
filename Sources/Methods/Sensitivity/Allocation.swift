import Models
import Tensor

/// The weights that are tuned under a budget, and their form (SPT (f) to (h)).
///
/// The τ most sensitive entries of all ranked tensors are selected. A tensor that holds many of them is tuned in a
/// structured way: a matrix by a module if n ≥ cost/α, a vector whole if n ≥ length/β. In the others the entries
/// themselves are tuned.
public struct Allocation: Sendable, Equatable {
  /// τ
  public let threshold: Int
  /// The indices of the matrices with a module in the list of sites.
  public let modules: [Int]
  /// The indices of the vectors that are tuned whole.
  public let vectors: [Int]
  /// The number of entries tuned singly, one count per site.
  public let entries: [Int]
  /// The trainable parameters of modules and vectors.
  public let structured: Int
  /// The parameters of the class token.
  public let classToken: Int

  /// The number of entries tuned singly, at all sites.
  public var unstructured: Int { entries.reduce(0, +) }

  /// The parameters that count against the budget: all but the head.
  public var total: Int { unstructured + structured + classToken }

  /// The parameters that a run trains besides the head: the total without the entries that are counted only (SPT (k)).
  ///
  /// - sites: those of the counts, in their order.
  package func trained(_ sites: [SensitivitySite], _ fidelity: Fidelity) -> Int {
    total - zip(sites, entries).reduce(0) { $0 + ($1.0.trainsEntries(fidelity) ? 0 : $1.1) }
  }

  /// The rules that turn counts into an allocation.
  public struct Rules: Sendable, Codable, Equatable {
    /// The module of a matrix with enough selected entries.
    public var form: StructuredForm
    /// r of the modules.
    public var rank = 8
    /// α: a matrix with at least cost/α entries gets a module.
    public var alpha = 10.0
    /// β: a vector with at least length/β entries is tuned whole.
    public var beta = 5.0
    /// The kinds of tuning that take part.
    public var structure = Structure.both
    /// True if vectors may be tuned whole.
    public var tunesVectors = true

    /// The published rules for a form.
    public init(form: StructuredForm) { self.form = form }
  }

  /// The kinds of tuning that take part.
  public enum Structure: String, Sendable, Codable, CaseIterable {
    /// Modules, whole vectors, and entries.
    case both
    /// Modules and whole vectors; entries elsewhere are dropped.
    case structuredOnly = "structured-only"
    /// Only entries, however many.
    case unstructuredOnly = "unstructured-only"
  }

  /// The allocation of a τ, by the number of selected entries in each site.
  public init(
    threshold: Int, counts: [Int], kinds: [SensitivitySite.Kind], classToken: Int, _ rules: Rules
  ) {
    require(counts.count == kinds.count, "Allocation: expected \(kinds.count) counts, found \(counts.count)")
    var (modules, vectors, structured) = ([Int](), [Int](), 0)
    var entries = counts
    for (position, kind) in kinds.enumerated() where rules.structure != .unstructuredOnly {
      let count = Double(counts[position])
      switch kind {
      case .vector(let length):
        guard rules.tunesVectors, count >= Double(length) / rules.beta else { break }
        vectors.append(position)
        structured += length
        entries[position] = 0
        continue
      case .matrix(let out, let width):
        let cost = rules.form.cost(out: out, in: width, rank: rules.rank)
        guard count >= Double(cost) / rules.alpha else { break }
        modules.append(position)
        structured += cost
        entries[position] = 0
        continue
      }
      if rules.structure == .structuredOnly { entries[position] = 0 }
    }
    (self.threshold, self.modules, self.vectors, self.entries) = (threshold, modules, vectors, entries)
    (self.structured, self.classToken) = (structured, classToken)
  }

  /// An allocation as published; its total is recomputed.
  public init(
    threshold: Int, modules: [Int], vectors: [Int], entries: [Int], kinds: [SensitivitySite.Kind], classToken: Int,
    _ rules: Rules
  ) {
    (self.threshold, self.modules, self.vectors, self.entries) = (threshold, modules, vectors, entries)
    self.classToken = classToken
    structured = (modules + vectors).reduce(0) { sum, position in
      switch kinds[position] {
      case .vector(let length): sum + length
      case .matrix(let out, let width): sum + rules.form.cost(out: out, in: width, rank: rules.rank)
      }
    }
  }
}

/// Allocations for ascending τ, of which a budget selects the nearest (SPT (e)).
///
/// The τ + 1 largest entries contain the τ largest, so from one τ to the next counts only grow: each rank is counted
/// once in the whole sweep, which takes time linear in the longest τ and not 79 times as much.
package struct AllocationSweep: Sendable {
  /// The allocations by ascending τ.
  package let allocations: [Allocation]

  /// The τ of the released code: ⌈0.02 j · unit⌉ for j = 1 … 79, multiplied in floating point as it does.
  package static func thresholds(unit: Double = 1e6) -> [Int] {
    (1...79).map { Int(((Double($0) * 0.02) * unit).rounded(.up)) }
  }

  /// The allocations of all τ from one ranking; those beyond its end use all of it.
  package init(
    _ ranking: Ranking, thresholds: [Int], kinds: [SensitivitySite.Kind], classToken: Int, _ rules: Allocation.Rules
  ) {
    var (counts, rank) = ([Int](repeating: 0, count: kinds.count), 0)
    allocations = thresholds.map { threshold in
      let end = max(rank, min(threshold, ranking.count))
      ranking.tensors.withUnsafeBufferPointer { tensors in
        for index in rank..<end { counts[Int(tensors[index])] += 1 }
      }
      rank = end
      return Allocation(threshold: threshold, counts: counts, kinds: kinds, classToken: classToken, rules)
    }
  }

  /// The allocation whose total is nearest to a budget, the last of several; `nil` if the budget is nearer to 0 than to
  /// any total.
  ///
  /// - budget: in units, as the released code compares: |total / unit − budget|.
  package func nearest(to budget: Double, unit: Double = 1e6) -> Allocation? {
    var (best, total) = (nil as Allocation?, 0.0)
    for allocation in allocations {
      let own = Double(allocation.total) / unit
      if abs(own - budget) <= abs(total - budget) { (best, total) = (allocation, own) }
    }
    return best
  }
}
