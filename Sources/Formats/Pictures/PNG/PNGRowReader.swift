/// Takes the filtered rows of a PNG file as they come and writes their pixels.
final class PNGRowReader {
  /// A filter type that does not exist, after which nothing is written.
  private(set) var unknownFilter: UInt8?

  private let rows: PNGRows
  private let pixels: UnsafeMutablePointer<UInt8>
  /// The fast path for photographs.
  private let group: PNGTruecolor?
  private let passes: [PNGPass]
  /// Where the next row belongs.
  private var (pass, row) = (0, 0)
  /// The row above and one to work on, as what was inflated must stay: later bytes may repeat it.
  private var above: [UInt8]
  private var line: [UInt8]

  /// - pixels: [height, width, 3]; inGroups: true for rows that `PNGTruecolor` supports.
  init(_ rows: PNGRows, into pixels: UnsafeMutablePointer<UInt8>, inGroups: Bool) {
    (self.rows, self.pixels) = (rows, pixels)
    let header = rows.header
    group = inGroups ? PNGTruecolor(width: header.width, step: header.color.channels) : nil
    passes = header.passes
    above = [UInt8](repeating: 0, count: max(header.rowBytes(width: header.width), 3 * header.width))
    line = inGroups ? [] : above
  }

  /// The bytes to be offered at once, at least: the rest after a group is up to seven rows.
  var room: Int { (group == nil ? 2 : 2 * PNGTruecolor.rows) * (1 + rows.header.rowBytes(width: rows.header.width)) }

  /// Takes whole rows; returns the number of their bytes.
  func take(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    var used = 0
    while unknownFilter == nil, pass < passes.count {
      let lineBytes = 1 + rows.header.rowBytes(width: passes[pass].width)
      let count = min((bytes.count - used) / lineBytes, passes[pass].height - row)
      let filters = (0..<count).lazy.map { start[used + $0 * lineBytes] }
      unknownFilter = filters.first { $0 > 4 }
      guard unknownFilter == nil else { break }
      let done = if let group { takeGroups(start, count, group) } else { takeRows(start + used, count) }
      used += done * lineBytes
      row += done
      guard row == passes[pass].height else { return used }
      (pass, row) = (pass + 1, 0)
      if group == nil { for index in above.indices { above[index] = 0 } }
    }
    return bytes.count
  }

  /// Groups of four rows. The last one of the image overlaps rows that are already done, with the same result; so rows
  /// before it wait for it.
  private func takeGroups(_ lines: UnsafePointer<UInt8>, _ count: Int, _ group: PNGTruecolor) -> Int {
    let (height, rowBytes) = (rows.header.height, 3 * rows.header.width)
    let lineBytes = 1 + rows.header.rowBytes(width: rows.header.width)
    let isLast = row + count == height
    let whole = min(count, height - PNGTruecolor.rows - row) / PNGTruecolor.rows * PNGTruecolor.rows
    let end = isLast ? height : row + whole
    above.withUnsafeBufferPointer { zeros in
      for start in stride(from: row, to: end, by: PNGTruecolor.rows) {
        let first = min(start, height - PNGTruecolor.rows)
        group.reconstruct(
          lines + (first - row) * lineBytes,
          above: first == 0 ? zeros.baseAddress! : UnsafePointer(pixels + (first - 1) * rowBytes),
          into: pixels + first * rowBytes)
      }
    }
    return end - row
  }

  /// The general path: one row at a time, then expanded.
  private func takeRows(_ lines: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let (header, pass) = (rows.header, passes[pass])
    let rowBytes = header.rowBytes(width: pass.width)
    for index in 0..<count {
      let source = lines + index * (1 + rowBytes)
      line.withUnsafeMutableBufferPointer { line in
        let line = line.baseAddress!
        line.update(from: source + 1, count: rowBytes)
        above.withUnsafeBufferPointer {
          PNGFilter.reconstruct(
            line, above: $0.baseAddress!, count: rowBytes, step: max(1, header.pixelBits / 8), filter: source[0])
        }
        let target = (pass.firstRow + (row + index) * pass.rowStep) * header.width + pass.firstColumn
        rows.expansion.expand(line, count: pass.width, into: pixels + 3 * target, step: 3 * pass.columnStep)
      }
      swap(&above, &line)
    }
    return count
  }
}
