/// How far the scans of a progressive file have come.
///
/// libjpeg smooths what is unfinished, by neighbours and in ways that changed with its versions; such a file is
/// refused, as pixels without that would be others than everybody's.
struct JPEGProgression {
  /// The zigzag positions that libjpeg looks at.
  private static let positions = 10

  /// By component and position, the lowest bit sent so far; 16 for none.
  private var bits: [[Int]]

  init(components: Int) {
    bits = [[Int]](repeating: [Int](repeating: 16, count: Self.positions), count: components)
  }

  /// Notes what a scan has sent.
  mutating func add(_ scan: JPEGScan) {
    for part in scan.parts where scan.spectralStart < Self.positions {
      for position in scan.spectralStart...min(scan.spectralEnd, Self.positions - 1) {
        bits[part.component][position] = scan.low
      }
    }
  }

  /// Refuses a file that has the means of all components, but not all bits of the coarsest other coefficients.
  func check() throws(ImageError.Problem) {
    guard bits.allSatisfy({ $0[0] < 16 }) else { return }
    guard bits.allSatisfy({ $0.dropFirst().allSatisfy { $0 == 0 } }) else {
      throw .truncated(in: "the progressive scans")
    }
  }
}
