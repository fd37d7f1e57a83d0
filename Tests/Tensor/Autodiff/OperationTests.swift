import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct OperationTests {
  /// Files in the folder of operations that serve several of them.
  private static let shared: Set = ["DropDraw"]

  @Test func everyOperationHasAFileOfItsName() throws {
    let folder = Fixtures.package.appendingPathComponent("Sources/Tensor/Operations")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
      String($0.prefix { $0 != "." })
    }
    #expect(
      Set(files).subtracting(Self.shared).map { $0.lowercased() }.sorted()
        == Operation.allCases.map { $0.rawValue.lowercased() }.sorted())
    for operation in Operation.allCases {
      let file = files.first { $0.lowercased() == operation.rawValue.lowercased() } ?? ""
      let text = try String(contentsOf: folder.appendingPathComponent("\(file).swift"), encoding: .utf8)
      let recorded = text.matches(of: /Tape\.record\(\s*\.(\w+),/).map { String($0.1) }
      #expect(recorded == [operation.rawValue], "\(file).swift")
    }
  }
}
