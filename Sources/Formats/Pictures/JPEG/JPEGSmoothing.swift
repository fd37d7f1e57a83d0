/// Estimates of the coarsest coefficients of an unfinished progressive file, as libjpeg-turbo (2.1 and later) makes
/// them: section K.8 of ITU-T T.81, extended to 5 × 5 blocks.
///
/// A coefficient that is zero and not known to its last bit is estimated from the means of the block and its
/// neighbours, |estimate| = ⌊(|Σ w m| q₀ + 2⁷ q) / 2⁸ q⌋, below the bits that were already sent. Where no other
/// coefficient than the mean was sent, weights of a Gaussian serve, more coefficients are estimated, and the mean is
/// itself smoothed.
struct JPEGSmoothing {
  /// What has been sent of one component: the lowest bit by zigzag position; −1 for none.
  struct Progress {
    var bits = [Int](repeating: -1, count: JPEGSmoothing.positions)
    /// The same before the last scan, for rows that it did not reach.
    var before = [Int](repeating: -1, count: JPEGSmoothing.positions)
  }

  /// The zigzag positions that matter.
  static let positions = 10

  private let component: JPEGComponent
  private let coefficients: UnsafeMutablePointer<Int16>
  private let quantization: [Int16]
  private let progress: Progress
  private let lastGoodRow: Int
  private let unitsDown: Int

  /// - lastGoodRow: the last row of coded units that the last scan reached.
  init(_ component: JPEGComponent, _ progress: Progress, lastGoodRow: Int, unitsDown: Int) {
    (self.component, self.progress) = (component, progress)
    (self.lastGoodRow, self.unitsDown) = (lastGoodRow, unitsDown)
    coefficients = component.coefficients!.base
    quantization = component.quantization!
  }

  /// Whether a file with these components is smoothed: means of all of them, something unfinished, and quantizers to
  /// divide by.
  static func isUseful(_ components: [JPEGComponent], _ progress: [Progress]) -> Bool {
    let canDivide = components.allSatisfy { component in
      component.quantization.map { table in estimates.allSatisfy { table[$0.index] != 0 } && table[0] != 0 } ?? false
    }
    return canDivide && progress.allSatisfy { $0.bits[0] >= 0 }
      && progress.contains { $0.bits.dropFirst().contains { $0 != 0 } }
  }

  /// The transform of the component's blocks in a row of units.
  func transform(unit unitRow: Int) {
    var block = [Int16](repeating: 0, count: 64)
    let bits = unitRow > lastGoodRow ? progress.before : progress.bits
    quantization.withUnsafeBufferPointer { table in
      block.withUnsafeMutableBufferPointer { block in
        for row in component.rows(of: unitRow) {
          let samples = component.samples(of: row)
          let rows = neighbors(of: row, unitRow)
          for column in 0..<component.blocksAcross {
            let from = coefficients + (row * component.storedAcross + column) * 64
            block.baseAddress!.update(from: from, count: 64)
            estimate(block.baseAddress!, means(rows, column), bits)
            JPEGInverseDCT.transform(
              block.baseAddress!, quantization: table.baseAddress!, into: samples + column * 8,
              stride: component.stride)
          }
        }
      }
    }
  }

  /// The rows of blocks two above to two below; at the borders the nearest. The last unit counts as if all units had as
  /// many rows as it has: so the library does it.
  private func neighbors(of row: Int, _ unitRow: Int) -> [Int] {
    let rest = component.blocksDown % component.vertical
    let inUnit = unitRow < unitsDown - 1 || rest == 0 ? component.vertical : rest
    let (index, count) = (unitRow * inUnit + row % component.vertical, inUnit * unitsDown)
    let above = index > 0 ? row - 1 : row
    let below = index < count - 1 ? row + 1 : row
    return [index > 1 ? row - 2 : above, above, row, below, index < count - 2 ? row + 2 : below]
  }

  /// The means of 5 × 5 blocks, row by row.
  private func means(_ rows: [Int], _ column: Int) -> InlineArray<25, Int> {
    InlineArray { index in
      let near = min(max(column + index % 5 - 2, 0), component.blocksAcross - 1)
      return Int(coefficients[(rows[index / 5] * component.storedAcross + near) * 64])
    }
  }

  private func estimate(_ block: UnsafeMutablePointer<Int16>, _ means: borrowing InlineArray<25, Int>, _ bits: [Int]) {
    let isMeanAlone = bits.dropFirst().allSatisfy { $0 == -1 }
    for (position, estimate) in zip(1..., Self.estimates) {
      let weights = isMeanAlone ? estimate.gaussian : estimate.plain
      guard !weights.isEmpty, bits[position] != 0, block[estimate.index] == 0 else { continue }
      block[estimate.index] = value(weights, means, estimate.index, below: bits[position])
    }
    if isMeanAlone { block[0] = value(Self.mean, means, 0, below: -1) }
  }

  private func value(
    _ weights: [Int], _ means: borrowing InlineArray<25, Int>, _ index: Int, below bit: Int
  ) -> Int16 {
    var sum = 0
    for neighbor in 0..<25 { sum &+= weights[neighbor] &* means[neighbor] }
    // Stored in 16 bits, of which tables of 16-bit quantizers use all.
    let scaled = sum &* Int(UInt16(bitPattern: quantization[0]))
    let quantizer = Int(UInt16(bitPattern: quantization[index]))
    var size = (quantizer << 7 + abs(scaled)) / (quantizer << 8)
    if bit > 0 { size = min(size, 1 << bit - 1) }
    return Int16(truncatingIfNeeded: scaled < 0 ? -size : size)
  }

  /// The estimate of a coefficient: its row-major index, and the weights of 5 × 5 means with other coefficients sent,
  /// or none; empty where none is made.
  private struct Estimate {
    let index: Int
    let plain, gaussian: [Int]
  }

  /// By zigzag position, from 1.
  private static let estimates = [
    Estimate(
      index: 1, plain: row([-7, 50, 0, -50, 7]),
      gaussian: [
        -1, -1, 0, 1, 1,
        -3, 13, 0, -13, 3,
        -3, 38, 0, -38, 3,
        -3, 13, 0, -13, 3,
        -1, -1, 0, 1, 1,
      ]),
    Estimate(
      index: 8, plain: transposed(row([-7, 50, 0, -50, 7])),
      gaussian: [
        -1, -3, -3, -3, -1,
        -1, 13, 38, 13, -1,
        0, 0, 0, 0, 0,
        1, -13, -38, -13, 1,
        1, 3, 3, 3, 1,
      ]),
    Estimate(index: 16, plain: transposed(row([-1, 13, -24, 13, -1])), gaussian: transposed(secondAcross)),
    Estimate(
      index: 9,
      plain: [
        0, -1, 0, 1, 0,
        -1, 10, 0, -10, 1,
        0, 0, 0, 0, 0,
        1, -10, 0, 10, -1,
        0, 1, 0, -1, 0,
      ],
      gaussian: [
        -1, 0, 0, 0, 1,
        0, 9, 0, -9, 0,
        0, 0, 0, 0, 0,
        0, -9, 0, 9, 0,
        1, 0, 0, 0, -1,
      ]),
    Estimate(index: 2, plain: row([-1, 13, -24, 13, -1]), gaussian: secondAcross),
    Estimate(index: 3, plain: [], gaussian: middle([1, 0, -1], [2, 0, -2], [1, 0, -1])),
    Estimate(index: 10, plain: [], gaussian: middle([1, -3, 1], [0, 0, 0], [-1, 3, -1])),
    Estimate(index: 17, plain: [], gaussian: middle([1, 0, -1], [-3, 0, 3], [1, 0, -1])),
    Estimate(index: 24, plain: [], gaussian: middle([1, 2, 1], [0, 0, 0], [-1, -2, -1])),
  ]

  private static let secondAcross = [
    0, 0, 0, 0, 0,
    0, 2, -5, 2, 0,
    1, 7, -14, 7, 1,
    0, 2, -5, 2, 0,
    0, 0, 0, 0, 0,
  ]

  /// Of the mean itself; the sum is 2⁸.
  private static let mean = [
    -2, -6, -8, -6, -2,
    -6, 6, 42, 6, -6,
    -8, 42, 152, 42, -8,
    -6, 6, 42, 6, -6,
    -2, -6, -8, -6, -2,
  ]

  private static func row(_ weights: [Int]) -> [Int] { (0..<25).map { $0 / 5 == 2 ? weights[$0 % 5] : 0 } }

  private static func transposed(_ weights: [Int]) -> [Int] { (0..<25).map { weights[$0 % 5 * 5 + $0 / 5] } }

  private static func middle(_ rows: [Int]...) -> [Int] {
    (0..<25).map { index in
      1...3 ~= index / 5 && 1...3 ~= index % 5 ? rows[index / 5 - 1][index % 5 - 1] : 0
    }
  }
}
