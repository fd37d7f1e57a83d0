import Datasets
import Foundation
import Methods

/// What the runs of a sweep that are not finished will take together.
///
/// Runs that differ in their seed only cost the same, and the parts of a run are measured once for all with the same
/// method, model, settings and number of classes.
struct SweepCost {
  /// One row per method.
  private(set) var rows: [CostTable.Row] = []
  /// All runs.
  private(set) var total = WorkCost()
  /// What the cache saves of that, already subtracted.
  private(set) var spared = WorkCost()
  /// The largest memory of a run, and the disk of all.
  private(set) var memoryBytes = 0, diskBytes = 0
  /// What the cache will hold.
  private(set) var images = 0, cacheBytes = 0
  /// The core time of the longest run.
  private var longest = 0.0

  /// - cells: the runs; isCaching: whether they keep features for each other.
  init(_ cells: [SweepCell], isCaching: Bool, writing: Double) throws {
    let line = ProgressLine()
    var rehearsals: [String: Rehearsal] = [:]
    var others: [String: Int] = [:]
    var known: Set<[String]> = []
    var byMethod: [(name: String, count: Int, cost: WorkCost)] = []
    let groups = Self.groups(cells)
    for (index, group) in groups.enumerated() {
      line.show("\(group.cell.name)", index, of: groups.count)
      let run = try TuneFlags.new(group.cell.arguments)
      let key = try run.rehearsalKey
      let rehearsal = try rehearsals[key] ?? Rehearsal(run)
      rehearsals[key] = rehearsal
      let transfer = try group.cell.transfer.map { path in
        let count = try others[path] ?? ImageFolder(contentsOf: URL(fileURLWithPath: path)).test.count
        others[path] = count
        return count
      }
      let plan = RunPlan(run, rehearsal, isCaching: isCaching, writing: writing, transfer: transfer)
      let place = [run.configuration.model.sha256, group.cell.dataset]
      let isFirst = known.insert(place).inserted
      let saved = isCaching ? Double(group.count - (isFirst ? 1 : 0)) * plan.shared : WorkCost()
      let cost = Double(group.count) * plan.cost - saved
      (total, spared) = (total + cost, spared + saved)
      memoryBytes = max(memoryBytes, plan.memoryBytes)
      diskBytes += group.count * plan.diskBytes
      longest = max(longest, plan.cost.coreSeconds)
      let own = plan.cacheable.images - plan.sharedImages
      let kept = group.count * own + (isFirst ? plan.sharedImages : 0)
      images += kept
      cacheBytes += plan.cacheable.images > 0 ? plan.cacheable.bytes / plan.cacheable.images * kept : 0
      if let row = byMethod.firstIndex(where: { $0.name == group.cell.method }) {
        byMethod[row].count += group.count
        byMethod[row].cost = byMethod[row].cost + cost
      } else {
        byMethod.append((group.cell.method, group.count, cost))
      }
    }
    line.finish()
    rows = byMethod.map { CostTable.Row($0.name, $0.count, $0.cost) }
  }

  /// The seconds on some cores, where each run gets a core per thread: the mean load of a core, and no less than the
  /// longest run.
  func seconds(on cores: Int, threads: Int) -> Double {
    let runs = max(1, cores / threads)
    return max(total.coreSeconds / Double(runs * threads), longest / Double(threads))
  }

  /// Runs that differ in their seed only, and their number.
  private static func groups(_ cells: [SweepCell]) -> [(cell: SweepCell, count: Int)] {
    var (groups, index) = ([(cell: SweepCell, count: Int)](), [[String?]: Int]())
    for cell in cells {
      let key = [cell.dataset, cell.method, cell.shots]
      if let known = index[key] {
        groups[known].count += 1
      } else {
        index[key] = groups.count
        groups.append((cell, 1))
      }
    }
    return groups
  }
}
