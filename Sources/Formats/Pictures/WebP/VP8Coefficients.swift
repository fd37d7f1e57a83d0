/// The coefficients of macroblocks, dequantized (RFC 6386, sections 13 and 14).
struct VP8Coefficients {
  /// The types of blocks, as the probabilities are ordered.
  private enum Kind: Int { case lumaAfterMeans, means, chroma, luma }

  /// [25, 16]: 16 luma blocks, 4 blocks of each chroma plane, and the means of the luma blocks.
  let values = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 25 * 16)

  private let probabilities: [UInt8]
  private let quantizers: [VP8Quantizer]
  /// Whether the blocks above each column had coefficients: 4 of luma, 2 of each chroma plane, the means.
  private var above: [Bool]
  private var left = [Bool](repeating: false, count: 9)

  init(_ header: VP8Header, columns: Int) {
    (probabilities, quantizers) = (header.probabilities, header.quantizers)
    above = [Bool](repeating: false, count: 9 * columns)
    values.initialize(repeating: 0)
  }

  /// Frees the memory of the values.
  func deallocate() { values.deallocate() }

  /// Starts a row.
  mutating func beginRow() { left = [Bool](repeating: false, count: 9) }

  /// A macroblock without coefficients.
  mutating func skip(column: Int, hasBlocks: Bool) {
    // Without means of its own it leaves the context of the means as it is.
    for index in 0..<(hasBlocks ? 8 : 9) { (above[9 * column + index], left[index]) = (false, false) }
  }

  /// Reads the values of a macroblock; false if all blocks are empty.
  mutating func read(_ block: VP8Macroblock, column: Int, _ reader: inout VP8BoolDecoder) -> Bool {
    values.update(repeating: 0)
    let (quantizer, base) = (quantizers[block.segment], values.baseAddress!)
    var isAny = false
    if !block.hasBlocks {
      let means = base + 24 * 16
      let context = (above[9 * column + 8] ? 1 : 0) + (left[8] ? 1 : 0)
      let last = read(.means, context, quantizer.means, from: 0, into: means, &reader)
      (above[9 * column + 8], left[8]) = (last > 0, last > 0)
      VP8Transform.invertMeans(means, into: base)
    }
    let (kind, first): (Kind, Int) = block.hasBlocks ? (.luma, 0) : (.lumaAfterMeans, 1)
    for row in 0..<4 {
      for index in 0..<4 {
        let target = base + 16 * (4 * row + index)
        let context = (above[9 * column + index] ? 1 : 0) + (left[row] ? 1 : 0)
        let last = read(kind, context, quantizer.luma, from: first, into: target, &reader)
        (above[9 * column + index], left[row]) = (last > first, last > first)
        isAny = isAny || last > 1 || target[0] != 0
      }
    }
    for plane in 0..<2 {
      for row in 0..<2 {
        for index in 0..<2 {
          let target = base + 16 * (16 + 4 * plane + 2 * row + index)
          let (top, side) = (9 * column + 4 + 2 * plane + index, 4 + 2 * plane + row)
          let context = (above[top] ? 1 : 0) + (left[side] ? 1 : 0)
          let last = read(.chroma, context, quantizer.chroma, from: 0, into: target, &reader)
          (above[top], left[side]) = (last > 0, last > 0)
          isAny = isAny || last > 1 || target[0] != 0
        }
      }
    }
    return isAny
  }

  /// Reads one block and returns the position after its last coefficient.
  private func read(
    _ kind: Kind, _ context: Int, _ step: (first: Int, others: Int), from first: Int,
    into target: UnsafeMutablePointer<Int16>, _ reader: inout VP8BoolDecoder
  ) -> Int {
    probabilities.withUnsafeBufferPointer { table in
      let table = table.baseAddress! + 264 * kind.rawValue
      func node(_ position: Int, _ context: Int) -> UnsafePointer<UInt8> {
        table + 33 * Int(VP8CoefficientTables.bands[position]) + 11 * context
      }
      var position = first
      var probability = node(position, context)
      while position < 16 {
        guard reader.bit(probability[0]) else { return position }
        while !reader.bit(probability[1]) {
          position += 1
          guard position < 16 else { return 16 }
          probability = node(position, 0)
        }
        var value = 1
        if reader.bit(probability[2]) { value = Self.large(probability, &reader) }
        if reader.flag() { value = -value }
        let scaled = value &* (position > 0 ? step.others : step.first)
        target[Int(VP8CoefficientTables.zigzag[position])] = Int16(truncatingIfNeeded: scaled)
        position += 1
        probability = node(position, abs(value) > 1 ? 2 : 1)
      }
      return 16
    }
  }

  /// A value of 2 or more.
  private static func large(_ probability: UnsafePointer<UInt8>, _ reader: inout VP8BoolDecoder) -> Int {
    func bit(_ probability: UInt8) -> Int { reader.bit(probability) ? 1 : 0 }
    guard reader.bit(probability[3]) else {
      return reader.bit(probability[4]) ? 3 + bit(probability[5]) : 2
    }
    guard reader.bit(probability[6]) else {
      guard reader.bit(probability[7]) else { return 5 + bit(159) }
      let high = bit(165)
      return 7 + 2 * high + bit(145)
    }
    let high = bit(probability[8])
    let category = 2 * high + bit(probability[9 + high])
    let extra = VP8CoefficientTables.categories[category].reduce(0) { 2 * $0 + bit($1) }
    return 3 + 8 << category + extra
  }
}
