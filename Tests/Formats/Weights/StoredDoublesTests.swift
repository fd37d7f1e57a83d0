import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

/// Elements in double precision, whatever the precision of the build.
@Suite struct StoredDoublesTests {
  static let values: [Double] = [0.1, -1e300, .pi, 0x1p-1074, .infinity, -0.0]

  @Test func doublesKeepEveryBit() throws {
    let folder = try TemporaryFolder()
    var writer = SafeTensorsWriter()
    writer.add("x", doubles: Self.values, shape: [2, 3])
    writer.add("n", integers: [-3, 1 << 40])
    try writer.write(to: folder.url.appendingPathComponent("a"))
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("a"))
    #expect(try file.doubles("x").map { $0.bitPattern } == Self.values.map { $0.bitPattern })
    #expect(file.shape(of: "x") == [2, 3] && file.type(of: "x") == .f64)
    #expect(try file.doubles("n") == [-3, 0x1p40])
    #expect(throws: WeightFileError.self) { try file.doubles("y") }
  }

  @Test(arguments: [[6], [2, 3], [1, 6, 1]]) func anArrayIsReadAsItWasWritten(_ extents: [Int]) throws {
    let folder = try TemporaryFolder()
    let bytes = NumPyWriter.bytes(Self.values, shape: Shape(extents))
    #expect((bytes.count - 8 * 6) % 64 == 0)
    let file = try NumPyFile(contentsOf: try folder.write(bytes, to: "x.npy"))
    #expect(file.shape(of: "x") == Shape(extents) && file.type(of: "x") == .f64)
    #expect(try file.doubles("x").map { $0.bitPattern } == Self.values.map { $0.bitPattern })
    let scalar = try NumPyFile(contentsOf: try folder.write(NumPyWriter.bytes([2], shape: []), to: "s.npy"))
    #expect(scalar.shape(of: "s") == [])
    #expect(try scalar.doubles("s") == [2])
  }
}
