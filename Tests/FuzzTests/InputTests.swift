import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Fuzz

/// Inputs come from kind, seed and number alone, and most of them pass the first check of their reader.
@Suite struct InputTests {
  @Test(arguments: Kind.all) func anInputCanBeMadeAgain(_ kind: Kind) throws {
    let seeds = try Seed.all(of: kind)
    #expect(!seeds.isEmpty)
    for index in [0, 1, 77, 1_000_003] {
      let (first, second) = (Input(kind, seeds, run: 3, index: index), Input(kind, seeds, run: 3, index: index))
      #expect(first.bytes == second.bytes && first.seed.name == second.seed.name)
    }
    let inputs = (0..<50).map { Input(kind, seeds, run: 3, index: $0).bytes }
    #expect(Set(inputs).count > 35, "\(kind): \(Set(inputs).count) different inputs of 50")
    #expect(inputs != (0..<50).map { Input(kind, seeds, run: 4, index: $0).bytes })
  }

  /// In one process each, as the limit of pixels is one of the process.
  @Test func halfOfTheInputsPassTheFirstCheck() async {
    await #expect(processExitsWith: .success) {
      for kind in Kind.all {
        let folder = try TemporaryFolder()
        let record = try Record(folder.url.appendingPathComponent("record"))
        let work = folder.url.appendingPathComponent("work")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        let worker = Worker(
          kind: kind, reading: try Reading(kind, in: work), record: record, limits: Limits(seconds: 60))
        let verdict = try worker.run(0..<300, seed: 1, until: .distantFuture)
        #expect(verdict == .done, "\(kind): \(verdict) at \(record.index)")
        #expect(record.inputs == 300 && record.index == 300)
        #expect(2 * record.accepted >= record.inputs, "\(kind): \(record.accepted) of \(record.inputs) accepted")
        print("\(kind): \(record.accepted) of \(record.inputs) accepted, \(record.read) read")
      }
    }
  }
}
