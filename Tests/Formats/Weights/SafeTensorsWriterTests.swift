import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct SafeTensorsWriterTests {
  @Test(arguments: [[], [0], [1], [3, 0, 2], [7], [17, 13], [3, 32771]] as [[Int]])
  func tensorsComeBackBitForBit(_ extents: [Int]) throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("weights.safetensors")
    let shape = Shape(extents)
    let tensor = Tensor(shape, (0..<shape.count).map { Real($0) / 7 - 3 })
    var writer = SafeTensorsWriter()
    writer.add("x", tensor)
    try writer.write(to: url)
    let file = try SafeTensorsFile(contentsOf: url)
    #expect(try file.entry("x").type == .real)
    #expect(try file.tensor("x") == tensor)
  }

  @Test func everyKindComesBack() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("weights.safetensors")
    var writer = SafeTensorsWriter(metadata: ["format": "pt", "a \"quoted\"\n\u{1}": "é😀\\"])
    let tensor = Tensor([5], [0, -1, 0.1, 65504, 1e-7])
    for type in [ElementType.f16, .bf16, .f32, .f64] { writer.add(type.rawValue, tensor, as: type) }
    writer.add("mask", bytes: [0, 255, 7], shape: [3, 1])
    writer.add("step", integers: [.min, .max, 0])
    try writer.write(to: url)
    let file = try SafeTensorsFile(contentsOf: url)
    #expect(file.metadata == writer.metadata)
    #expect(file.names == ["BF16", "F16", "F32", "F64", "mask", "step"])
    #expect(try file.tensor("F64") == tensor)
    #expect(try file.tensor("F32").values == tensor.values.map { Real(Float($0)) })
    #expect(
      try file.tensor("F16").values
        == tensor.values.map { Real(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) })
    #expect(
      try file.tensor("BF16").values
        == tensor.values.map { Real(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(Float($0)))) })
    #expect(try file.bytes("mask") == [0, 255, 7])
    #expect(try file.entry("mask").shape == [3, 1])
    #expect(try file.tensor("mask").values == [0, 255, 7])
    #expect(try file.integers("step") == [.min, .max, 0])
  }

  @Test func orderOfAdditionChangesNoByteAndTensorsAreAligned() throws {
    let folder = try TemporaryFolder()
    let additions: [(inout SafeTensorsWriter) -> Void] = [
      { $0.add("mask", bytes: [1, 2, 3]) }, { $0.add("b", Tensor([3], repeating: 1), as: .f32) },
      { $0.add("a", Tensor([2], repeating: 2), as: .f32) }, { $0.add("half", Tensor([1], repeating: 3), as: .f16) },
      { $0.add("step", integers: [4]) },
    ]
    var files: [Data] = []
    for order in [additions, additions.reversed()] {
      var writer = SafeTensorsWriter(metadata: ["z": "1", "a": "2"])
      for add in order { add(&writer) }
      let url = try folder.file("\(files.count).safetensors")
      try writer.write(to: url)
      files.append(try Data(contentsOf: url))
      let file = try SafeTensorsFile(contentsOf: url)
      for name in file.names {
        let entry = try file.entry(name)
        #expect(entry.range.lowerBound % entry.type.size == 0, "\(name)")
      }
    }
    #expect(files[0] == files[1])
    #expect(files[0][0] % 8 == 0)
  }

  @Test func wrongKindAndMissingNameAreRefused() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("weights.safetensors")
    var writer = SafeTensorsWriter()
    writer.add("weight", Tensor([1], repeating: 1), as: .f32)
    writer.add("step", integers: [1, (1 << 53) + 1])
    try writer.write(to: url)
    let file = try SafeTensorsFile(contentsOf: url)
    func message(_ body: () throws -> Void) throws -> String {
      try #require(throws: WeightFileError.self, performing: body).description
    }
    #expect(
      try message { _ = try file.integers("weight") }.hasSuffix(#"tensor "weight": expected integers, found F32"#))
    #expect(try message { _ = try file.bytes("step") }.hasSuffix("expected bytes (U8 or BOOL), found I64"))
    #expect(
      try message { _ = try file.tensor("step") }
        .hasSuffix("expected integers that \(Real.self) can hold, found 9007199254740993 as element 1"))
    #expect(
      try message { _ = try file.tensor("bias") }.hasSuffix(#"expected a tensor "bias", found none of that name"#))
  }

  @Test func storedBooleansAndLargeIntegersAreChecked() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"b":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]},"#
      + #""u":{"dtype":"U64","shape":[1],"data_offsets":[2,10]}}"#
    let bytes = withUnsafeBytes(of: UInt64(header.utf8.count), Array.init) + header.utf8 + [1, 2]
    let url = try folder.write(bytes + [UInt8](repeating: 255, count: 8), to: "weights.safetensors")
    let file = try SafeTensorsFile(contentsOf: url)
    #expect(try file.bytes("b") == [1, 2])
    let boolean = try #require(throws: WeightFileError.self) { try file.tensor("b") }
    #expect(boolean.description.hasSuffix(#"tensor "b": expected booleans of 0 or 1, found 2 as element 1"#))
    let large = try #require(throws: WeightFileError.self) { try file.integers("u") }
    #expect(large.description.hasSuffix("expected integers below 2^63, found 18446744073709551615 as element 0"))
  }
}
