import Foundation
import FrugalTestSupport
import Testing

/// A broken or hostile file among the golden files of weights.
struct BrokenWeightFile: CustomTestStringConvertible, Sendable {
  /// Its path in the folder.
  let path: String
  /// What a reader must do: "error", "error-or-accept", "accept (no entries)".
  let expectation: String
  let root: GoldenRoot
  var url: URL { GoldenSet.weightsIO.url(path, in: root) }
  var testDescription: String { "\(path) (\(root))" }

  static let all: [BrokenWeightFile] = GoldenRoot.all.flatMap { root in
    ((try? GoldenSet.weightsIO.json("bad.json", in: root))?.array ?? []).map {
      BrokenWeightFile(path: $0["file"].string ?? "?", expectation: $0["expect"].string ?? "?", root: root)
    }
  }

  /// Those whose suite is `NumPyGoldenTests`, `TorchGoldenTests`, `SafeTensorsGoldenTests`.
  static let numPy = all.filter { [".npy", ".npz"].contains(where: $0.path.hasSuffix) }
  static let torch = all.filter { $0.path.hasSuffix(".pt") }
  static let safeTensors = all.filter { $0.path.contains("safetensors") }
}

@Suite(.golden(.weightsIO)) struct BrokenWeightFileTests {
  @Test func everyFileHasItsSuite() throws {
    let root = GoldenRoot.ofTheTest
    let parts = [BrokenWeightFile.numPy, BrokenWeightFile.torch, BrokenWeightFile.safeTensors]
      .map { $0.filter { $0.root == root } }
    #expect(parts.allSatisfy { !$0.isEmpty })
    let paths = parts.flatMap { $0.map(\.path) }
    #expect(paths.sorted() == BrokenWeightFile.all.filter { $0.root == root }.map(\.path).sorted())
    #expect(try paths.count == GoldenSet.weightsIO.golden("bad").args["count"].int)
  }
}
