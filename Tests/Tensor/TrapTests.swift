import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct TrapTests {
  @Test func unmetConditionStopsWithItsSentence() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let found = 3
      require(found == 2, "things: expected 2, found \(found)")
    }
    expectTrap(process, saying: "things: expected 2, found 3")
  }

  @Test func sentenceOfAMetConditionIsNotMade() {
    var isMade = false
    func sentence() -> String {
      isMade = true
      return ""
    }
    require(true, sentence())
    #expect(!isMade)
  }

  /// What the standard library offers instead is silent in optimised code.
  @Test func noSourceStopsInAnotherWay() throws {
    let folder = Fixtures.package.appendingPathComponent("Sources")
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    let sources = paths.filter { $0.hasSuffix(".swift") }
    #expect(sources.count > 100)
    for path in sources {
      let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
      #expect(!text.contains(/\b(precondition|preconditionFailure|assert|assertionFailure)\(/), "Sources/\(path)")
      // The reference stands alone: it has no helper of ours, and a fatal error does speak in every build.
      if !path.hasPrefix("Reference/") { #expect(!text.contains(/\bfatalError\(/), "Sources/\(path)") }
    }
  }
}
