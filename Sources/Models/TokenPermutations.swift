import Tensor

extension TokenPermutation {
  /// The tokens of a map, row by row, as squares of four neighbours, square after square and each in the given order;
  /// traps unless rows and columns are even.
  static func neighbours(rows: Int, columns: Int, order: [(row: Int, column: Int)]) -> TokenPermutation {
    require(
      rows % 2 == 0 && columns % 2 == 0, "TokenPermutation: expected an even map, found \(rows) · \(columns)")
    return TokenPermutation(
      (0..<rows / 2).flatMap { row in
        (0..<columns / 2).flatMap { column in
          order.map { (2 * row + $0.row) * columns + 2 * column + $0.column }
        }
      })
  }

  /// The tokens of a square map, row by row, as windows, window after window and each row by row, after the map was
  /// rolled by `shift` tokens to the upper left (Liu et al. 2021, figure 4); traps unless the window divides the side.
  static func windows(of window: Int, side: Int, shift: Int) -> TokenPermutation {
    require(side % window == 0, "TokenPermutation: expected a window that divides \(side), found \(window)")
    return TokenPermutation(
      windowCoordinates(of: window, side: side).map { ($0.row + shift) % side * side + ($0.column + shift) % side })
  }

  /// The parts of a rolled map whose tokens were neighbours before: tokens rolled over an edge form another part.
  static func parts(of window: Int, side: Int, shift: Int) -> [Int32] {
    func part(_ coordinate: Int) -> Int { coordinate < side - window ? 0 : coordinate < side - shift ? 1 : 2 }
    return windowCoordinates(of: window, side: side).map { Int32(3 * part($0.row) + part($0.column)) }
  }

  private static func windowCoordinates(of window: Int, side: Int) -> [(row: Int, column: Int)] {
    (0..<side * side).map { token in
      let (index, inside) = token.quotientAndRemainder(dividingBy: window * window)
      let (row, column) = index.quotientAndRemainder(dividingBy: side / window)
      return (row * window + inside / window, column * window + inside % window)
    }
  }
}
