import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

/// `frugal sensitivity` and `frugal export`.
@Suite struct SensitivityTests {
  private func words(_ model: String, _ out: String, _ more: String...) -> [String] {
    ["sensitivity", "--model", model, "--data", Workbench.pictures, "--samples", "12", "--batch", "4", "--out", out]
      + more
  }

  @Test func mapAllocationsAndPictureAreWritten() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let outcome = try await runFrugal(words(model, folder.path("sens"), "--budget", "5000"))
    #expect(outcome.code == 0, "\(outcome.errors)")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("sens/sensitivity.safetensors"))
    let query = try file.tensor("vision.blocks.1.attention.query")
    #expect(query.shape == [64, 64] && query.values.allSatisfy { $0 >= 0 } && query.values.contains { $0 > 0 })
    #expect(!file.contains("vision.patchEmbedding") && !file.contains("vision.positions"))
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("sens/allocations.json")))
    let found = (json["allocations"].array ?? []).filter { $0["budget"].int == 5000 }
    #expect(found.compactMap { $0["form"].string } == ["lora", "adapter"])
    #expect(found.allSatisfy { $0["trained"].int == 5000 && ($0["total"].int ?? 0) >= 5000 })
    #expect(outcome.output.contains("lora      5,000    5,000"), "\(outcome.output)")
    try checkPublished(json, file, model)
    let svg = String(decoding: try folder.bytes("sens/sensitivity.svg"), as: UTF8.self)
    #expect(svg.hasPrefix("<svg") && svg.contains("share by block") && svg.hasSuffix("</svg>\n"))
    // Looking again gives the same bytes, whatever the number of threads.
    #expect(try await runFrugal(words(model, folder.path("again"), "--budget", "5000", "--threads", "1")).code == 0)
    for name in ["sensitivity.safetensors", "allocations.json", "sensitivity.svg"] {
      #expect(try folder.bytes("sens/\(name)") == folder.bytes("again/\(name)"), "\(name)")
    }
    let third = try await runFrugal(words(model, folder.path("sens")))
    #expect(third.code == 2 && third.errors.contains("--out: expected a folder without sensitivity.safetensors"))
  }

  /// A published budget has the nearest of the 79 published totals.
  private func checkPublished(_ json: JSONValue, _ file: SafeTensorsFile, _ model: String) throws {
    let backbone = try ImageBackbone(
      from: SafeTensorsFile(contentsOf: URL(fileURLWithPath: model)), hints: BackboneHints(heads: 1))
    let sites = SensitivitySite.all(of: backbone.tower)
    let scores = try sites.map { try file.tensor($0.parameter.site.name) }
    let sweep = AllocationSweep(
      Ranking(of: scores, largest: scores.reduce(0) { $0 + $1.count }), thresholds: AllocationSweep.thresholds(),
      kinds: sites.map(\.kind), classToken: 64, Allocation.Rules(form: .lora))
    let wanted = try #require(sweep.nearest(to: 0.05))
    let found = try #require(
      json["allocations"].array?.first { $0["budget"].int == 50_000 && $0["form"].string == "lora" })
    #expect(found["threshold"].int == wanted.threshold && found["total"].int == wanted.total)
  }

  private static let refusals: [([String], String)] = [
    (["--budget", "10"], "--budget: expected above 64, the parameters of the class token"),
    (["--budget", "9M"], "--budget: expected at most"),
    (["--spt-alpha", "0"], "--spt-alpha: expected a number above 0"),
    (["--spt-beta", "0"], "--spt-beta: expected a number above 0"),
    (["--samples", "0"], "--samples: expected a whole number from 1"),
    (["--normalize", "none"], "--normalize: expected imagenet, inception"),
  ]

  @Test(arguments: refusals) func whatCannotBeIsRefused(_ flags: [String], _ text: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let outcome = try await runFrugal(
      ["sensitivity", "--model", model, "--data", Workbench.pictures, "--out", folder.path("sens")] + flags)
    #expect(outcome.code != 0 && outcome.errors.contains(text), "\(outcome.errors)")
    #expect(!folder.exists("sens"))
  }

  /// Merged weights are a model of their own, whose head is the tuned one: it answers as the model with its delta.
  @Test func mergedWeightsAreTheTunedModel() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let run = TinyBackbone.run(
      "spt-lora", model: model, out: folder.url.appendingPathComponent("run"), "--budget", "6000")
    #expect(try await runFrugal(run).code == 0)
    let outcome = try await runFrugal([
      "export", "--model", model, "--delta", folder.path("run/delta.safetensors"), "--merged",
      folder.path("merged.safetensors"), "--peft", folder.path("peft"),
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let (old, new) = (
      try SafeTensorsFile(contentsOf: URL(fileURLWithPath: model)),
      try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("merged.safetensors"))
    )
    #expect(old.names == new.names)
    #expect(
      try new.tensor("head.weight").shape == [4, 64]
        && new.tensor("patch_embed.proj.weight") == old.tensor("patch_embed.proj.weight"))
    #expect(try new.tensor("cls_token") != old.tensor("cls_token"))
    let adapter = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("peft/adapter_model.safetensors"))
    let configuration = try JSONDecoder().decode(
      JSONValue.self, from: Data(try folder.bytes("peft/adapter_config.json")))
    #expect(configuration["peft_type"].string == "LORA" && configuration["r"] == configuration["lora_alpha"])
    for module in configuration["target_modules"].strings ?? [] {
      let a = try adapter.tensor("base_model.model.\(module).lora_A.weight")
      let b = try adapter.tensor("base_model.model.\(module).lora_B.weight")
      // W + B A is the merged weight.
      let before = try old.tensor("\(module).weight")
      let sum = Variable(b).linear(Variable(Tensor([a.shape[1], a.shape[0]], transposed(a)))).value
      let after = try new.tensor("\(module).weight")
      for index in stride(from: 0, to: before.count, by: 37) {
        let difference = abs(after.values[index] - before.values[index] - sum.values[index])
        // Other thirds of a stacked map may have single entries or whole vectors tuned.
        #expect(difference < 1e-5 || module.hasSuffix("qkv"), "\(module) \(index)")
      }
    }
  }

  /// A checkpoint before whose names stands a word keeps it: its merged weights answer as the model with its delta.
  @Test(arguments: ["module.", "base_encoder."]) func mergedWeightsKeepTheirNames(_ prefix: String) async throws {
    let folder = try TemporaryFolder()
    let plain = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: try TinyBackbone.write(to: folder)))
    var writer = SafeTensorsWriter()
    for name in plain.names where !name.hasPrefix("head.") { writer.add(prefix + name, try plain.tensor(name)) }
    let model = folder.url.appendingPathComponent("prefixed.safetensors")
    try writer.write(to: model)
    let run = TinyBackbone.run("lora", model: model.path, out: folder.url.appendingPathComponent("run"))
    #expect(try await runFrugal(run).code == 0)
    let outcome = try await runFrugal([
      "export", "--model", model.path, "--delta", folder.path("run/delta.safetensors"), "--merged",
      folder.path("merged.safetensors"), "--peft", folder.path("peft"),
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let merged = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("merged.safetensors"))
    let old = try SafeTensorsFile(contentsOf: model)
    #expect(Set(merged.names) == Set(old.names + ["head.weight", "head.bias"]))
    let changed = try old.names.filter { try merged.tensor($0) != old.tensor($0) }
    #expect(changed == ["\(prefix)blocks.0.attn.qkv.weight", "\(prefix)blocks.1.attn.qkv.weight"])
    let adapter = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("peft/adapter_model.safetensors"))
    // An adapter goes with the network itself.
    #expect(adapter.names.contains("base_model.model.blocks.0.attn.qkv.lora_A.weight"))
    let report = try await runFrugal("inspect", folder.path("merged.safetensors"), "--json")
    #expect(report.code == 0 && report.output.contains("4 classes"), "\(report.errors)")
  }

  private func transposed(_ a: Tensor) -> [Real] {
    let (rows, columns) = (a.shape[0], a.shape[1])
    return (0..<rows * columns).map { a.values[$0 % rows * columns + $0 / rows] }
  }

  @Test func anAdapterCannotBeMerged() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    #expect(
      try await runFrugal(TinyBackbone.run("adapter", model: model, out: folder.url.appendingPathComponent("run"))).code
        == 0)
    let delta = folder.path("run/delta.safetensors")
    for (flag, text) in [("--merged", "found an adapter at"), ("--peft", "expected low-rank branches")] {
      let outcome = try await runFrugal(["export", "--model", model, "--delta", delta, flag, folder.path("new")])
      #expect(outcome.code == 1 && outcome.errors.contains(text), "\(outcome.errors)")
      #expect(!folder.exists("new"))
    }
  }
}
