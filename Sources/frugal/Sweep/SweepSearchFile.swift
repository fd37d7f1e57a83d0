import Methods

/// The JSON of a plan's search.
struct SweepSearchFile: Decodable {
  typealias Grid = [String: [ConfigFile.Value]]

  /// Values of flags that every method tries in all combinations.
  var grid: Grid
  /// Values instead of those, by method; an empty list leaves the flag to the method's row.
  var methods: [String: Grid]
  /// Names of the datasets to judge by; `nil` for all of the plan.
  var data: [String]?
  var shots: [SweepFile.Shots]?
  var seeds: [Int]?
  /// Whether methods may have different numbers of candidates.
  var isUnequal: Bool

  private static let keys = ["grid", "methods", "data", "shots", "seeds", "unequal"]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: SweepFile.Key.self)
    func key(_ name: String) -> SweepFile.Key { SweepFile.Key(stringValue: name) }
    do throws(RunError) { try SweepFile.check(container, Self.keys) } catch { throw RunError("search: \(error)") }
    grid = try container.decodeIfPresent(Grid.self, forKey: key("grid")) ?? [:]
    methods = try container.decodeIfPresent([String: Grid].self, forKey: key("methods")) ?? [:]
    data = try container.decodeIfPresent([String].self, forKey: key("data"))
    shots = try container.decodeIfPresent([SweepFile.Shots].self, forKey: key("shots"))
    seeds = try container.decodeIfPresent([Int].self, forKey: key("seeds"))
    isUnequal = try container.decodeIfPresent(Bool.self, forKey: key("unequal")) ?? false
  }
}
