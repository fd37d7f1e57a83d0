import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct SafeTensorsHeaderTests {
  struct Bad: CustomStringConvertible, Sendable {
    var name: String
    var header: String
    var dataBytes = 8
    var message: String
    var description: String { name }

    init(_ name: String, _ header: String, data: Int = 8, _ message: String) {
      (self.name, self.header, dataBytes, self.message) = (name, header, data, message)
    }
  }

  static func entry(_ type: String, _ shape: String, _ offsets: String) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static let good = entry("F32", "[2]", "[0,8]")

  static let bad: [Bad] = [
    .init("empty header", "", #"expected "{" as the first byte, found the end of the JSON text"#),
    .init("not an object", "[]", #"expected "{" as the first byte, found "[" at byte 0 of the JSON text"#),
    .init("leading space", " {}", #"expected "{" as the first byte, found "{" at byte 1 of the JSON text"#),
    .init("text behind", "{} x", data: 0, #"expected nothing after the JSON value, found "x""#),
    .init("no colon", #"{"a" 1}"#, #"expected ":", found "1""#),
    .init("comma at the end", #"{"a":\#(good),}"#, #"expected a string, found "}""#),
    .init("name not closed", #"{"a"#, "expected the end of the string at byte 2, found the end of the JSON text"),
    .init("bare newline in a name", "{\"a\n\":1}", "expected a string without bare control characters, found byte 10"),
    .init("unknown escape", #"{"\x":1}"#, "expected one of the escapes of JSON"),
    .init("short escape", #"{"\u12":1}"#, "expected four hexadecimal digits"),
    .init("half a surrogate pair", #"{"\ud800":1}"#, "expected a pair of surrogates"),
    .init("two low surrogates", #"{"\ud800\ud800":1}"#, "expected a pair of surrogates"),
    .init("two metadata", #"{"__metadata__":{},"__metadata__":{}}"#, #"expected one "__metadata__", found two"#),
    .init("metadata key twice", #"{"__metadata__":{"k":"","k":""}}"#, #"expected each key once, found "k" twice"#),
    .init("metadata of numbers", #"{"__metadata__":{"k":1}}"#, #"expected a string, found "1""#),
    .init("tensor twice", #"{"a":\#(good),"a":\#(good)}"#, #"tensor "a": expected each name once, found it twice"#),
    .init(
      "escaped name twice", #"{"a":\#(good),"\u0061":\#(good)}"#,
      #"tensor "a": expected each name once, found it twice"#),
    .init(
      "field twice", #"{"a":{"dtype":"F32","dtype":"F32"}}"#,
      #"tensor "a": expected each field once, found "dtype" twice"#),
    .init(
      "unknown field", #"{"a":{"extra":1}}"#,
      #"tensor "a": expected only dtype, shape and data_offsets, found the field "extra""#),
    .init("no dtype", #"{"a":{}}"#, #"tensor "a": expected a dtype, found none"#),
    .init("no shape", #"{"a":{"dtype":"F32"}}"#, #"tensor "a": expected a shape, found none"#),
    .init("no offsets", #"{"a":{"dtype":"F32","shape":[]}}"#, #"tensor "a": expected data_offsets, found none"#),
    .init("unknown type", #"{"a":\#(entry("F31", "[2]", "[0,8]"))}"#, #", U64, found "F31""#),
    .init("lower-case type", #"{"a":\#(entry("f32", "[2]", "[0,8]"))}"#, #", U64, found "f32""#),
    .init("null entry", #"{"a":null}"#, #"tensor "a": expected "{", found "n""#),
    .init("one offset", #"{"a":\#(entry("F32", "[2]", "[0]"))}"#, #"tensor "a": expected 2 data_offsets, found 1"#),
    .init(
      "reversed offsets", #"{"a":\#(entry("F32", "[2]", "[8,0]"))}"#,
      "expected data_offsets in order and within the 8 bytes of data, found [8, 0]"),
    .init(
      "offset past the end", #"{"a":\#(entry("F32", "[3]", "[0,12]"))}"#, "within the 8 bytes of data, found [0, 12]"),
    .init("leading zero", #"{"a":\#(entry("F32", "[02]", "[0,8]"))}"#, "expected an integer without leading zeros"),
    .init("exponent", #"{"a":\#(entry("F32", "[2e0]", "[0,8]"))}"#, #"expected "]" in "shape", found "e""#),
    .init("extent of 2^63", #"{"a":\#(entry("F32", "[9223372036854775808]", "[0,8]"))}"#, "an integer below 2^63"),
    .init(
      "overflow behind a zero", #"{"a":\#(entry("F32", "[0,4611686018427387904,4]", "[0,0]"))}"#, data: 0,
      "expected a shape of fewer than 2^63 bytes, found an overflow"),
    .init(
      "shape too small", #"{"a":\#(entry("F64", "[2]", "[0,8]"))}"#,
      "expected 16 bytes for F64 of shape [2], found data_offsets of 8 bytes"),
    .init(
      "shape smaller than its range", #"{"a":\#(entry("F32", "[1]", "[0,8]"))}"#,
      "expected 4 bytes for F32 of shape [1], found data_offsets of 8 bytes"),
    .init(
      "hole", #"{"a":\#(entry("F32", "[1]", "[0,4]")),"b":\#(entry("U8", "[3]", "[5,8]"))}"#,
      #"tensor "b": expected data from offset 4 on, found offset 5 (hole before it)"#),
    .init(
      "overlap", #"{"a":\#(entry("F32", "[1]", "[0,4]")),"b":\#(entry("U8", "[5]", "[3,8]"))}"#,
      #"tensor "b": expected data from offset 4 on, found offset 3 (overlap with another tensor)"#),
    .init(
      "empty tensor inside another", #"{"a":\#(good),"b":\#(entry("U8", "[0]", "[4,4]"))}"#,
      #"tensor "b": expected data from offset 8 on, found offset 4 (overlap with another tensor)"#),
    .init("data behind", #"{"a":\#(good)}"#, data: 9, "expected 8 bytes of data, the sum of all tensors, found 9"),
    .init("deep", #"{"a":\#(String(repeating: "[", count: 1_000_000))"#, #"tensor "a": expected "{", found "[""#),
  ]

  static func file(_ header: some Collection<UInt8>, data: Int) -> [UInt8] {
    let count = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
    return count + header + [UInt8](repeating: 0, count: data)
  }

  @Test(arguments: bad) func brokenHeaderIsRefusedWithItsReason(_ bad: Bad) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(Self.file(Array(bad.header.utf8), data: bad.dataBytes), to: "weights.safetensors")
    let error = try #require(throws: WeightFileError.self) { try SafeTensorsFile(contentsOf: url) }
    #expect(error.description.hasPrefix(url.path + ": "))
    #expect(error.description.contains(bad.message))
  }

  @Test func validCornersAreAccepted() throws {
    let folder = try TemporaryFolder()
    let header = """
      {"\\u00e9\\ud83d\\ude00\\t\\/\\"":{"data_offsets":[0,4],"dtype":"F32","shape":[]},
       "empty" : { "shape" : [ 3, 0 ], "dtype" : "F64", "data_offsets" : [ 4, 4 ] },
       "":{"dtype":"U8","shape":[1,1],"data_offsets":[4,5]},"__metadata__":{}}\n\t\r
      """
    let url = try folder.write(Self.file(Array(header.utf8), data: 5), to: "weights.safetensors")
    let file = try SafeTensorsFile(contentsOf: url)
    #expect(file.names == ["", "empty", "é😀\t/\""].sorted())
    #expect(try file.tensor("é😀\t/\"").shape == [])
    #expect(try file.tensor("empty").shape == [3, 0])
    #expect(try file.bytes("") == [0])
  }

  @Test func invalidUTF8IsRefused() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(Self.file([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a], data: 0), to: "weights.safetensors")
    let error = try #require(throws: WeightFileError.self) { try SafeTensorsFile(contentsOf: url) }
    #expect(error.description.contains("expected a string in UTF-8"))
  }

  @Test(arguments: 0..<8) func lengthFieldCutShortIsRefused(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write([UInt8](repeating: 0, count: count), to: "weights.safetensors")
    let error = try #require(throws: WeightFileError.self) { try SafeTensorsFile(contentsOf: url) }
    #expect(error.description.hasSuffix("expected 8 bytes of header length, found \(count) bytes in total"))
  }

  @Test func missingFileAndFolderAreRefused() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appendingPathComponent("none.safetensors")
    #expect(
      throws: WeightFileError.unreadable(
        FileError(file: missing.path, expected: "a readable file", found: "no such file or directory"))
    ) { try SafeTensorsFile(contentsOf: missing) }
    #expect(
      throws: WeightFileError.unreadable(
        FileError(file: folder.url.path, expected: "a regular file", found: "a folder"))
    ) { try SafeTensorsFile(contentsOf: folder.url) }
  }

  /// Seeded changes of a good file: each is read to its last element or refused, and none stops the process.
  @Test(arguments: 0..<8) func mutationsAreReadOrRefused(_ seed: UInt64) throws {
    let folder = try TemporaryFolder()
    var writer = SafeTensorsWriter(metadata: ["k": "v"])
    writer.add("a", Tensor([2, 3], repeating: 1), as: .f32)
    writer.add("b", Tensor([3], repeating: 2), as: .f16)
    writer.add("c", bytes: [1, 2, 3])
    writer.add("d", integers: [-1, 1 << 60])
    let url = try folder.file("weights.safetensors")
    try writer.write(to: url)
    let good = Array(try Data(contentsOf: url))
    // Knuth's 64-bit linear congruential generator; its upper bits are good enough to choose positions.
    var state = seed
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let alphabet = Array(#"{}[]":,\u0123456789-.eEnft FIUB_"#.utf8)
    var refused = 0
    for _ in 0..<200 {
      var bytes = good
      for _ in 0...draw(3) {
        switch draw(5) {
        case 0: bytes[draw(bytes.count)] = UInt8(draw(256))
        case 1: bytes[min(8 + draw(200), bytes.count - 1)] = alphabet[draw(alphabet.count)]
        case 2: bytes.remove(at: draw(bytes.count))
        case 3: bytes.insert(alphabet[draw(alphabet.count)], at: draw(bytes.count))
        default: bytes.removeLast(draw(bytes.count / 2))
        }
      }
      try folder.write(bytes, to: "weights.safetensors")
      do throws(WeightFileError) {
        let file = try SafeTensorsFile(contentsOf: url)
        for name in file.names {
          do throws(WeightFileError) {
            #expect(try file.tensor(name).count == file.entry(name).shape.count)
          } catch { #expect(error.description.contains("can hold") || error.description.contains("booleans")) }
        }
      } catch {
        refused += 1
        #expect(error.description.contains(": expected "))
      }
    }
    #expect(refused > 100)
  }
}
