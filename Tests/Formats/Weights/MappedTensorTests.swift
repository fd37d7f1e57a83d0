import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

/// Large tensors of the type `Real` stay in the file that holds them.
@Suite struct MappedTensorTests {
  private let tensor = Tensor([129, 257], (0..<129 * 257).map { Real($0) / 7 - 3 })

  private func file(in folder: TemporaryFolder) throws -> SafeTensorsFile {
    let url = try folder.file("weights.safetensors")
    var writer = SafeTensorsWriter()
    writer.add("x", tensor)
    try writer.write(to: url)
    return try SafeTensorsFile(contentsOf: url)
  }

  @Test func nothingIsCopied() throws {
    let file = try file(in: TemporaryFolder())
    let stored = try file.withBytes("x") { $0.baseAddress }
    let lies = try Tensor.read(file.tensor("x")) { UnsafeRawPointer($0) == stored }
    #expect(lies)
  }

  @Test func tensorsOutliveTheFile() throws {
    let folder = try TemporaryFolder()
    let x = try file(in: folder).tensor("x")
    try AtomicFile.write(Array("another file".utf8), to: folder.file("weights.safetensors"))
    #expect(x == tensor)
  }

  @Test func changesStayInMemory() throws {
    let file = try file(in: TemporaryFolder())
    var x = try file.tensor("x")
    let before = file.sha256
    x.write { $0[0] = 100 }
    var flat = try file.tensor("x").reshaped(to: [129 * 257])
    flat.write { $0[1] = 100 }
    #expect(x.values[0] == 100 && flat.values[1] == 100)
    #expect(try file.tensor("x") == tensor)
    #expect(file.sha256 == before)
  }

  /// A header of any length puts the elements at any address; smaller tensors and other types are converted.
  @Test(arguments: 0..<8) func otherAddressesAreCopied(_ shift: Int) throws {
    let folder = try TemporaryFolder()
    let values = tensor.values
    let size = values.count * MemoryLayout<Real>.stride
    let type = ElementType.real.rawValue
    let entry = #"{"dtype":"\#(type)","shape":[129,257],"data_offsets":[0,\#(size)]}"#
    let header = "{\"x\":\(entry)}" + String(repeating: " ", count: shift)
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    let bytes = [length, Array(header.utf8), values.withUnsafeBytes { Array($0) }].flatMap { $0 }
    let file = try SafeTensorsFile(contentsOf: folder.write(bytes, to: "shifted.safetensors"))
    let x = try file.tensor("x")
    let lies = try file.withBytes("x") { stored in Tensor.read(x) { UnsafeRawPointer($0) == stored.baseAddress } }
    #expect(lies == ((8 + header.utf8.count) % MemoryLayout<Real>.alignment == 0))
    #expect(x == tensor)
  }
}
