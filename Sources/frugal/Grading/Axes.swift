/// Elements in row-major order under permuted or moved axes.
enum Axes {
  /// What enters at the edge when elements move along an axis.
  enum Edge: CaseIterable {
    case wrapped, repeated, zero
  }

  /// All orders of up to four axes but their own, the exchange of the last two first.
  static func permutations(of count: Int) -> [[Int]] {
    guard (2...4).contains(count) else { return [] }
    func orders(_ rest: [Int]) -> [[Int]] {
      rest.isEmpty ? [[]] : rest.flatMap { axis in orders(rest.filter { $0 != axis }).map { [axis] + $0 } }
    }
    let own = Array(0..<count)
    return orders(own).filter { $0 != own }
  }

  /// `axes 0 and 1 are exchanged`, or the whole order.
  static func text(_ order: [Int]) -> String {
    let moved = order.indices.filter { order[$0] != $0 }
    return moved.count == 2 ? "axes \(moved[0]) and \(moved[1]) are exchanged" : "axes are in the order \(order)"
  }

  /// The elements whose axis k is the former axis order[k].
  static func permuted(_ values: [Double], _ shape: [Int], by order: [Int]) -> [Double] {
    guard !values.isEmpty else { return [] }
    let strides = Self.strides(shape)
    var indices = [Int](repeating: 0, count: shape.count)
    let extents = order.map { shape[$0] }
    return values.indices.map { _ in
      let position = zip(order, indices).reduce(0) { $0 + strides[$1.0] * $1.1 }
      for axis in indices.indices.reversed() {
        indices[axis] += 1
        if indices[axis] < extents[axis] { break }
        indices[axis] = 0
      }
      return values[position]
    }
  }

  /// Elements one further along an axis, or one back.
  static func moved(_ values: [Double], _ shape: [Int], axis: Int, by step: Int, edge: Edge) -> [Double] {
    let (length, inner) = (shape[axis], strides(shape)[axis])
    return values.indices.map { position in
      let index = position / inner % length
      let from = index - step
      if (0..<length).contains(from) { return values[position - step * inner] }
      switch edge {
      case .wrapped: return values[position + ((from + length) % length - index) * inner]
      case .repeated: return values[position]
      case .zero: return 0
      }
    }
  }

  /// The index of an element by axis.
  static func index(of position: Int, in shape: [Int]) -> [Int] {
    zip(strides(shape), shape).map { position / $0 % max($1, 1) }
  }

  private static func strides(_ shape: [Int]) -> [Int] {
    var (strides, stride) = ([Int](), 1)
    for extent in shape.reversed() {
      strides.insert(stride, at: 0)
      stride *= max(extent, 1)
    }
    return strides
  }
}
