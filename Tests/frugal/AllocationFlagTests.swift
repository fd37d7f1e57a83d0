import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `--allocation FILE`: the authors' shipped allocations, and those of `frugal sensitivity`.
@Suite struct AllocationFlagTests {
  /// The ranked tensors of `TinyBackbone` by the authors' names, in their order.
  static let sites: [AllocationPickle.Site] =
    (0..<2).flatMap { block in
      func linear(_ name: String, _ out: Int, _ width: Int) -> [AllocationPickle.Site] {
        [.init("blocks.\(block).\(name).weight", [out, width]), .init("blocks.\(block).\(name).bias", [out])]
      }
      func norm(_ name: String) -> [AllocationPickle.Site] {
        [.init("blocks.\(block).\(name).weight", [64]), .init("blocks.\(block).\(name).bias", [64])]
      }
      let attention = ["q", "k", "v", "proj"].flatMap { linear("attn.\($0)", 64, 64) }
      let mlp = linear("mlp.fc1", 128, 64) + linear("mlp.fc2", 64, 128)
      return norm("norm1") + attention + norm("norm2") + mlp
    } + [.init("norm.weight", [64]), .init("norm.bias", [64])]

  private static let pickle: AllocationPickle = {
    var pickle = AllocationPickle(blocks: 2)
    pickle.matrices[0][2] = 1
    pickle.vectors = ["blocks.1.norm2.bias"]
    pickle.entries = ["blocks.0.attn.q.weight": [1, 4095], "blocks.1.mlp.fc2.weight": [700], "norm.bias": [0]]
    return pickle
  }()

  private func run(_ folder: TemporaryFolder, _ name: String, _ file: String) throws -> [String] {
    TinyBackbone.run(
      "spt-lora", model: try TinyBackbone.write(to: folder), out: folder.url.appendingPathComponent(name))
      + ["--allocation", folder.path(file)]
  }

  @Test func whatTheAuthorsShipIsTrained() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.pickle.bytes(for: Self.sites), to: "param_req_0.4.pth")
    let words = try run(folder, "run", "param_req_0.4.pth")
    let outcome = try await runFrugal(words)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("run")
    // A module of 8 · 128, a vector of 64, four entries, 64 of the class token; the entry of a norm is not trained.
    #expect(result["budget"].int == 1024 + 64 + 4 + 64)
    #expect(result["trainedParameters"].int == 1024 + 64 + 3 + 64 + 260)
    let text = try await runFrugal("inspect", folder.path("run/delta.safetensors"), "--tensors").output
    for name in [
      "vision.blocks.0.attention.value.branch.down", "vision.blocks.1.mlpNorm.shift",
      "vision.blocks.0.attention.query.sparse.places", "vision.blocks.1.mlp.down.sparse", "vision.classToken",
    ] { #expect(text.contains(name), "\(name)") }
    // A run that is resumed reads the file again, and takes no other.
    try folder.remove("run/result.json")
    let before = try folder.bytes("run/delta.safetensors")
    #expect(try await runFrugal("tune", "--resume", folder.path("run")).code == 0)
    #expect(try folder.bytes("run/delta.safetensors") == before)
    var other = Self.pickle
    other.vectors = []
    try folder.write(other.bytes(for: Self.sites), to: "param_req_0.4.pth")
    let refused = try await runFrugal("tune", "--resume", folder.path("run"))
    expectRefusal(refused, code: 1, ["param_req_0.4.pth: expected the allocation of the run, SHA-256 "])
  }

  /// The survey of a command, and that of a run on the same images: the same weights are tuned.
  @Test(arguments: ["spt-lora", "spt-adapter"]) func aSurveyIsReadBack(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let survey = try await runFrugal(
      "sensitivity", "--model", model, "--data", Workbench.pictures, "--samples", "12", "--batch", "4", "--budget",
      "4000", "--rank", "4", "--out", folder.path("survey"))
    #expect(survey.code == 0, "\(survey.errors)")
    func tune(_ name: String, _ more: String...) async throws -> FrugalProcess.Outcome {
      var words = TinyBackbone.run(method, model: model, out: folder.url.appendingPathComponent(name))
      words[words.firstIndex(of: "--shots")! + 1] = "all"
      return try await runFrugal(words + more)
    }
    let file = folder.path("survey/allocations.json")
    let direct = try await tune(
      "direct", "--budget", "4000", "--samples", "12", "--sample-batch", "4", "--rank", "4")
    #expect(direct.code == 0, "\(direct.errors)")
    let read = try await tune("read", "--budget", "4000", "--allocation", file)
    #expect(read.code == 0, "\(read.errors)")
    #expect(try folder.bytes("direct/delta.safetensors") == folder.bytes("read/delta.safetensors"))
    for (flags, code, text) in [
      (["--allocation", file], 2, "--budget: expected one of 4000, 50000, which "),
      (["--allocation", file, "--budget", "3000"], 2, "--budget: expected one of 4000, 50000, which "),
      (["--allocation", file, "--budget", "4000", "--rank", "2"], 2, "--allocation: expected the rules of "),
    ] as [([String], Int32, String)] {
      let outcome = try await runFrugal(
        TinyBackbone.run(method, model: model, out: folder.url.appendingPathComponent("bad")) + flags)
      expectRefusal(outcome, code: code, [text])
    }
    // Another model, and scores that are not those of the allocations.
    let other = try TinyBackbone.write(to: TemporaryFolder.kept, seed: 2)
    let words = TinyBackbone.run(method, model: other, out: folder.url.appendingPathComponent("bad"))
    let foreign = try await runFrugal(words + ["--allocation", file, "--budget", "4000"])
    expectRefusal(foreign, code: 1, ["allocations.json: expected allocations of the model with SHA-256 "])
    try folder.editJSON("survey/allocations.json") { object in
      let entries = (object["allocations"] as? [[String: Any]] ?? []).map { entry in
        entry.merging(["entries": ["nothing": 1]]) { $1 }
      }
      object["allocations"] = entries
    }
    let changed = try await tune("bad", "--allocation", file, "--budget", "4000")
    expectRefusal(changed, code: 1, ["allocations.json: expected the allocation of 4000 that ", "found another"])
    try folder.remove("survey/sensitivity.safetensors")
    let alone = try await tune("bad", "--allocation", file, "--budget", "4000")
    #expect(alone.code == 1 && alone.errors.contains("sensitivity.safetensors"), "\(alone.errors)")
    #expect(!folder.exists("bad"))
  }

  @Test func otherFilesAndWordsAreRefused() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.pickle.bytes(for: Self.sites), to: "a.pth")
    try folder.write("no pickle", to: "b.pth")
    var cut = Self.pickle
    cut.matrices.removeLast()
    try folder.write(cut.bytes(for: Self.sites), to: "c.pth")
    for (file, flags, code, text) in [
      ("a.pth", ["--budget", "3000"], 2, "--budget: expected none with "), ("b.pth", [], 1, "b.pth: expected "),
      ("a.pth", ["--spt-alpha", "5"], 2, "--allocation: expected no rules but a rank with "),
      ("a.pth", ["--samples", "8"], 2, "--allocation: expected no numbers of samples with "),
      ("a.pth", ["--rank", "2"], 1, "a.pth: expected structured_params 320 or "),
      ("c.pth", [], 1, "c.pth: expected tuned_matrices of the model's 2 blocks, found 1"),
      ("none.pth", [], 2, "--allocation: expected sensitivity, random or a file, found "),
    ] as [(String, [String], Int32, String)] {
      expectRefusal(try await runFrugal(try run(folder, "run", file) + flags), code: code, [text])
      #expect(!folder.exists("run"))
    }
    var words = try run(folder, "run", "a.pth")
    words[words.count - 1] = "randon"
    expectRefusal(try await runFrugal(words), code: 2, ["found \"randon\" (did you mean random?)"])
  }
}

extension TemporaryFolder {
  /// A folder for the whole process.
  fileprivate static let kept: TemporaryFolder = {
    do { return try TemporaryFolder() } catch { preconditionFailure("\(error)") }
  }()
}
