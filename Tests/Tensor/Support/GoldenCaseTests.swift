import FrugalTestSupport
import Tensor
import Testing

@Suite struct GoldenCaseTests {
  static let cases = ["clip", "ops", "optim", "ramt", "spt", "taskres", "vit"].flatMap { Fixtures.cases($0) }
    .filter { $0.url.pathExtension == "safetensors" && !$0.fields["tensors"].isNull }

  @Test(arguments: cases) func fileHoldsTheTensorsThatTheIndexLists(_ golden: GoldenCase) throws {
    let listed = try #require(golden.fields["tensors"].object)
    let file = try golden.file()
    let tensors = try golden.tensors()
    #expect(Set(file.names) == Set(listed.keys))
    for (name, tensor) in listed {
      let entry = try file.entry(name)
      #expect(entry.type.rawValue == tensor["dtype"].string)
      #expect(entry.shape.extents == tensor["shape"].ints)
      if entry.type.isFloatingPoint { #expect(tensors[name]?.shape == entry.shape) }
    }
  }

  @Test(.enabled(if: Fixtures.has("ops"), "golden files of ops are absent: set FRUGAL_FIXTURES"))
  func casesAreFoundByOperationAndName() throws {
    let linear = Fixtures.cases("ops", op: "linear")
    #expect(!linear.isEmpty && linear.allSatisfy { $0.op == "linear" })
    let golden = Fixtures.golden("ops", "linear_0")
    #expect(golden.args["in"].int == 7)
    #expect(golden.args["bias"].bool == true)
    #expect(golden.args["absent"].isNull)
    #expect(golden.rtol == 1e-5)
    #expect(try golden.tensors()["x"]?.shape == [5, 7])
  }

  @Test func absentFolderHasNoCases() { #expect(Fixtures.cases("no-such-folder").isEmpty) }
}
