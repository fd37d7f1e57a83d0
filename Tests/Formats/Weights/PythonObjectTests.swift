import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// The structure of a checkpoint.
@Suite struct PythonObjectTests {
  private func object(_ pickle: PickleBuilder, _ storages: [String: [UInt8]] = [:]) throws -> PythonObject {
    let folder = try TemporaryFolder()
    return try TorchFile(contentsOf: try folder.write(pickle.archive(storages).file, to: "a.pth")).object()
  }

  @Test func structureAndOrderAreKept() throws {
    let found = try object(
      PickleBuilder().op("}(").string("b").op("](").integer(1).tuple([2, 3]).op("e").string("a")
        .tensor("0", "LongStorage", count: 1, size: [1], stride: [1]).string("shape").global("torch", "Size").tuple([4])
        .raw([0x85]).op("Ru"), ["0": [UInt8](repeating: 0, count: 8)])
    #expect(found.pairs?.map(\.key) == [.string("b"), .string("a"), .string("shape")])
    #expect(found["b"] == .list([.integer(1), .list([.integer(2), .integer(3)])]))
    #expect(found["a"] == .tensor && found["shape"]?.items == [.integer(4)] && found["c"] == nil)
  }

  /// A list that holds another twice, 40 times over: 2⁴⁰ objects of a few bytes.
  @Test func sharedListsAreNotCopiedWithoutEnd() throws {
    var pickle = PickleBuilder().op("]")
    for _ in 0..<40 { pickle = pickle.op("q").raw([0]).op("0](h").raw([0]).op("h").raw([0]).op("e") }
    let error = try #require(throws: WeightFileError.self) {
      try object(PickleBuilder().op("}").string("a").raw(Array(pickle.bytes.dropFirst(2))).op("s"))
    }
    #expect(error.description.contains("a.pth: expected objects of at most"), "\(error)")
  }

  private func scalar(_ type: String, _ order: String, _ bytes: [UInt8]) throws -> PythonObject? {
    let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    let dtype = PickleBuilder().op("}").string("a").global("numpy.core.multiarray", "scalar")
      .global("numpy", "dtype").op("(").string(type).integer(0).integer(1).op("tR")
      .op("(").integer(3).string(order).op("NNN").integer(-1).integer(-1).integer(0).op("tb")
    return try object(
      dtype.global("_codecs", "encode").string(text).string("latin1").raw([0x86]).op("R").raw([0x86]).op("Rs"))["a"]
  }

  /// NumPy's scalars, such as a product of extents that `numpy.cumprod` gave.
  @Test func numPyScalarsAreTheirValues() throws {
    #expect(try scalar("i8", "<", [0, 3, 0, 0, 0, 0, 0, 0]) == .integer(768))
    #expect(try scalar("i8", ">", [255, 255, 255, 255, 255, 255, 255, 254]) == .integer(-2))
    #expect(try scalar("i4", "<", [254, 255, 255, 255]) == .integer(-2))
    #expect(try scalar("u1", "|", [200]) == .integer(200) && scalar("b1", "|", [1]) == .bool(true))
    #expect(try scalar("f4", "<", bytes(Float(1.5).bitPattern)) == .number(1.5))
    #expect(try scalar("f8", "<", bytes((-2.25).bitPattern)) == .number(-2.25))
  }

  @Test(
    arguments: [
      ("i8", [1]), ("O8", [0, 0, 0, 0, 0, 0, 0, 0]), ("b1", [2]), ("u8", [255, 255, 255, 255, 255, 255, 255, 255]),
    ] as [(String, [UInt8])])
  func otherNumPyScalarsAreRefused(_ type: String, _ bytes: [UInt8]) throws {
    let error = try #require(throws: WeightFileError.self) { try scalar(type, "<", bytes) }
    #expect(error.description.contains("\(type)\" of \(bytes.count) bytes"), "\(error)")
  }
}
