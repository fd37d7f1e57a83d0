import Tensor

/// The resampling of patch positions to another image size: as `torch.nn.functional.interpolate` with
/// `align_corners=False` does it.
public struct PositionResampling: Sendable, Equatable, CustomStringConvertible {
  /// The kernel.
  public enum Filter: String, Sendable, CaseIterable {
    /// 1 − |x| on two positions.
    case bilinear
    /// Keys' cubic on four positions (Keys 1981, eq. 4), a = −½ with antialiasing and −¾ without, as in PyTorch.
    case bicubic
  }

  /// The kernel.
  public let filter: Filter
  /// True if the kernel is widened when positions become fewer (antialiasing).
  public let isAntialiased: Bool

  /// A kernel, with or without antialiasing.
  public init(_ filter: Filter, isAntialiased: Bool) { (self.filter, self.isAntialiased) = (filter, isAntialiased) }

  /// `bicubic, antialiased`
  public var description: String { filter.rawValue + (isAntialiased ? ", antialiased" : "") }

  /// The default of timm.
  public static let timm = PositionResampling(.bicubic, isAntialiased: true)
  /// What PyTorch does by default: the code of papers that resize positions without timm.
  public static let plainBicubic = PositionResampling(.bicubic, isAntialiased: false)

  /// Positions of a grid of patches, resized to another grid; the first few, those of a class token, stay as they are.
  ///
  /// - positions: [prefix + rows · columns, width]; result: [prefix + newRows · newColumns, width].
  package func resized(
    _ positions: Tensor, prefix: Int, from grid: (rows: Int, columns: Int), to newGrid: (rows: Int, columns: Int)
  ) -> Tensor {
    let width = positions.shape.width
    require(
      positions.shape == [prefix + grid.rows * grid.columns, width],
      "PositionResampling: expected \(prefix) and \(grid.rows) · \(grid.columns) positions, found \(positions.shape)")
    guard grid != newGrid else { return positions }
    let (rowTaps, columnTaps) = (taps(from: grid.rows, to: newGrid.rows), taps(from: grid.columns, to: newGrid.columns))
    return Tensor.read(positions) { from in
      Tensor([prefix + newGrid.rows * newGrid.columns, width]) { into in
        into.update(from: from, count: prefix * width)
        let patches = from + prefix * width
        for (row, vertical) in rowTaps.enumerated() {
          for (column, horizontal) in columnTaps.enumerated() {
            let into = into + (prefix + row * newGrid.columns + column) * width
            for channel in 0..<width {
              var sum = 0.0
              for (y, down) in vertical {
                for (x, across) in horizontal {
                  sum += down * across * Double(patches[(y * grid.columns + x) * width + channel])
                }
              }
              into[channel] = Real(sum)
            }
          }
        }
      }
    }
  }

  /// For every new position along one side, the old ones it is made of, with their weights.
  private func taps(from count: Int, to newCount: Int) -> [[(index: Int, weight: Double)]] {
    let scale = Double(count) / Double(newCount)
    return (0..<newCount).map { index in
      let centre = scale * (Double(index) + 0.5)
      return isAntialiased && scale != 1 ? blurred(centre, scale, count) : interpolated(centre - 0.5, count)
    }
  }

  /// Positions outside have the value of the border.
  private func interpolated(_ centre: Double, _ count: Int) -> [(index: Int, weight: Double)] {
    // Bilinear clamps the centre too, with the same result.
    let reach = filter == .bilinear ? 0...1 : -1...2
    let first = Int(centre.rounded(.down))
    return reach.map { offset in
      (min(max(first + offset, 0), count - 1), weight(centre - Double(first + offset), a: -0.75))
    }
  }

  /// Positions outside do not count: the remaining weights are scaled to a sum of 1.
  private func blurred(_ centre: Double, _ scale: Double, _ count: Int) -> [(index: Int, weight: Double)] {
    let stretch = max(scale, 1)
    let support = (filter == .bilinear ? 1 : 2) * stretch
    let (first, end) = (max(Int(centre - support + 0.5), 0), min(Int(centre + support + 0.5), count))
    let weights = (first..<end).map { weight((Double($0) - centre + 0.5) / stretch, a: -0.5) }
    let total = weights.reduce(0, +)
    return zip(first..<end, weights).map { ($0, $1 / total) }
  }

  private func weight(_ distance: Double, a: Double) -> Double {
    let x = abs(distance)
    switch filter {
    case .bilinear: return max(0, 1 - x)
    case .bicubic:
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
  }
}
