import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// A run on top of another that stops, and goes on without the other.
@Suite struct StackedResumeTests {
  private let stack: Stack

  init() throws { stack = try Stack() }

  private func stopped(_ method: String, on earlier: String, _ name: String, after count: Int) throws {
    var steps = 0
    #expect(throws: RunStopped.self) {
      _ = try Run(stack.request(method, on: earlier), in: stack.folder(name)).train(
        shouldStop: { steps >= count }, report: { if case .step = $0 { steps += 1 } })
    }
  }

  private func message(_ name: String) -> String {
    do {
      _ = try Run(resuming: stack.folder(name))
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: [("coop", "r-amt"), ("r-amt", "tip-adapter-f"), ("adapter", "lora+task-res")])
  func theEarlierRunIsNotNeededAnyMore(earlier: String, method: String) throws {
    try stack.finish(earlier, "first")
    let want = try stack.finish(method, on: "first", "whole")
    for count in 1...3 {
      let name = "stopped \(count)"
      try stopped(method, on: "first", name, after: count)
      if count == 1 {
        try FileManager.default.moveItem(at: stack.folder("first").url, to: stack.folder("gone").url)
      }
      #expect(try Run(resuming: stack.folder(name)).train() == want)
      #expect(try Data(contentsOf: stack.folder(name).delta) == Data(contentsOf: stack.folder("whole").delta))
      if count == 1 {
        try FileManager.default.moveItem(at: stack.folder("gone").url, to: stack.folder("first").url)
      }
    }
  }

  /// The copy in the run's folder is what counts; where it is missing or changed, the earlier run if that is as it was.
  @Test func aCopyThatIsMissingIsMadeAgain() throws {
    try stack.finish("bitfit", "first")
    let want = try stack.finish("r-amt", on: "first", "whole")
    try stopped("r-amt", on: "first", "second", after: 2)
    let (copy, first) = (stack.folder("second").earlierDelta, stack.folder("first").delta)
    let bytes = try Data(contentsOf: copy)
    #expect(try bytes == Data(contentsOf: first))
    let record = try #require(try stack.folder("second").settings().on)
    #expect(record.method == "bitfit" && !record.hasHead && record.path == stack.folder("first").url.path)
    try FileManager.default.removeItem(at: first)
    #expect(message("second") == "")
    try (bytes + [0]).write(to: copy)
    #expect(message("second").contains("found another one in \(copy.path)"))
    try FileManager.default.removeItem(at: copy)
    #expect(
      message("second").contains("on: expected the delta with SHA-256 \(record.sha256.prefix(12))… in \(copy.path) or"))
    #expect(message("second").hasSuffix("found neither"))
    try bytes.write(to: first)
    #expect(try Run(resuming: stack.folder("second")).train() == want)
    #expect(try Data(contentsOf: copy) == bytes)
    // A checkpoint of a run on something else is none of this run.
    var settings = try stack.folder("second").settings()
    let fingerprint = try settings.fingerprint
    settings.on?.path = "elsewhere"
    #expect(try settings.fingerprint == fingerprint)
    settings.on?.sha256 = String(repeating: "0", count: 64)
    #expect(try settings.fingerprint != fingerprint)
    settings.on?.sha256 = "0"
    #expect(settings.problem == "on.sha256: expected the digest of a delta, found \"0\"")
  }

  /// A run that fails before its first epoch leaves nothing, the copy included.
  @Test func aRunThatFailsLeavesNoCopy() throws {
    try stack.finish("bitfit", "first")
    let run = try Run(stack.request("r-amt", on: "first"), in: stack.folder("second"))
    let data = stack.folder("first").delta
    try Data([1]).write(to: data)
    #expect(throws: RunError.self) { _ = try run.train() }
    #expect(!FileManager.default.fileExists(atPath: stack.folder("second").configuration.path))
  }

  @Test func aTamperedDeltaIsRefused() throws {
    try stack.finish("coop", "first")
    try stack.finish("r-amt", on: "first", "second")
    let clip = try PretrainedCLIP(contentsOf: Stack.model)
    func message(_ change: (inout Delta) -> Void) throws -> String {
      var delta = try stack.delta("second")
      change(&delta)
      let url = stack.temporary.url.appendingPathComponent("delta.safetensors")
      try delta.write(to: url)
      do {
        _ = try Delta(contentsOf: url, for: clip)
        return ""
      } catch { return "\(error)" }
    }
    #expect(try message { _ in } == "")
    #expect(try message { $0.description.format = 1 }.contains("expected delta format 1, or 2 of one on top of others"))
    let ofAnother = try message { delta in
      delta.description.on?[0].model = "abc"
      delta.description.on?[0].weights = nil
    }
    #expect(ofAnother.contains("earlier trainings of one model"))
    #expect(try message { $0.description.on?[0].classes = ["a"] }.contains("expected tensors of sites"))
    #expect(
      try message { $0.description.on?[0].templates = ["b {}"] }.contains("the templates of the earlier training"))
    #expect(try message { $0.description.on?[0].on = [] }.contains("earlier trainings of one model"))
    #expect(try message { $0.description.on = [] }.contains("expected tensors of 0 earlier trainings"))
    #expect(try message { $0.description.on = ($0.description.on ?? []) + ($0.description.on ?? []) } == "")
    func message(of trainings: Int) throws -> String {
      try message { $0.description.on = Array(repeating: $0.description.on![0], count: trainings) }
    }
    #expect(try message(of: 63) == "")
    #expect(try message(of: 64).hasSuffix("expected at most 63 earlier trainings, found 64"))
    #expect(try message { $0.earlier[0].tensors["vision.nothing"] = Tensor(1) }.contains(": on.0.…"))
  }
}
