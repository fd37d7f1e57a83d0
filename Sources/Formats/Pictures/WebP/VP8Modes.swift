/// The prediction of a macroblock (RFC 6386, section 11).
struct VP8Macroblock {
  var segment = 0
  var isSkipped = false
  /// True if luma is predicted in 4 × 4 blocks.
  var hasBlocks = false
  /// The modes of the 16 blocks, or of the whole at index 0.
  var modes = [UInt8](repeating: 0, count: 16)
  var chroma: UInt8 = 0
}

/// The reader of prediction modes, which depend on those above and on the left.
struct VP8Modes {
  /// Modes as they are numbered here; the first four are also those of whole macroblocks.
  enum Mode {
    static let mean: UInt8 = 0
    static let gradient: UInt8 = 1
    static let vertical: UInt8 = 2
    static let horizontal: UInt8 = 3
    static let downRight: UInt8 = 4
    static let verticalRight: UInt8 = 5
    static let downLeft: UInt8 = 6
    static let verticalLeft: UInt8 = 7
    static let horizontalDown: UInt8 = 8
    static let horizontalUp: UInt8 = 9
  }

  private var reader: VP8BoolDecoder
  private let segments: VP8Segments
  private let skipProbability: UInt8?
  private var above: [UInt8]
  private var left: [UInt8] = [0, 0, 0, 0]

  /// - columns: macroblocks in a row.
  init(_ header: VP8Header, columns: Int) {
    (reader, segments, skipProbability) = (header.modes, header.segments, header.skipProbability)
    above = [UInt8](repeating: Mode.mean, count: 4 * columns)
  }

  /// True once the modes of the rows before lay beyond the end of the data.
  var isPastEnd: Bool { reader.isPastEnd }

  /// Starts a row.
  mutating func beginRow() { left = [Mode.mean, Mode.mean, Mode.mean, Mode.mean] }

  /// Reads the modes of the next macroblock of the row.
  mutating func read(_ block: inout VP8Macroblock, column: Int) {
    block.segment = 0
    if segments.haveMap {
      let isUpper = reader.bit(segments.probabilities[0])
      let isOdd = reader.bit(segments.probabilities[isUpper ? 2 : 1])
      block.segment = (isUpper ? 2 : 0) + (isOdd ? 1 : 0)
    }
    block.isSkipped = skipProbability.map { reader.bit($0) } ?? false
    block.hasBlocks = !reader.bit(145)
    if block.hasBlocks {
      for row in 0..<4 {
        for index in 4 * column..<4 * column + 4 {
          let mode = blockMode(above: above[index], left: left[row])
          (above[index], left[row]) = (mode, mode)
          block.modes[4 * row + index & 3] = mode
        }
      }
    } else {
      let mode =
        reader.bit(156)
        ? (reader.bit(128) ? Mode.gradient : Mode.horizontal) : (reader.bit(163) ? Mode.vertical : Mode.mean)
      block.modes[0] = mode
      for index in 0..<4 { (above[4 * column + index], left[index]) = (mode, mode) }
    }
    block.chroma = chromaMode()
  }

  private mutating func chromaMode() -> UInt8 {
    guard reader.bit(142) else { return Mode.mean }
    guard reader.bit(114) else { return Mode.vertical }
    return reader.bit(183) ? Mode.gradient : Mode.horizontal
  }

  private mutating func blockMode(above: UInt8, left: UInt8) -> UInt8 {
    let start = 9 * (10 * Int(above) + Int(left))
    func bit(_ node: Int, _ reader: inout VP8BoolDecoder) -> Bool { reader.bit(VP8ModeTables.blocks[start + node]) }
    guard bit(0, &reader) else { return Mode.mean }
    guard bit(1, &reader) else { return Mode.gradient }
    guard bit(2, &reader) else { return Mode.vertical }
    guard bit(3, &reader) else {
      guard bit(4, &reader) else { return Mode.horizontal }
      return bit(5, &reader) ? Mode.verticalRight : Mode.downRight
    }
    guard bit(6, &reader) else { return Mode.downLeft }
    guard bit(7, &reader) else { return Mode.verticalLeft }
    return bit(8, &reader) ? Mode.horizontalUp : Mode.horizontalDown
  }
}
