import Foundation
import Tensor

/// The periods of rotary positions (Siméoni et al. 2025, DINOv3, and the released code).
public enum RotaryPeriods: Sendable, Equatable {
  /// P_i = b^(4i / d) for a head of width d: those of timm and transformers, which no tensor holds.
  case powers(of: Double)
  /// A tensor of the checkpoint: DINOv3's authors store them, rounded to bfloat16.
  case stored

  /// P for heads of a width: [d / 4]
  func values(_ reader: inout WeightReader, headWidth: Int) throws(WeightsError) -> [Double] {
    switch self {
    case .powers(let base): (0..<headWidth / 4).map { pow(base, 4 * Double($0) / Double(headWidth)) }
    case .stored: try reader.positive("vision.rotaryPeriods", [headWidth / 4]).values.map { Double($0) }
    }
  }
}

extension TokenRotation {
  /// Rotary positions of a square of patches, row by row: the first half of the pairs of channels turn by the row r,
  /// the second by the column, whose centres span −1 to 1.
  ///
  ///     θ_i = 2π x / P_i,   x = (2r + 1) / grid − 1
  static func axial(grid: Int, periods: [Double]) -> TokenRotation {
    let turns = (0..<grid).map { index in
      let x = Double(2 * index + 1) / Double(grid) - 1
      return periods.map { Real(2 * .pi * x / $0) }
    }
    return TokenRotation(
      angles: Tensor(
        [grid * grid, 2 * periods.count], turns.flatMap { row in turns.flatMap { column in row + column } }))
  }
}
