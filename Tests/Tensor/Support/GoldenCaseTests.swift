import FrugalTestSupport
import Tensor
import Testing

@Suite struct GoldenCaseTests {
  static let cases = GoldenSet.allCases.filter { $0 != .images }.flatMap { $0.foundCases() }
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

  @Test(.golden(.ops)) func casesAreFoundByOperationAndName() throws {
    let linear = GoldenSet.ops.cases(op: "linear")
    #expect(!linear.isEmpty && linear.allSatisfy { $0.op == "linear" })
    for golden in linear {
      #expect(try GoldenSet.ops.golden(golden.name).url == golden.url)
      #expect(golden.args["absent"].isNull && golden.rtol > 0)
      let tensors = try golden.tensors()
      let (rows, columns) = (try #require(golden.args["out"].int), try #require(golden.args["in"].int))
      #expect(tensors["x"]?.shape.width == columns && tensors["weight"]?.shape == [rows, columns])
      #expect((tensors["bias"] != nil) == golden.args["bias"].bool)
    }
  }

  @Test func absentTensorsAndOtherShapesAreIssues() {
    let tensors = ["x": Tensor([2, 3], repeating: 1)]
    withKnownIssue { _ = try tensors.required("y") }
    withKnownIssue { _ = try tensors.required("x", [3, 2]) }
    withKnownIssue { _ = try tensors.required("x", [nil, nil, nil]) }
    withKnownIssue { _ = try tensors.required("x").required(as: [5]) }
    #expect(throws: Never.self) { try tensors.required("x", [nil, 3]).required(as: [6]) }
  }
}
