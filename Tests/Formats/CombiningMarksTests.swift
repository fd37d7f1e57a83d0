import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// Strings that take long to compare: a name of 80 kB took half a minute.
@Suite struct CombiningMarksTests {
  /// Two classes of marks in turn, which Swift sorts.
  private static func marks(_ count: Int) -> String {
    "a" + (0..<count).map { $0 % 2 == 0 ? "\u{301}" : "\u{316}" }.joined()
  }

  @Test func marksInARowAreCounted() {
    func excess(_ text: String) -> Int? { CombiningMarks.excess(in: Array(text.utf8)) }
    #expect(excess("") == nil && excess(String(repeating: "é", count: 1000)) == nil)
    #expect(excess(Self.marks(30)) == nil && excess(Self.marks(31)) == 63)
    #expect(excess(String(repeating: Self.marks(30), count: 100)) == nil)
    // Beyond 16 bits: U+1D165, a stem of a musical note.
    #expect(excess(String(repeating: "\u{1D165}", count: 31)) == 124)
    // U+0F73 is of class 0, and made of two marks that are not.
    #expect(excess(String(repeating: "\u{F73}", count: 31)) == 93)
    #expect(excess(String(repeating: "नमस्ते क्षत्रिय ", count: 100)) == nil)
    #expect(excess(String(repeating: "中文", count: 100) + String(repeating: "\u{200D}", count: 100)) == nil)
  }

  @Test func escapesOfJSONCount() {
    func excess(_ text: String, _ count: Int) -> Int? {
      CombiningMarks.excess(in: Array(String(repeating: text, count: count).utf8))
    }
    #expect(excess(#"\u0301"#, 30) == nil && excess(#"\u0301"#, 31) == 186)
    #expect(excess(#"\uD834\uDD65"#, 31) == 372 && excess(#"\ud834\u0041"#, 31) == nil)
    #expect(excess("\u{301}\\u0316", 16) != nil && excess(#"\\u0301"#, 100) == nil && excess(#"\n"#, 100) == nil)
    #expect(excess(#"\u03"#, 100) == nil && excess(#"\u"#, 100) == nil && excess(#"\"#, 1) == nil)
  }

  /// Bytes that are no UTF-8 are no marks, and end a row of them.
  @Test(arguments: [[0xCC], [0x81], [0xFF], [0xE2, 0x82], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
  func otherBytesAreNoMarks(_ bytes: [UInt8]) {
    let marks = Array(Self.marks(30).utf8)
    #expect(CombiningMarks.excess(in: Array(repeating: bytes, count: 100).flatMap(\.self)) == nil)
    #expect(CombiningMarks.excess(in: marks + bytes + [0x20] + marks) == nil)
  }

  @Test func filesOfTextAreRefused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(Array(Self.marks(31).utf8), to: "names.txt")
    let error = #expect(throws: FileError.self) { try MappedFile.text(of: file) }
    #expect(error?.description == "\(file.path): expected at most 30 combining marks in a row, found more at byte 63")
    #expect(try MappedFile.bytes(of: file).count == 63)
    let json = "[\"\(Self.marks(50_000))\"]"
    #expect(throws: JSONTextError.self) { try JSON.decoded([String].self, from: json.utf8) }
    #expect(throws: JSONTextError.self) { try JSONDocument(Array(json.utf8)) }
  }

  @Test func namesOfTensorsAreRefused() throws {
    let folder = try TemporaryFolder()
    let header = Array("{\"\(Self.marks(20_000))\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}".utf8)
    let size = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    let file = try folder.write(size + header, to: "a.safetensors")
    let error = #expect(throws: WeightFileError.self) { try SafeTensorsFile(contentsOf: file) }
    #expect(error.map { "\($0)".contains("at most 30 combining marks in a row") } == true)
  }
}
