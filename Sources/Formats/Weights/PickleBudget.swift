/// The memory that a PyTorch file may take beside the elements of the tensors that are requested: at most
/// 64 MB + 4 × the file, and time in proportion.
///
/// Pickles share values, so that two kilobytes can describe gigabytes. Everything that is made from one is therefore
/// charged before it is made, in bytes and for good: values on the stack at their highest number, entries of the memo,
/// items when a container is made, extended or copied, names each time they are composed. One budget serves a file:
/// interpreter, names and trees all draw from it. Work is in proportion to what is charged, which also bounds time.
///
/// What is charged is the larger part: 32 MB + 2 × the file. The rest is for the mapped file itself and for the slack
/// of arrays that grow.
struct PickleBudget {
  /// The bytes that any file may use, and how many more for each of its bytes.
  static let base = 32 << 20, factor = 2
  /// The maximal number of dimensions of a tensor, NumPy's; PyTorch's operations take no more, either.
  static let rankLimit = 64
  /// The bytes of a value or a pair in a container that is made whole; in one that grows it is twice as much.
  static let item = MemoryLayout<PickleValue>.stride, pair = 2 * item
  /// The bytes of a value on the stack, with the copies that are made from there, and of an entry of the memo, a
  /// dictionary that grows while it is at most three quarters full.
  static let stacked = 6 * item, memoized = 6 * item
  /// The bytes of an array's header and of its entry in the graph.
  static let container = 64

  /// The bytes that a file of this length may use.
  let limit: Int
  private(set) var used = 0

  init(fileSize: Int) { limit = Self.base + Self.factor * min(fileSize, 1 << 60) }

  /// Accounts for bytes that are about to be used.
  mutating func charge(_ bytes: Int) throws(FormatProblem) { try charge(1, of: bytes) }

  /// Accounts for a number of things of one size that are about to be made.
  mutating func charge(_ count: Int, of size: Int) throws(FormatProblem) {
    let (bytes, isLarge) = count.multipliedReportingOverflow(by: size)
    guard !isLarge, bytes <= limit - used else {
      throw FormatProblem(expected: "objects of at most \(limit) bytes in a file of this length", found: "more")
    }
    used += bytes
  }
}
