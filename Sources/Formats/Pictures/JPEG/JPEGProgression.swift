/// How far the scans of a progressive file have come: what is unfinished is smoothed, as libjpeg does.
struct JPEGProgression {
  /// By component.
  private(set) var progress: [JPEGSmoothing.Progress]
  private var scans = 0

  init(components: Int) { progress = Array(repeating: JPEGSmoothing.Progress(), count: components) }

  /// Notes what a scan sends.
  mutating func add(_ scan: JPEGScan) {
    scans += 1
    for part in scan.parts {
      let bits = progress[part.component].bits
      // Positions that the library keeps: the mean only where the scan sends it.
      let kept = min(scan.spectralStart, 1)...JPEGSmoothing.positions - 1
      for position in kept { progress[part.component].before[position] = scans > 1 ? bits[position] : 0 }
      guard scan.spectralStart < JPEGSmoothing.positions else { continue }
      for position in scan.spectralStart...min(scan.spectralEnd, JPEGSmoothing.positions - 1) {
        progress[part.component].bits[position] = scan.low
      }
    }
  }

  /// What has been sent of all components; before the first of several scans nothing was.
  var latched: [JPEGSmoothing.Progress] {
    guard scans <= 1 else { return progress }
    return progress.map { JPEGSmoothing.Progress(bits: $0.bits) }
  }

  /// True if all coefficients have been sent to their last bit, as far as it is known here.
  var isComplete: Bool { progress.allSatisfy { $0.bits.allSatisfy { $0 == 0 } } }
}
