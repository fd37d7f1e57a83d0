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

  /// Random bytes behind filters of every type, in every order of neighbours.
  @Test(arguments: forms) func rowsInGroupsAreRowsOneByOne(_ form: Form) {
    let rows = form.rows
    #expect(rows.canGroupRows)
    var generator = CheckNumbers(seed: UInt64(form.width * 100 + form.height))
    for _ in 0..<40 {
      var lines = (0..<rows.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      for row in 0..<form.height { lines[row * rows.count / form.height] %= 5 }
      let size = form.width * form.height * 3
      var grouped = [UInt8](repeating: 0xAA, count: size)
      grouped.withUnsafeMutableBufferPointer { pixels in
        lines.withUnsafeBufferPointer { rows.reconstructGroups($0.baseAddress!, into: pixels.baseAddress!) }
      }
      var single = [UInt8](repeating: 0x55, count: size)
      single.withUnsafeMutableBufferPointer { pixels in
        lines.withUnsafeMutableBufferPointer { rows.reconstructRows($0.baseAddress!, into: pixels.baseAddress!) }
      }
      #expect(grouped == single)
    }
  }

  @Test func filterThatDoesNotExistIsRefused() {
    let rows = Form(width: 3, height: 5, color: .rgb).rows
    var lines = [UInt8](repeating: 0, count: rows.count)
    lines[4 * 10] = 5
    #expect(throws: ImageError.Problem.malformed(expected: "filter type 0 to 4", found: "5")) {
      try lines.withUnsafeMutableBufferPointer { try rows.pixels($0) }
    }
  }
}
