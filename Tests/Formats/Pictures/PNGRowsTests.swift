import Checks
import Testing

@testable import Formats

@Suite("PNG rows")
struct PNGRowsTests {
  struct Form: Sendable, CustomTestStringConvertible {
    let width: Int
    let height: Int
    let color: PNGHeader.ColorType
    var testDescription: String { "\(width) × \(height) \(color)" }

    var rows: PNGRows {
      let size = [0, 0, 0, UInt8(width), 0, 0, 0, UInt8(height), 8, color.rawValue, 0, 0, 0]
      let header = size.withUnsafeBufferPointer { try! PNGHeader($0) }
      return PNGRows(
        header: header, expansion: PNGPixels(header: header, palette: []))
    }
  }

  static let forms = (1...9).flatMap { width in
    (4...9).flatMap { height in
      [PNGHeader.ColorType.rgb, .rgbAlpha].map { Form(width: width, height: height, color: $0) }
    }
  }

  /// The pixels of rows that arrive in pieces.
  private func pixels(_ rows: PNGRows, _ lines: [UInt8], inGroups: Bool, cutting pieces: [Int]) -> [UInt8] {
    var pixels = [UInt8](repeating: inGroups ? 0xAA : 0x55, count: 3 * rows.header.width * rows.header.height)
    pixels.withUnsafeMutableBufferPointer { pixels in
      let reader = PNGRowReader(rows, into: pixels.baseAddress!, inGroups: inGroups)
      var taken = 0
      for end in pieces.sorted() + [lines.count] {
        taken += lines.withUnsafeBufferPointer {
          reader.take(UnsafeBufferPointer(rebasing: $0[taken..<max(end, taken)]))
        }
      }
      #expect(taken == lines.count)
    }
    return pixels
  }

  /// Random bytes behind filters of every type, in every order of neighbours, in one piece and in several.
  @Test(arguments: forms) func rowsInGroupsAreRowsOneByOne(_ form: Form) {
    let rows = form.rows
    #expect(rows.canGroupRows)
    var generator = CheckNumbers(seed: UInt64(form.width * 100 + form.height))
    for _ in 0..<40 {
      var lines = (0..<rows.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      for row in 0..<form.height { lines[row * rows.count / form.height] %= 5 }
      let pieces = (0..<3).map { _ in Int.random(in: 0...rows.count, using: &generator) }
      let single = pixels(rows, lines, inGroups: false, cutting: [])
      #expect(pixels(rows, lines, inGroups: true, cutting: []) == single)
      #expect(pixels(rows, lines, inGroups: true, cutting: pieces) == single)
      #expect(pixels(rows, lines, inGroups: false, cutting: pieces) == single)
    }
  }

  @Test func filterThatDoesNotExistIsRefused() {
    let rows = Form(width: 3, height: 5, color: .rgb).rows
    var lines = [UInt8](repeating: 0, count: rows.count)
    lines[4 * 10] = 5
    #expect(throws: ImageError.Problem.malformed(expected: "filter type 0 to 4", found: "5")) {
      var missing = 0
      _ = try Deflate.zlib(lines).withUnsafeBufferPointer { (data) throws(ImageError.Problem) in
        try rows.pixels(inflating: data, missing: &missing)
      }
    }
  }
}
