import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `frugal export --ramt`, and the checkpoints of R-AMT's authors in `inspect`, `evaluate` and `predict`.
@Suite struct MaskCheckpointCommandTests {
  private func tuned(_ method: String, _ more: String...) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")) + more
    let outcome = try await runFrugal(words)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return folder
  }

  private func export(_ folder: TemporaryFolder, model: String = Workbench.model) async throws -> FrugalProcess.Outcome
  {
    try await runFrugal(
      "export", "--model", model, "--delta", folder.path("run/delta.safetensors"), "--ramt",
      folder.path("model.pth.tar-3"))
  }

  private func evaluate(_ delta: String, _ more: String...) async throws -> FrugalProcess.Outcome {
    try await runFrugal(
      ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--delta", delta, "--json"] + more)
  }

  /// The masks go out in the authors' layout and come back as they were: the same logits, bit for bit.
  @Test(arguments: ["r-amt", "r-mt", "r-mmt"]) func exportedMasksPredictTheSame(_ method: String) async throws {
    let folder = try await tuned(method)
    let outcome = try await export(folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("model.pth.tar-3: \(method == "r-amt" ? 7 : 13) masks\n"), "\(outcome.output)")
    let found = try await evaluate(folder.path("model.pth.tar-3"), "--template", "a {}")
    #expect(found.code == 0, "\(found.errors)")
    #expect(try found.json()["logitsSHA256"] == folder.result("run")["test"]["logitsSHA256"])
    let text = try await runFrugal("inspect", folder.path("model.pth.tar-3")).output
    #expect(!text.contains("parameters, all") && !text.contains("tensors: ;"))
    #expect(text.contains("masks as R-AMT's authors save them, PyTorch archive"), "\(text)")
    #expect(text.contains("transformer.resblocks.2.attn.out_proj.mask_real: "))
    #expect(text.contains(" weights kept, of 4096 bits at most") && text.contains("epoch: None"))
    // Equal masks are equal files.
    let first = try folder.bytes("model.pth.tar-3")
    try folder.remove("model.pth.tar-3")
    #expect(try await export(folder).code == 0)
    #expect(try folder.bytes("model.pth.tar-3") == first)
  }

  @Test func whatTheCheckpointCannotHoldIsNamed() async throws {
    let folder = try await tuned("r-amt+task-res")
    let outcome = try await export(folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("not exported, as such a checkpoint cannot hold them: 1 tensor (classifier.residual)"),
      "\(outcome.errors)")
  }

  @Test func whatCannotBeIsRefused() async throws {
    let folder = try await tuned("lora")
    expectRefusal(try await export(folder), code: 1, ["delta: expected masks, found none, of the method lora"])
    #expect(!folder.exists("model.pth.tar-3"))
    try folder.write("mine", to: "model.pth.tar-3")
    expectRefusal(try await export(folder), code: 2, ["--ramt: expected a new path, found "])
    #expect(try folder.bytes("model.pth.tar-3") == Array("mine".utf8))
    expectRefusal(
      try await runFrugal("export", "--model", Workbench.model, "--delta", folder.path("run/delta.safetensors")),
      code: 2,
      ["--peft, --ramt, --merged: expected one of them or more, found none"])
    // Masks of another model.
    let bits = MaskPickle([("conv1.mask_real", [true, false])])
    try folder.write(bits.bytes, to: "small.pth")
    let outcome = try await evaluate(folder.path("small.pth"))
    expectRefusal(outcome, code: 1, ["small.pth: expected \"conv1.mask_real\" as the bits of 12288 weights, found "])
    let picture = "\(Workbench.pictures)/test/red_circle/00.png"
    let nameless = try await runFrugal(
      "predict", "--model", Workbench.model, "--delta", folder.path("small.pth"), picture)
    expectRefusal(nameless, code: 2, ["--classes: expected class names, as "])
  }
}
