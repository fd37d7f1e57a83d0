import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct NumPyFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A `.npy` file with a header of any text.
  private static func npy(_ header: String, _ data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
    let length = version == 1 ? bytes(UInt16(header.utf8.count)) : bytes(UInt32(header.utf8.count))
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
    return start + length + Array(header.utf8) + data
  }

  private func open(_ bytes: [UInt8], _ name: String = "array.npy") throws -> NumPyFile {
    try NumPyFile(contentsOf: try folder.write(bytes, to: name))
  }

  private static let numbers: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n",
    "{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"=f4\"}",
    "{ 'shape' : (1, 2L) , 'descr':'f4','fortran_order' :False}",
    "{'shape': (2, 1,), 'fortran_order': True,'descr': '<f4'}",
  ]) func anyWayToWriteTheHeaderIsRead(_ header: String) throws {
    for version: UInt8 in [1, 2, 3] {
      let file = try open(Self.npy(header, Self.numbers, version: version))
      #expect(file.names == ["array"])
      #expect(try file.tensor("array").values == [1, -2])
      #expect(throws: WeightFileError.self) { try file.integers("array") }
    }
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let header: String
    let message: String
  }

  private static func bad(_ name: String, _ header: String, _ message: String) -> Bad {
    Bad(testDescription: name, header: header, message: message)
  }

  private static func dictionary(_ descr: String, _ shape: String = "(2,)") -> String {
    "{'descr': \(descr), 'fortran_order': False, 'shape': \(shape)}"
  }

  static let bad: [Bad] = [
    bad("empty", "", "expected \"{\", found the end of the header"),
    bad("not a dictionary", "[]", "expected \"{\", found \"[\" at byte 0"),
    bad("text behind", dictionary("'<f4'") + "x", "expected nothing after the header's dictionary, found \"x\""),
    bad("not closed", "{'descr': '<f4'", "expected \"}\", found the end of the header"),
    bad("string not closed", "{'descr", "expected the end of a key"),
    bad("no descr", "{'fortran_order': False, 'shape': ()}", "expected a 'descr' in the header"),
    bad("no order", "{'descr': '<f4', 'shape': ()}", "expected a 'fortran_order' in the header"),
    bad("no shape", "{'descr': '<f4', 'fortran_order': False}", "expected a 'shape' in the header"),
    bad("twice", "{'descr': '<f4', 'descr': '<f4'}", "once each, found \"descr\""),
    bad("other key", "{'x': 1}", "expected 'descr', 'fortran_order' and 'shape', once each, found \"x\""),
    bad("objects", dictionary("'|O'"), "found \"|O\": Python objects, which would need pickle"),
    bad("records", dictionary("[('a', '<f4')]"), "(arrays of records are not supported), found \"[\""),
    bad("complex", dictionary("'<c8'"), "u8, found \"<c8\""), bad("text", dictionary("'<U3'"), "u8, found \"<U3\""),
    bad("no type", dictionary("''"), "u8, found \"\""), bad("order alone", dictionary("'<'"), "u8, found \"<\""),
    bad("order as a number", "{'fortran_order': 1}", "expected True or False"),
    bad("negative", dictionary("'<f4'", "(-2,)"), "expected an extent of 0 or more, found \"-\""),
    bad("fraction", dictionary("'<f4'", "(2.0,)"), "expected \")\", found \".\""),
    bad("a call", dictionary("'<f4'", "(f(),)"), "expected an extent of 0 or more, found \"f\""),
    bad("list", dictionary("'<f4'", "[2]"), "expected \"(\", found \"[\""),
    bad("2^64", dictionary("'<f4'", "(18446744073709551616,)"), "expected an extent below 2^63"),
    bad("overflow", dictionary("'<f4'", "(4611686018427387904, 8)"), "expected a shape of fewer than 2^63 bytes"),
    bad(
      "overflow behind 0", dictionary("'<f4'", "(4611686018427387904, 8, 0)"),
      "expected a shape of fewer than 2^63 bytes"),
    bad("too few data", dictionary("'<f4'", "(3,)"), "expected 12 bytes of data for F32 of shape [3], found 8"),
    bad("too many data", dictionary("'<f4'", "()"), "expected 4 bytes of data for F32 of shape [], found 8"),
  ]

  @Test(arguments: bad) func aBrokenHeaderIsRefusedWithItsReason(_ bad: Bad) throws {
    let error = try #require(throws: WeightFileError.self) { try open(Self.npy(bad.header, Self.numbers)) }
    #expect(error.description.contains("array.npy: "))
    #expect(error.description.contains(bad.message), "\(error)")
    let archive = ZipBuilder([.init("w/x.npy", Self.npy(bad.header, Self.numbers)).deflated()]).file
    let other = try #require(throws: WeightFileError.self) { try open(archive, "weights.npz") }
    #expect(other.description.contains("weights.npz: tensor \"w/x\": "))
    #expect(other.description.contains(bad.message), "\(other)")
  }

  @Test func whatIsNeitherIsRefused() throws {
    for text in ["", "\u{93}", "text of some length, which is nothing"] {
      let error = try #require(throws: WeightFileError.self) { try open(Array(text.utf8)) }
      #expect(error.description.contains("array.npy: expected "))
    }
    let other = try #require(throws: WeightFileError.self) { try open(ZipBuilder([.init("a.txt", [1])]).file) }
    #expect(other.description.contains("expected an archive of arrays (NAME.npy), found \"a.txt\""))
    #expect(throws: WeightFileError.self) { try NumPyFile(contentsOf: folder.url) }
    #expect(throws: WeightFileError.self) { try NumPyFile(contentsOf: folder.url.appendingPathComponent("none.npz")) }
  }

  @Test func aHeaderOfAnyLengthIsBounded() throws {
    let long = Self.dictionary("'<f4'") + String(repeating: " ", count: 60_000)
    #expect(try open(Self.npy(long, Self.numbers, version: 2)).tensor("array").values == [1, -2])
    let longer = long + String(repeating: " ", count: 10_000)
    let error = try #require(throws: WeightFileError.self) { try open(Self.npy(longer, Self.numbers, version: 2)) }
    #expect(error.description.contains("expected a header of at most 65536 bytes"))
  }

  @Test func theOneArrayOfThatNameIsFound() throws {
    let file = try open(Self.npy(Self.dictionary("'<f4'"), Self.numbers))
    #expect(file.shape(of: "other") == nil && file.type(of: "other") == nil)
    let error = try #require(throws: WeightFileError.self) { try file.tensor("other") }
    #expect(error.description.contains("expected a tensor \"other\", found none of that name"))
  }

  @Test func bothOrdersAndEitherEndReadAlike() throws {
    // 0, 1, … 23 of shape [2, 3, 4], as 16-bit integers.
    let rows = (0..<24).map(Int16.init)
    let columns = (0..<24).map { index in
      let (i, j, k) = (index % 2, index / 2 % 3, index / 6)
      return rows[(i * 3 + j) * 4 + k]
    }
    for (order, numbers) in [("False", rows), ("True", columns)] {
      for end in ["<", ">"] {
        let data = numbers.flatMap { bytes(end == "<" ? $0 : $0.byteSwapped) }
        let header = "{'descr': '\(end)i2', 'fortran_order': \(order), 'shape': (2, 3, 4)}"
        let file = try open(Self.npy(header, data))
        #expect(try file.integers("array") == (0..<24).map(Int64.init))
        #expect(try file.tensor("array") == Tensor([2, 3, 4], (0..<24).map { Real($0) }))
      }
    }
  }

  /// The arrays of the archives that the clone carries; see `NumPyGoldenTests` for all of them.
  private static let archives = ["stored.npz", "deflated.npz", "streamed.npz"]

  private static func archive(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Fixtures.embedded.appendingPathComponent("weights/\(name)")))
  }

  private static let integers: [Int64] = [-3, -6, 4, -26, 13, -6, 9, -3, -8, 4, -4, -9]

  @Test(arguments: archives) func archivesReadAsNumPyWroteThem(_ name: String) throws {
    let file = try open(try Self.archive(name), name)
    #expect(file.names == ["a/bias", "a/kernel", "deep/er/name", "n", "s", "u"])
    #expect(file.format == "NumPy archive")
    #expect(try file.integers("n") == Self.integers && file.shape(of: "n") == [3, 4])
    #expect(try file.integers("u") == Self.integers.map(abs))
    #expect(try file.tensor("s") == Tensor(3))
    // The integers are what is left of the point.
    #expect(try file.tensor("deep/er/name").values.map { Int64($0) } == Self.integers)
    #expect(try file.tensor("a/kernel").values.map { Int64($0) } == Self.integers)
    // Halves have 11 bits.
    let (halves, singles) = (try file.tensor("a/bias").values, try file.tensor("a/kernel").values)
    for (half, single) in zip(halves, singles) { #expect(abs(half - single) <= abs(single) * 0x1p-11) }
    #expect(["deep/er/name", "a/kernel", "a/bias"].map(file.type) == [.f64, .f32, .f16])
  }

  @Test(arguments: archives) func damageIsNoticedOrHarmless(_ name: String) throws {
    let good = try Self.archive(name)
    let intact = try open(good, name)
    let values = Dictionary(uniqueKeysWithValues: try intact.names.map { ($0, try intact.tensor($0)) })
    func check(_ damaged: [UInt8]) throws {
      do throws(WeightFileError) {
        let url: URL
        do { url = try folder.write(damaged, to: name) } catch { return }
        let file = try NumPyFile(contentsOf: url)
        for array in file.names {
          do throws(WeightFileError) {
            let tensor = try file.tensor(array)
            // Another name is no damage that a checksum of the contents can notice.
            if let want = values[array] { #expect(tensor == want || values.values.contains(tensor)) }
          } catch { #expect(error.description.contains(": expected ")) }
        }
      } catch { #expect(error.description.contains("\(name): ")) }
    }
    try Damage.prefixes(of: good, check)
    try Damage.flips(of: good, seed: 1, check)
    try Damage.changes(of: good, count: 500, seed: 2, check)
  }

  @Test func aDamagedArrayIsReadOrRefused() throws {
    let good = Self.npy(Self.dictionary("'<f4'", "(1, 2)") + "\n", Self.numbers)
    func check(_ damaged: [UInt8]) throws {
      do throws(WeightFileError) {
        let url: URL
        do { url = try folder.write(damaged, to: "array.npy") } catch { return }
        let file = try NumPyFile(contentsOf: url)
        #expect(try file.tensor("array").count <= 8)
      } catch { #expect(error.description.contains("array.npy: ")) }
    }
    try Damage.prefixes(of: good, check)
    try Damage.flips(of: good, values: 20, seed: 5, check)
    try Damage.changes(of: good, count: 1000, seed: 6, check)
  }
}
