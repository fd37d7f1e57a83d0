import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Methods

@Suite struct RunTimingTests {
  @Test func timesAreWrittenWithTheirSum() throws {
    let timing = RunTiming([.training: 1.5, .test: 0.25])
    let text = String(decoding: try JSON.encoded(timing), as: UTF8.self)
    #expect(text == #"{"parts":{"test":0.25,"training":1.5},"seconds":1.75}"#)
    #expect(try JSONDecoder().decode(RunTiming.self, from: Data(text.utf8)) == timing)
  }

  @Test func theMachineIsWrittenWithThem() throws {
    var timing = RunTiming([.test: 1])
    timing.machine = RunMachine(processor: "Any CPU", threads: 3, peakMemoryBytes: 1 << 20)
    let text = String(decoding: try JSON.encoded(timing), as: UTF8.self)
    #expect(try JSONDecoder().decode(RunTiming.self, from: Data(text.utf8)) == timing)
    for (old, new) in [("\"threads\":3", "\"threads\":0"), ("1048576", "-1")] {
      let edited = Data(text.replacing(old, with: new).utf8)
      #expect(throws: (any Error).self) { try JSONDecoder().decode(RunTiming.self, from: edited) }
    }
    #expect(RunMachine.current.threads > 0 && RunMachine.current.peakMemoryBytes > 1 << 20)
  }

  @Test func timesOfTheFirstVersionsAreRead() throws {
    let text = #"{"trainingSeconds": 2, "evaluationSeconds": 0.5}"#
    let timing = try JSONDecoder().decode(RunTiming.self, from: Data(text.utf8))
    #expect(timing == RunTiming([.training: 2, .test: 0.5]) && timing.seconds == 2.5)
    for text in ["{}", #"{"parts": {"training": -1}}"#, #"{"trainingSeconds": 1}"#] {
      #expect(throws: (any Error).self) { try JSONDecoder().decode(RunTiming.self, from: Data(text.utf8)) }
    }
  }

  /// Time belongs to the innermost part.
  @Test func partsDoNotOverlap() throws {
    let clock = RunClock()
    clock.measure(.setup) {
      usleep(20_000)
      clock.measure(.training) {
        usleep(40_000)
        _ = clock.measure(.reading) { usleep(80_000) }
      }
    }
    let parts = clock.timing.parts
    let (setup, training, reading) = (parts[.setup] ?? 0, parts[.training] ?? 0, parts[.reading] ?? 0)
    #expect(setup >= 0.02 && training >= 0.04 && reading >= 0.08)
    // Sleeping takes longer on a shared machine, but no second is counted twice.
    #expect(abs(clock.timing.seconds - (setup + training + reading)) < 1e-12)
    clock.move(.reading, to: .training)
    #expect(clock.timing.parts[.reading] == nil && abs(clock.timing.seconds - (setup + training + reading)) < 1e-3)
  }

  /// A run that is stopped and resumed has waited for both.
  @Test func aResumedRunAddsToItsTimes() throws {
    let fixture = try RunFixture()
    let run = try fixture.makeRun("r-amt", folder: "run")
    var steps = 0
    #expect(throws: RunStopped.self) {
      try run.train(
        shouldStop: { steps > 2 },
        report: { if case .step = $0 { steps += 1 } })
    }
    func timing() throws -> RunTiming {
      try JSONDecoder().decode(RunTiming.self, from: Data(contentsOf: run.folder.timing))
    }
    let first = try timing()
    #expect((first.parts[.training] ?? 0) > 0 && first.parts[.test] == nil)
    _ = try run.train()
    let whole = try timing()
    for part in [RunTiming.Part.setup, .training, .reading] {
      #expect((whole.parts[part] ?? 0) > (first.parts[part] ?? 0), "\(part)")
    }
    #expect((whole.parts[.test] ?? 0) > 0 && whole.parts[.survey] == nil && whole.parts[.features] == nil)
  }

  @Test func everyPartOfARunIsMeasured() throws {
    let fixture = try RunFixture()
    _ = try fixture.makeRun("task-res", folder: "frozen") { $0.augments = false }.train()
    let frozen = try JSONDecoder().decode(
      RunTiming.self, from: Data(contentsOf: fixture.temporary.url.appendingPathComponent("frozen/timing.json")))
    #expect(Set(frozen.parts.keys) == [.setup, .features, .reading, .training, .test])
    _ = try fixture.makeRun("r-pmt", folder: "survey") { $0.augments = false }.train()
    let survey = try JSONDecoder().decode(
      RunTiming.self, from: Data(contentsOf: fixture.temporary.url.appendingPathComponent("survey/timing.json")))
    #expect((survey.parts[.survey] ?? 0) > 0 && survey.parts[.features] == nil)
  }
}
