/// The processing of each block of a scan.
protocol JPEGBlockDecoder {
  /// Decodes the block at `row` and `column` of the scan's component number `part`.
  mutating func decode(_ reader: inout JPEGBitReader, part: Int, row: Int, column: Int)
  /// Skips a block for which there is no data.
  mutating func skip(part: Int, row: Int, column: Int)
  /// Resets the state carried from block to block.
  mutating func restart()
}

/// Goes through the blocks of a scan in order, minding restart markers (ITU-T T.81, sections A.2 and E.2.4).
///
/// Damage is treated as libjpeg does: a segment that a marker cuts short is completed by zero bits for the
/// minimum coded unit at hand and left empty after it, until a restart marker that fits.
struct JPEGScanWalk {
  private struct Layout {
    let across: Int
    let down: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let interval: Int
  private let layouts: [Layout]
  private let unitsAcross: Int
  private let unitsDown: Int
  /// Rows of the scan's units in one of the frame's.
  private let rowsInUnit: Int

  /// How far a scan came.
  struct End {
    /// Where the coded data ends.
    let position: Int
    /// The last row of the frame's units for which there was data.
    let lastGoodRow: Int
    /// True if data were missing for some block.
    let isCutShort: Bool
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>, frame: JPEGFrame, scan: JPEGScan, restartInterval: Int) {
    self.bytes = bytes
    interval = restartInterval
    let components = scan.parts.map { frame.components[$0.component] }
    if components.count == 1 {
      // A scan of one component is not interleaved: its unit is one block, and padding blocks are not sent.
      layouts = [Layout(across: 1, down: 1)]
      unitsAcross = components[0].blocksAcross
      unitsDown = components[0].blocksDown
      rowsInUnit = components[0].vertical
    } else {
      layouts = components.map { Layout(across: $0.horizontal, down: $0.vertical) }
      unitsAcross = frame.unitsAcross
      unitsDown = frame.unitsDown
      rowsInUnit = 1
    }
  }

  /// The number of blocks it goes through.
  var blocks: Int { unitsAcross * unitsDown * layouts.reduce(0) { $0 + $1.across * $1.down } }

  /// Decodes the entropy-coded data that starts at `position`; returns how far they reach.
  func run<Decoder: JPEGBlockDecoder>(
    _ decoder: inout Decoder, from position: Int
  ) throws(ImageError.Problem) -> End {
    var reader = JPEGBitReader(bytes, from: position)
    var unitsLeft = interval
    var restarts = 0
    var isEmpty = false
    var isCutShort = false
    var lastGoodRow = 0
    for unitRow in 0..<unitsDown {
      for unitColumn in 0..<unitsAcross {
        if interval > 0 {
          if unitsLeft == 0 {
            // Without the marker, the unit at hand is completed by zero bits, if there was data up to here.
            if try synchronize(&reader, number: restarts & 7) { isEmpty = false }
            decoder.restart()
            restarts += 1
            unitsLeft = interval
          }
          unitsLeft -= 1
        }
        if !isEmpty { lastGoodRow = unitRow }
        for part in 0..<layouts.count {
          let layout = layouts[part]
          for row in unitRow &* layout.down..<(unitRow &+ 1) &* layout.down {
            for column in unitColumn &* layout.across..<(unitColumn &+ 1) &* layout.across {
              if isEmpty {
                decoder.skip(part: part, row: row, column: column)
              } else {
                decoder.decode(&reader, part: part, row: row, column: column)
              }
            }
          }
        }
        if reader.isExhausted, !isEmpty {
          guard reader.position < bytes.count else { throw .truncated(in: "the image's data") }
          isEmpty = true
        }
        if isEmpty { isCutShort = true }
      }
    }
    return End(position: reader.position, lastGoodRow: lastGoodRow / rowsInUnit, isCutShort: isCutShort)
  }

  /// Moves to restart marker `number`. False when data is missing: the marker found belongs to a later position.
  private func synchronize(_ reader: inout JPEGBitReader, number: Int) throws(ImageError.Problem) -> Bool {
    var search = reader.position
    while true {
      guard let (code, start) = JPEGSegments.marker(in: bytes, from: search) else {
        throw .truncated(in: "the image's data")
      }
      search = start + 2
      if code < 0xC0 { continue }
      guard 0xD0...0xD7 ~= code else {
        reader.restart(at: start)
        return false
      }
      switch (Int(code) - 0xD0 - number) & 7 {
      case 1, 2:
        // One or two markers are missing, with their data.
        reader.restart(at: start)
        return false
      case 6, 7:
        // An old marker: there is surplus data.
        continue
      default:
        reader.restart(at: search)
        return true
      }
    }
  }
}
