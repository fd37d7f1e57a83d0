/// The header of a scan: which coefficients of which components follow (ITU-T T.81, section B.2.3).
struct JPEGScan {
  struct Part {
    /// Index into the frame's components.
    let component: Int
    let dcTable: Int
    let acTable: Int
  }

  let parts: [Part]
  /// Zigzag positions, first and last.
  let spectralStart: Int
  let spectralEnd: Int
  /// Successive approximation: the bit sent before (0: none), and the one sent here.
  let high: Int
  let low: Int

  init(_ segment: UnsafeBufferPointer<UInt8>, frame: JPEGFrame) throws(ImageError.Problem) {
    guard let count = segment.first.map(Int.init), segment.count >= 4 + 2 * count else {
      throw .truncated(in: "a scan header")
    }
    guard 1...4 ~= count else {
      throw .malformed(expected: "1 to 4 components in a scan", found: "\(count)")
    }
    var parts: [Part] = []
    for index in 0..<count {
      let identifier = segment[1 + 2 * index]
      let tables = segment[2 + 2 * index]
      let matching = frame.components.indices.first { candidate in
        frame.components[candidate].identifier == identifier && !parts.contains { $0.component == candidate }
      }
      guard let matching else {
        let known = frame.components.map { String($0.identifier) }.joined(separator: ", ")
        throw .malformed(expected: "a scan of components \(known), each once", found: "\(identifier)")
      }
      guard tables >> 4 < 4, tables & 15 < 4 else {
        throw .malformed(
          expected: "Huffman tables 0 to 3 for component \(identifier)", found: "\(tables >> 4) and \(tables & 15)")
      }
      parts.append(Part(component: matching, dcTable: Int(tables >> 4), acTable: Int(tables & 15)))
    }
    self.parts = parts
    let base = 1 + 2 * count
    // Sequential files are meant to say 0, 63, 0, 0 here; some do not, and every reader ignores it.
    spectralStart = frame.isProgressive ? Int(segment[base]) : 0
    spectralEnd = frame.isProgressive ? Int(segment[base + 1]) : 63
    high = frame.isProgressive ? Int(segment[base + 2] >> 4) : 0
    low = frame.isProgressive ? Int(segment[base + 2] & 15) : 0
    if frame.isProgressive { try checkProgression() }
  }

  /// The rules of section G.1.1.1.
  private func checkProgression() throws(ImageError.Problem) {
    let isBand =
      spectralStart == 0 ? spectralEnd == 0 : spectralStart <= spectralEnd && spectralEnd < 64 && parts.count == 1
    guard isBand else {
      throw .malformed(
        expected: "a scan of the mean alone, or of a band of one component",
        found: "coefficients \(spectralStart) to \(spectralEnd) of \(parts.count)")
    }
    guard low <= 13, high == 0 || high == low + 1 else {
      throw .malformed(expected: "bits sent one after another", found: "bit \(low) after \(high)")
    }
  }
}

/// The order in which the coefficients of a block are sent (ITU-T T.81, figure A.6).
enum JPEGZigzag {
  /// Row-major index of each zigzag position; sixteen more entries keep the zero runs of damaged data inside the block.
  static let order: [UInt8] = {
    var order: [UInt8] = []
    for diagonal in 0..<15 {
      let rows = max(0, diagonal - 7)...min(diagonal, 7)
      let indices = rows.map { UInt8($0 * 8 + diagonal - $0) }
      order += diagonal % 2 == 0 ? indices.reversed() : indices
    }
    return order + Array(repeating: 63, count: 16)
  }()
}
