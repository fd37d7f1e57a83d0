import Models

/// What branches drop in training, and where they start: settings of methods with branches.
public struct BranchSettings: MethodSettings {
  /// The branch.
  public var branch: Branch

  /// A branch.
  public init(_ branch: Branch) { self.branch = branch }

  /// The branch's own.
  public static let keys = ["branch"]

  /// A value that no branch can have: key, expected and found.
  public var problem: String? { branch.problem }

  /// Rank, dropout and start of the branches at sites.
  public struct Branch: Sendable, Codable, Equatable {
    /// The rank of the branch: the width between its two maps.
    public var rank: Int
    /// The probability that an element of the input of a branch is dropped.
    public var dropout: Double
    /// The probability that a sample skips a branch.
    public var dropPath: Double
    /// The initial values of a branch's tensors.
    public var start: BranchDesign.Start

    /// A branch of rank 8 with dropout, unless told otherwise.
    public init(rank: Int = 8, dropout: Double = 0.1, dropPath: Double = 0.1, start: BranchDesign.Start = .normal) {
      (self.rank, self.dropout, self.dropPath, self.start) = (rank, dropout, dropPath, start)
    }

    var problem: String? {
      if rank < 1 || rank > 4096 { return "branch.rank: expected 1 to 4096, found \(rank)" }
      for (key, value) in [("dropout", dropout), ("dropPath", dropPath)] where !(0...1 ~= value) {
        return "branch.\(key): expected 0 to 1, found \(value)"
      }
      return nil
    }
  }

  /// The options of every method with branches.
  ///
  /// - rank: what else the rank changes.
  static func options(rank: @escaping @Sendable (inout Recipe, Int) -> Void = { _, _ in }) -> [MethodOption] {
    [
      MethodOption(
        "rank", "N", .integer(1...4096), "rank of the branches (default 8; adaptformer 64; fact-tt, fact-tk 16)"
      ) {
        $0[BranchSettings.self]?.branch.rank = $1.integer
        rank(&$0, $1.integer)
      },
      MethodOption(
        "dropout", "X", .number(0...0.99), "dropout at the input of branches (default 0.1; adapter 0)"
      ) { $0[BranchSettings.self]?.branch.dropout = $1.number },
      MethodOption(
        "drop-path", "X", .number(0...0.99),
        "share of samples that skip a branch (default 0.1; lora, adapter 0)"
      ) { $0[BranchSettings.self]?.branch.dropPath = $1.number },
      MethodOption(
        "branch-init", "normal|zero-up", .choice(BranchDesign.Start.allCases.map(\.rawValue)),
        "where branches start (default by method, and by whether code or paper is followed)"
      ) {
        $0[BranchSettings.self]?.branch.start = BranchDesign.Start(rawValue: $1.word) ?? .normal
      },
    ]
  }
}
