import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// `frugal trace --model`: training of one's own, step by step.
@Suite struct OwnTraceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The flags of `Workbench.quickRun`, which takes six steps.
  private func words(_ method: String, _ more: String...) -> [String] {
    let run = Workbench.quickRun(method, out: folder.url).dropFirst().dropLast(2).filter { $0 != "--force" }
    return ["trace"] + run + more
  }

  private func file(_ name: String) throws -> SafeTensorsFile {
    try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent(name))
  }

  /// The last values are those that `tune` saves.
  @Test(arguments: ["lora+linear", "task-res", "clip-adapter"]) func theStepsAreThoseOfARun(_ method: String)
    async throws
  {
    let run = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun(method, out: run)).code == 0)
    let traced = try await runFrugal(words(method, "--steps", "6", "--out", folder.path("a")))
    #expect(traced.code == 0, "\(traced.errors)")
    let (trace, delta) = (try file("a"), try file("run/delta.safetensors"))
    let values = trace.names.filter { $0.hasPrefix("step 6/value/") }
    #expect(!values.isEmpty)
    for name in values {
      #expect(try trace.tensor(name) == delta.tensor(String(name.dropFirst("step 6/value/".count))), "\(name)")
    }
    let tooMany = try await runFrugal(words(method, "--steps", "7", "--out", folder.path("b")))
    expectRefusal(tooMany, code: 2, ["--steps: expected at most 6 steps, as many as the run has, found 7"])
  }

  @Test(arguments: ["r-amt", "lora+linear", "r-amt+task-res"])
  func aTraceFedWithItsOwnDrawsIsTheSame(_ method: String) async throws {
    let more = method == "lora+linear" ? ["--stochastic-depth", "0.5", "--dropout", "0.3", "--drop-path", "0.3"] : []
    let first = try await runFrugal(words(method, "--steps", "2", "--out", folder.path("a")) + more)
    #expect(first.code == 0, "\(first.errors)")
    let again = words(method, "--steps", "2", "--out", folder.path("b"), "--draws", folder.path("a")) + more
    let second = try await runFrugal(again)
    #expect(second.code == 0, "\(second.errors)")
    #expect(try folder.bytes("a") == folder.bytes("b"))
    let names = try file("a").names
    for role in ["initial/", "step 1/draw/order", "step 1/input/images", "step 1/forward/features", "step 2/state/"] {
      #expect(names.contains { $0.hasPrefix(role) }, "\(role)")
    }
    let draws = names.filter { $0.contains("/draw/vision.") }
    #expect(draws.contains { $0.hasSuffix(method == "lora+linear" ? ".dropPath" : ".mask") }, "\(draws)")
    #expect(draws.contains { $0.hasSuffix(".dropout") } == (method == "lora+linear"), "\(draws)")
  }

  /// Where everything random is given, the seed changes nothing.
  @Test func drawsTakeThePlaceOfTheSeed() async throws {
    try batch("batch", images: [4, 3, 32, 32])
    func trace(_ more: String...) async throws -> FrugalProcess.Outcome {
      try await runFrugal(
        ["trace", "--model", Workbench.model, "--method", "lora+linear", "--batch", folder.path("batch")]
          + ["--steps", "2", "--stochastic-depth", "0.5"] + more)
    }
    #expect(try await trace("--out", folder.path("a"), "--seed", "1").code == 0)
    #expect(try await trace("--out", folder.path("b"), "--seed", "2").code == 0)
    #expect(try await trace("--out", folder.path("c"), "--seed", "2", "--draws", folder.path("a")).code == 0)
    let (a, b, c) = (try file("a"), try file("b"), try file("c"))
    #expect(a.names == c.names)
    #expect(try a.names.allSatisfy { try a.tensor($0) == c.tensor($0) })
    #expect(try a.tensor("step 1/forward/logits") != b.tensor("step 1/forward/logits"))
  }

  @Test func drawsThatDoNotFitAreRefused() async throws {
    #expect(try await runFrugal(words("r-amt", "--steps", "1", "--out", folder.path("a"))).code == 0)
    let trace = try file("a")
    let name = try #require(trace.names.first { $0.hasPrefix("step 1/draw/vision.") })
    func refusal(_ change: String, _ value: Tensor?) async throws -> FrugalProcess.Outcome {
      var writer = SafeTensorsWriter()
      for own in trace.names where own != change { writer.add(own, try trace.tensor(own)) }
      if let value { writer.add(change, value) }
      try writer.write(to: folder.url.appendingPathComponent("draws"))
      let flags = ["--steps", "1", "--out", folder.path("b"), "--draws", folder.path("draws")]
      return try await runFrugal(words("r-amt") + flags)
    }
    let shape = try trace.tensor(name).shape
    let lines: [(Tensor?, String, String)] = [
      (nil, name, "a draw of shape \(shape), found none"), (Tensor([1], [0.5]), name, "shape \(shape), found [1]"),
      (Tensor(shape, repeating: 1), name, "numbers from 0 to below 1, found 1.0"),
      (Tensor([4], [0, 1, 2, 99]), "step 1/draw/order", "expected indices from 0 to"),
    ]
    for (value, name, text) in lines {
      let outcome = try await refusal(name, value)
      #expect(outcome.code != 0 && outcome.errors.contains(name) && outcome.errors.contains(text), "\(outcome.errors)")
    }
    #expect(!folder.exists("b"))
  }

  @Test func patternsSelectAndTheManifestStaysWhole() async throws {
    let only = ["--only", "step 1/gradient/*query*", "--only", "step *value*query*"]
    let outcome = try await runFrugal(words("r-amt", "--steps", "2", "--out", folder.path("a")) + only)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let manifest = try #require(try Manifest(in: try GradedFiles(folder.path("a"))))
    #expect(try Set(manifest.tensors.map(\.name)) == Set(file("a").names))
    #expect(manifest.tensors.allSatisfy { $0.name.contains("query") })
    let last = try #require(manifest.tensors.last)
    // The gradient of the second step is not written: what it comes from stands for it.
    #expect(last.name.hasPrefix("step 2/value/") && (last.from ?? []).contains { $0.hasPrefix("step 1/value/") })
    let idle = try await runFrugal(words("r-amt", "--steps", "1", "--list") + ["--only", "step 1/nothing*"])
    expectRefusal(idle, code: 2, ["--only: expected a pattern of names that are traced (--list)"])
    let listed = try await runFrugal(words("r-amt", "--steps", "1", "--list"))
    #expect(listed.code == 0 && listed.output.contains("step 1/forward/features [4, 32]\n"), "\(listed.errors)")
  }

  private func batch(_ name: String, images: Shape, labels: [Int64] = [0, 1, 2, 1], text: Shape? = nil) throws {
    var writer = SafeTensorsWriter()
    writer.add("images", Random(seed: 1, purpose: .check).uniform(images))
    writer.add("labels", integers: labels)
    if let text { writer.add("text", Random(seed: 2, purpose: .check).uniform(text)) }
    try writer.write(to: folder.url.appendingPathComponent(name))
  }

  @Test func batchesOfAFile() async throws {
    func trace(_ name: String, _ method: String, _ more: String...) async throws -> FrugalProcess.Outcome {
      let words = ["--model", Workbench.model, "--method", method, "--batch", folder.path(name), "--steps", "2"]
      return try await runFrugal(["trace"] + words + more + ["--out", folder.path("out")])
    }
    try batch("texts", images: [4, 3, 32, 32], text: [3, 32])
    for method in ["r-amt", "task-res", "tip-adapter-f", "adapter+linear"] {
      let outcome = try await trace("texts", method)
      #expect(outcome.code == 0, "\(method): \(outcome.errors)")
      #expect(try file("out").tensor("step 2/forward/logits").shape == [4, 3])
    }
    try batch("plain", images: [4, 3, 32, 32])
    expectRefusal(try await trace("plain", "r-amt"), code: 1, ["text of shape [classes, 32]", "r-amt needs"])
    expectRefusal(
      try await trace("plain", "spt-lora+linear", "--budget", "3000"), code: 1,
      ["expected training images to choose by"])
    expectRefusal(try await trace("plain", "linear-probe"), code: 2, ["trained step by step"])
    try batch("small", images: [4, 3, 16, 16])
    expectRefusal(try await trace("small", "lora+linear"), code: 1, ["expected images of 32 × 32 pixels"])
    try batch("far", images: [4, 3, 32, 32], labels: [0, 1, 2, 3], text: [3, 32])
    expectRefusal(try await trace("far", "r-amt"), code: 1, ["expected labels from 0 to 2, found 3"])
    try batch("few", images: [4, 3, 32, 32], labels: [0, 1])
    expectRefusal(try await trace("few", "r-amt"), code: 1, ["expected 4 labels, found [2]"])
  }

  @Test func badRequestsAreRefused() async throws {
    let lines: [([String], String)] = [
      (["trace", "--method", "lora", "--out", "a"], "--method: expected --model with it"),
      (words("lora", "gelu", "--out", "a"), "expected --only to select tensors with --model"),
      (words("lora"), "--out: missing required flag"),
    ]
    for (words, text) in lines { expectRefusal(try await runFrugal(words), code: 2, [text]) }
  }
}
