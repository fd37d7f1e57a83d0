import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

/// Plain values as `torch.save` writes them, and the structure that is read back.
@Suite struct TorchWriterTests {
  static let object = PythonObject.dictionary([
    .init(
      .string("state_dict"),
      .dictionary([.init(.string("é.bits"), .bytes(Array(0...255))), .init(.string("none"), .bytes([]))])),
    .init(.string("epoch"), .integer(30)), .init(.string("large"), .integer(-(1 << 40))),
    .init(.string("rate"), .number(8e-5)), .init(.string("done"), .bool(true)), .init(.string("not"), .bool(false)),
    .init(.string("optimizer"), .none),
    .init(.string("matrices"), .list([.list([.integer(0), .integer(1)]), .list([]), .string("名")])),
  ])

  @Test func whatIsWrittenIsReadBack() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("model.pth.tar-30")
    try TorchWriter.write(Self.object, to: url)
    let file = try TorchFile(contentsOf: url)
    #expect(try file.object() == Self.object)
    #expect(file.format == "PyTorch archive" && file.names.isEmpty)
    #expect(file.values["é.bits"] == .bytes(Array(0...255)) && file.values["epoch"] == .integer(30))
    #expect(try WeightFiles.open(url) is TorchFile)
  }

  /// Byte by byte: what Python's pickle of protocol 2 makes of {"a": b"\xff"}, without its memo.
  @Test func bytesAreTextInLatin1() throws {
    let archive = TorchWriter.archive(.dictionary([.init(.string("a"), .bytes([0xff]))]))
    let pickle: [UInt8] = PickleBuilder().op("}(").string("a").global("_codecs", "encode").string("\u{ff}")
      .string("latin1").raw([0x86]).op("Ru").end
    #expect(archive.firstRange(of: pickle) != nil)
  }

  @Test func equalValuesAreEqualFiles() {
    #expect(TorchWriter.archive(Self.object) == TorchWriter.archive(Self.object))
  }
}
