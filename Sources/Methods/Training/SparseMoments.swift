import Tensor

/// The moments of a few entries of a matrix, which may be several tensors below each other.
struct SparseMoments: Sendable {
  /// The tensors of the matrix.
  let slots: Range<Int>
  /// The number of its entries.
  let count: Int
  /// k
  let kept: Int
  private let name: String
  /// The entries before each of its tensors.
  private let starts: [Int]
  private let width: Int
  /// S, ascending.
  private var support: [Int] = []
  /// m and v
  private var first: [Real] = []
  private var second: [Real] = []

  /// The factors of a step, rounded to `Real`.
  struct Factors {
    let keep1, take1, keep2, take2, rate, root, epsilon: Real
    var decay: Real = 0
  }

  /// One for every group of slots, which stand one after another, and for every other slot.
  static func all(_ slots: [ParameterSlot], density: Double) -> [SparseMoments] {
    var matrices: [SparseMoments] = []
    var begin = 0
    while begin < slots.count {
      var end = begin + 1
      while end < slots.count, let group = slots[begin].group, slots[end].group == group { end += 1 }
      matrices.append(SparseMoments(slots, begin..<end, density: density))
      begin = end
    }
    return matrices
  }

  private init(_ all: [ParameterSlot], _ slots: Range<Int>, density: Double) {
    self.slots = slots
    name = all[slots.lowerBound].group ?? all[slots.lowerBound].name
    var (starts, count) = ([Int](), 0)
    for slot in all[slots] {
      starts.append(count)
      count += slot.shape.count
    }
    (self.starts, self.count) = (starts, count)
    kept = min(count, max(1, Int(density * Double(count))))
    let shape = all[slots.lowerBound].shape
    width = shape.rank > 1 ? max(1, shape.count / max(1, shape[0])) : 1
  }

  private var supportName: String { "\(name).support" }
  private var firstName: String { "\(name).first-moment" }
  private var secondName: String { "\(name).second-moment" }

  /// Entries by row and column, each of which `Float` holds exactly, and their moments.
  var state: [String: Tensor] {
    let places = support.isEmpty ? Array(repeating: 0, count: kept) : support
    func padded(_ values: [Real]) -> Tensor {
      Tensor([kept], values.isEmpty ? Array(repeating: 0, count: kept) : values)
    }
    return [
      supportName: Tensor([kept, 2], places.flatMap { [Real($0 / width), Real($0 % width)] }),
      firstName: padded(first), secondName: padded(second),
    ]
  }

  /// Takes over a state of the right names and shapes.
  mutating func restore(_ state: [String: Tensor], isEmpty: Bool) throws(OptimizerError) {
    (support, first, second) = ([], [], [])
    guard !isEmpty, let places = state[supportName], let m = state[firstName], let v = state[secondName] else { return }
    let numbers = places.values.compactMap { Int(exactly: $0) }
    guard numbers.count == 2 * kept else { throw .support(name: supportName) }
    let found = (0..<kept).map { (row: numbers[2 * $0], column: numbers[2 * $0 + 1]) }
    let rows = (count + width - 1) / width
    guard found.allSatisfy({ 0..<rows ~= $0.row && 0..<width ~= $0.column }) else { throw .support(name: supportName) }
    let indices = found.map { $0.row * width + $0.column }
    guard zip(indices, indices.dropFirst()).allSatisfy({ $0 < $1 }), indices.last ?? 0 < max(1, count) else {
      throw .support(name: supportName)
    }
    (support, first, second) = (indices, m.values, v.values)
  }

  /// A step with gradients at `drawn`, ascending indices.
  mutating func step(_ drawn: [Int], _ f: Factors, parameters: inout [Tensor], gradients: [Tensor]) {
    require(drawn.count == kept, "SparseAdam: \(name): expected \(kept) entries, found \(drawn.count)")
    var union: [(index: Int, first: Real, second: Real)] = []
    union.reserveCapacity(support.count + drawn.count)
    var (old, new, slot) = (0, 0, 0)
    while old < support.count || new < drawn.count {
      let index = min(old < support.count ? support[old] : .max, new < drawn.count ? drawn[new] : .max)
      while slot + 1 < starts.count, index >= starts[slot + 1] { slot += 1 }
      let (tensor, position) = (slots.lowerBound + slot, index - starts[slot])
      // Products are rounded before they are added, as Adam's are.
      var (m, v): (Real, Real) = (0, 0)
      if old < support.count, support[old] == index {
        (m, v) = (f.keep1 * first[old], f.keep2 * second[old])
        old += 1
      }
      parameters[tensor].write { theta in
        if new < drawn.count, drawn[new] == index {
          let gradient = Tensor.read(gradients[tensor]) { $0[position] } + f.decay * theta[position]
          m = m + f.take1 * gradient
          v = v + f.take2 * (gradient * gradient)
          new += 1
        }
        theta[position] = theta[position] - f.rate * (m / (v.squareRoot() * f.root + f.epsilon))
      }
      union.append((index, m, v))
    }
    if union.count > kept {
      union.sort { (abs($0.first), $1.index) > (abs($1.first), $0.index) }
      union.removeLast(union.count - kept)
      union.sort { $0.index < $1.index }
    }
    (support, first, second) = (union.map(\.index), union.map(\.first), union.map(\.second))
  }
}
