import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Reference
import Tensor
import Testing

@testable import frugal

/// Three steps of `frugal trace --float64` against each paper's own step in `Reference`, which knows no other method.
@Suite struct DoublePaperTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The image tower of the tiny model, and log s.
  private func model() throws -> (network: Network, logitScale: Double) {
    let clip = try #require(try Pretrained.model(at: Workbench.model).clip)
    let tower = try #require(clip.model.vision as? VisionTransformer)
    let sizes = tower.configuration.transformer
    let weights = tower.parameters.map { ($0.site.name, Matrix($0.value)) }
    let settings = TransformerSettings(
      blocks: sizes.blocks, heads: sizes.heads, epsilon: sizes.epsilon, nonlinearity: .quickGELU)
    return (Network(Parameters(weights) { $1 }, settings), Double(clip.model.logitScale.value.scalar))
  }

  private func trace(_ words: [String]) async throws -> SafeTensorsFile {
    let outcome = try await runFrugal(
      ["trace", "--model", Workbench.model, "--steps", "3", "--float64", "--out", folder.path("trace")] + words)
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("trace"))
  }

  /// A batch of four images and three classes in a file.
  private func batch() throws -> (images: Images, labels: [Int], text: Matrix) {
    let images = Random(seed: 1, purpose: .check).uniform([4, 3, 32, 32])
    let text = Random(seed: 2, purpose: .check).uniform([3, 32])
    var writer = SafeTensorsWriter()
    writer.add("images", images)
    writer.add("text", text)
    writer.add("labels", integers: [0, 1, 2, 1])
    try writer.write(to: folder.url.appendingPathComponent("batch"))
    return (Images(images), [0, 1, 2, 1], Matrix(text))
  }

  /// The same numbers, but for the order in which a few of them are added.
  private func expect(_ name: String, in trace: SafeTensorsFile, _ wanted: Matrix?, within: Double = 1e-11) throws {
    let (found, wanted) = (try trace.doubles(name), try #require(wanted, "\(name)").values)
    let largest = wanted.map(abs).max() ?? 0
    #expect(
      found.count == wanted.count && zip(found, wanted).allSatisfy { abs($0 - $1) <= within * max(largest, 1e-12) },
      "\(name)")
  }

  private func numbers(_ trace: SafeTensorsFile, _ name: String, like shape: Matrix) throws -> Matrix {
    Matrix(shape.rows, shape.columns, try trace.doubles(name))
  }

  /// R-AMT (c) to (g), eq. 7.
  @Test func maskTuningIsThePapersStep() async throws {
    let (images, labels, text) = try batch()
    let (tower, logitScale) = try model()
    let trace = try await trace(
      ["--method", "r-amt", "--batch", folder.path("batch"), "--lambda", "0.3", "--lr", "0.004"])
    let groups = maskedGroups(blocks: tower.settings.blocks)
    let sites = groups.flatMap(\.self)
    var masks = try Parameters(
      sites.map { ($0, try numbers(trace, "initial/\($0).mask", like: tower[$0])) }
    ) { $1 }
    var moments: [String: Moments] = [:]
    for number in 1...3 {
      let uniform = try Draws(sites.map { ($0, try trace.doubles("step \(number)/draw/\($0).mask")) }) { $1 }
      let step = maskStep(
        tower, masks: masks, groups: groups, images: images, labels: labels, classifier: text,
        logitScale: logitScale, uniform: uniform, lambda: 0.3)
      try expect("step \(number)/forward/logits", in: trace, step.logits)
      try expect("step \(number)/teacher/logits", in: trace, step.teacherLogits)
      let loss = step.crossEntropy + 1e-4 * step.norm
      try expect("step \(number)/loss/loss", in: trace, .number(loss))
      try expect("step \(number)/loss/kl", in: trace, .number(step.distillation))
      updateMasks(
        &masks, &moments, step: step, learningRate: try trace.doubles("step \(number)/rate/encoder")[0])
      for site in sites {
        try expect("step \(number)/gradient 1/\(site).mask", in: trace, step.a[site])
        try expect("step \(number)/gradient/\(site).mask", in: trace, step.g[site])
        try expect("step \(number)/value/\(site).mask", in: trace, masks[site], within: 1e-9)
      }
    }
    #expect(masks.values.contains { $0.values.contains { $0 < maskThreshold } }, "a weight is masked")
  }

  /// TaskRes (b) to (e), (g).
  @Test func residualTuningIsThePapersStep() async throws {
    let (images, labels, text) = try batch()
    let (tower, logitScale) = try model()
    let trace = try await trace(["--method", "task-res", "--batch", folder.path("batch")])
    let name = "classifier.residual"
    var residual = try numbers(trace, "initial/\(name)", like: text)
    var moments = Moments(like: residual)
    for number in 1...3 {
      let loss = residualStep(
        &residual, &moments, base: text, features: tower.visionTransformer(images).features, labels: labels,
        logitScale: logitScale, learningRate: try trace.doubles("step \(number)/rate/head")[0])
      try expect("step \(number)/loss/loss", in: trace, .number(loss))
      try expect("step \(number)/state/\(name).first-moment", in: trace, moments.first)
      try expect("step \(number)/value/\(name)", in: trace, residual, within: 1e-9)
    }
  }

  /// SPT (i) to (l).
  @Test(arguments: [("spt-lora", "3000"), ("spt-adapter", "9000")])
  func sensitivityTuningIsThePapersStep(_ method: String, _ budget: String) async throws {
    var (tower, _) = try model()
    let trace = try await trace(
      ["--method", "\(method)+linear", "--data", Workbench.pictures, "--shots", "2", "--budget", budget]
        + ["--batch", "4", "--epochs", "3", "--stochastic-depth", "0.2"])
    let starts = trace.names.filter { $0.hasPrefix("initial/") }.map { String($0.dropFirst("initial/".count)) }
    var trained: Parameters = [:]
    for name in starts {
      let shape = try trace.entry("initial/\(name)").shape
      let rows = shape.rank > 1 ? shape[0] : 1
      trained[name] = Matrix(rows, shape.count / rows, try trace.doubles("initial/\(name)"))
    }
    var entries: [String: [Int]] = [:]
    for name in trace.names where name.hasPrefix("draw/choice/") {
      let chosen = try trace.doubles(name)
      entries[String(name.dropFirst("draw/choice/".count))] = chosen.indices.filter { chosen[$0] == 1 }
    }
    let kind: ModuleKind = method == "spt-lora" ? .lora : .adapter
    let modules = starts.filter { $0.hasSuffix(".branch.down") }.map { String($0.dropLast(".branch.down".count)) }
    #expect(!modules.isEmpty && !entries.isEmpty)
    for name in modules { tower.settings.branches[name] = moduleForm(name, kind) }
    tower.settings.stochasticDepth = 0.2
    var moments: [String: Moments] = [:]
    for number in 1...3 {
      tower.draws = try draws(trace, number, modules)
      let shape = try trace.entry("step \(number)/input/images").shape
      let images = Images(
        count: shape[0], channels: 3, height: shape[2], width: shape[3],
        try trace.doubles("step \(number)/input/images"))
      let loss = tuningStep(
        &trained, &moments, tower, entries: entries, images: images,
        labels: try trace.doubles("step \(number)/input/labels").map { Int($0) },
        learningRate: try trace.doubles("step \(number)/rate/encoder")[0])
      try expect("step \(number)/loss/loss", in: trace, .number(loss))
      for name in starts {
        try expect("step \(number)/state/\(name).first-moment", in: trace, moments[name]?.first, within: 1e-9)
        try expect("step \(number)/value/\(name)", in: trace, trained[name], within: 1e-9)
      }
    }
  }

  /// The draws of a step under the names of `Reference`; key and value of a block share the sample of its query.
  private func draws(_ trace: SafeTensorsFile, _ number: Int, _ modules: [String]) throws -> Draws {
    var draws: Draws = [:]
    let prefix = "step \(number)/draw/"
    for name in trace.names where name.hasPrefix(prefix) {
      let own = String(name.dropFirst(prefix.count))
      let owner = own.hasSuffix(".dropPath") ? String(own.dropLast(".dropPath".count)) : own
      draws[modules.contains(owner) ? own : owner] = try trace.doubles(name)
    }
    for module in modules where draws["\(module).dropout"] == nil {
      let block = module.split(separator: ".").prefix(3).joined(separator: ".")
      let first = ["query", "key", "value"].lazy.compactMap { draws["\(block).attention.\($0).dropout"] }.first
      draws["\(module).dropout"] = first
    }
    return draws
  }
}
