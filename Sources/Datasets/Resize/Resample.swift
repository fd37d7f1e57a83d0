import Foundation

/// A filter for resizing images.
public enum Resample: String, Sendable, CaseIterable {
  /// The triangle: 1 − |x| for |x| < 1.
  case bilinear
  /// Keys' cubic with a = −½ (IEEE Trans. ASSP 29, 1981, equation 4).
  case bicubic

  /// The filter is zero from here on.
  var support: Double {
    switch self {
    case .bilinear: 1
    case .bicubic: 2
    }
  }

  func weight(_ position: Double) -> Double {
    let x = abs(position)
    switch self {
    case .bilinear: return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    }
  }
}

/// For each new pixel along one side, the old pixels it is made of and their weights.
///
/// The filter is widened by the reduction factor, so that every old pixel counts when an image shrinks. Weights
/// are cut off at the border, scaled to a sum of 1, and rounded to 22 fractional bits, as in Pillow's `Resample.c`.
struct ResampleWeights {
  static let fractionalBits: Int32 = 22
  /// Half a unit in the last place: sums are rounded, not cut.
  static let half: Int32 = 1 << (fractionalBits - 1)

  /// First old pixel of each new one, and their number.
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  /// [new, taps]; unused entries are 0.
  private(set) var weights: [Int32] = []
  let taps: Int

  /// The weights of the new pixels in `range`, where a side of `old` pixels becomes one of `new`.
  init(from old: Int, to new: Int, filter: Resample, range: Range<Int>) {
    let stretch = max(Double(old) / Double(new), 1)
    taps = Self.taps(from: old, to: new, filter: filter)
    weights = [Int32](repeating: 0, count: range.count * taps)
    for output in range {
      let (center, pixels) = Self.reach(of: output, from: old, to: new, filter: filter)
      let start = pixels.lowerBound
      let count = pixels.count
      var exact = (0..<count).map { filter.weight((Double($0 + start) - center + 0.5) * (1 / stretch)) }
      let sum = exact.reduce(0, +)
      if sum != 0 { for tap in exact.indices { exact[tap] /= sum } }
      for (tap, weight) in exact.enumerated() {
        let scaled = weight * Double(1 << Self.fractionalBits)
        weights[(output - range.lowerBound) * taps + tap] = Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
      }
      starts.append(start)
      counts.append(count)
    }
  }
  /// The old pixels that the new pixels in `range` are made of.
  static func span(of range: Range<Int>, from old: Int, to new: Int, filter: Resample) -> Range<Int> {
    let first = reach(of: range.lowerBound, from: old, to: new, filter: filter).pixels
    let last = reach(of: range.upperBound - 1, from: old, to: new, filter: filter).pixels
    return first.lowerBound..<last.upperBound
  }

  /// The maximal number of old pixels of a new one.
  static func taps(from old: Int, to new: Int, filter: Resample) -> Int {
    Int((filter.support * max(Double(old) / Double(new), 1)).rounded(.up)) * 2 + 1
  }

  private static func reach(
    of output: Int, from old: Int, to new: Int, filter: Resample
  ) -> (center: Double, pixels: Range<Int>) {
    let scale = Double(old) / Double(new)
    let support = filter.support * max(scale, 1)
    let center = (Double(output) + 0.5) * scale
    let start = max(Int(center - support + 0.5), 0)
    return (center, start..<min(Int(center + support + 0.5), old))
  }
}
