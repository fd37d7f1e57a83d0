import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Reference
import Tensor
import Testing

@testable import frugal

/// `frugal trace --float64`: steps by the plain loops of the papers, whatever the precision of the build.
@Suite struct DoubleTraceTests {
  let folder: TemporaryFolder
  /// u: half the distance of 1 to the next number in single precision.
  private let unit = 0x1p-24

  init() throws { folder = try TemporaryFolder() }

  private func file(_ name: String) throws -> SafeTensorsFile {
    try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent(name))
  }

  /// A training and its flags.
  private static let trainings: [[String]] = [
    ["r-amt"], ["r-mt+linear", "--lambda", "0.3", "--norm-weight", "0.5"], ["r-amt+task-res"], ["mask-tuning"],
    ["task-res"], ["linear"], ["linear", "--crop", "center"], ["full+linear"], ["adapter+task-res"],
    ["lora+linear", "--stochastic-depth", "0.5", "--dropout", "0.3", "--drop-path", "0.3"],
    ["spt-lora+linear", "--budget", "3000"], ["spt-adapter+linear", "--budget", "9000", "--as", "paper"],
    ["r-pmt", "--tuned-share", "0.5"],
  ]

  private func trace(_ training: [String], _ more: String...) async throws -> FrugalProcess.Outcome {
    let run = Workbench.quickRun(training[0], out: folder.url).dropFirst().dropLast(2).filter { $0 != "--force" }
    return try await runFrugal(["trace"] + run + training.dropFirst() + more)
  }

  /// The error of a sum that is off by the longest chain of additions of the model, relative to its terms.
  private func relativeError() throws -> Double {
    let tower = try Pretrained.model(at: Workbench.model).tower as? VisionTransformer
    let form = try #require(tower).configuration
    let (width, tokens) = (form.transformer.width, form.tokens)
    let attention = width + width / form.transformer.heads + 2 * tokens + width
    let block = 4 * width + attention + width + form.transformer.hiddenWidth
    let ends = 3 * form.patchSize * form.patchSize + 5 * width + 2 * width + Self.classes
    return Double(2 * (form.transformer.blocks * block + ends) + Self.batch * tokens) * unit
  }

  private static let (batch, classes) = (4, 4)

  /// The draws of a trace, with masks on both sides of the threshold.
  private func draws(_ name: String, from trace: SafeTensorsFile) throws {
    var writer = SafeTensorsWriter()
    for own in trace.names where TracePart(own)?.isGiven == true {
      var value = try trace.tensor(own)
      if own.hasPrefix("initial/"), own.hasSuffix(".mask") {
        let uniform = Random(seed: 5, purpose: .check).uniform(value.shape)
        value = Tensor(value.shape, uniform.values.map { 3e-3 + 12e-3 * $0 })
      }
      writer.add(own, value)
    }
    try writer.write(to: folder.url.appendingPathComponent(name))
  }

  @Test(arguments: trainings) func bothPrecisionsAgree(_ training: [String]) async throws {
    let plain = try await trace(training, "--steps", "2", "--out", folder.path("a"))
    #expect(plain.code == 0, "\(plain.errors)")
    try draws("draws", from: file("a"))
    let draws = folder.path("draws")
    let single = try await trace(training, "--steps", "2", "--draws", draws, "--out", folder.path("single"))
    let double = try await trace(
      training, "--steps", "2", "--draws", draws, "--out", folder.path("double"), "--float64")
    #expect(single.code == 0 && double.code == 0, "\(single.errors) \(double.errors)")
    let (a, b) = (try file("single"), try file("double"))
    #expect(a.names == b.names && a.metadata[Manifest.key] == b.metadata[Manifest.key])
    #expect(b.metadata["precision"] == "double")
    for name in b.names {
      let (single, double) = (try a.entry(name), try b.entry(name))
      #expect(double.type == .f64 && double.shape == single.shape, "\(name)")
    }
    for name in b.names where TracePart(name)?.isGiven == true {
      #expect(try a.tensor(name).values.map { Double($0) } == b.doubles(name), "\(name)")
    }
    try compareFirstStep(a, b)
  }

  /// The first step, within what roundings may do.
  ///
  /// A sum of n terms is off by at most n u of their magnitudes (Higham 2002, section 4.2). Where ∂z cancels, what is
  /// left inherits the errors of its terms. For the update see `UpdateTwin`.
  private func compareFirstStep(_ a: SafeTensorsFile, _ b: SafeTensorsFile) throws {
    let relative = try relativeError()
    let step = "step 1/"
    func pair(_ name: String) throws -> (found: [Double], wanted: [Double])? {
      guard b.contains(step + name) else { return nil }
      return (try a.tensor(step + name).values.map { Double($0) }, try b.doubles(step + name))
    }
    func expect(_ name: String, within error: (Int) -> Double?) throws {
      let (found, wanted) = try #require(try pair(name), "\(name)")
      for k in wanted.indices {
        guard let error = error(k) else { continue }
        guard abs(found[k] - wanted[k]) > error else { continue }
        Issue.record("\(name) [\(k)]: expected \(wanted[k]) ± \(error), found \(found[k])")
        return
      }
    }
    func largest(_ values: [Double]) -> Double { values.map(abs).max() ?? 0 }
    let names = b.names.filter { $0.hasPrefix(step) }.map { String($0.dropFirst(step.count)) }
    let scale = exp(2.66)
    for name in names where ["forward/", "teacher/", "mask/"].contains(where: { name.hasPrefix($0) }) {
      let size = largest(try pair(name)?.wanted ?? [])
      let isLogits = name.hasSuffix("/logits")
      try expect(name) { _ in name.hasPrefix("mask/") ? 0 : relative * (isLogits ? max(size, scale) : size) }
    }
    for name in names where name.hasPrefix("loss/") {
      let size = largest(try pair(name)?.wanted ?? [])
      try expect(name) { _ in relative * (name == "loss/norm" ? size : max(size, scale)) }
    }
    // ∂z = (q − p) / n.
    let labels = try b.doubles("step 1/input/labels").map { Int($0) }
    let logits = Matrix(labels.count, Self.classes, try b.doubles("step 1/forward/logits"))
    let ofLabels = cancellation(crossEntropyBackward(logits, labels: labels), labels.count)
    var ofTeacher = 1.0
    if let teacher = try pair("teacher/logits")?.wanted {
      ofTeacher = cancellation(
        distillationBackward(logits, teacher: Matrix(labels.count, Self.classes, teacher)), labels.count)
    }
    func gradients(_ role: String) throws -> [String: [Double]] {
      let own = names.filter { $0.hasPrefix("\(role)/") }
      return try Dictionary(
        uniqueKeysWithValues: own.map { (String($0.dropFirst(role.count + 1)), try pair($0)?.wanted ?? []) })
    }
    let (first, second, applied) = (try gradients("gradient 1"), try gradients("gradient 2"), try gradients("gradient"))
    let errorOfA = relative * largest((first.isEmpty ? applied : first).values.flatMap(\.self)) * ofLabels
    let errorOfB = relative * largest(second.values.flatMap(\.self)) * ofTeacher
    for name in first.keys { try expect("gradient 1/\(name)") { _ in errorOfA } }
    for name in second.keys { try expect("gradient 2/\(name)") { _ in errorOfB } }
    var (unsureCount, keptCount) = (0, 0)
    for (name, gradient) in applied {
      // Where P is nearer to U than its error, or the sign of a is not sure, either outcome is right.
      var unsure = Set<Int>()
      if let (_, kept) = try pair("keep/\(name)"), let a = first[name], let b = second[name] {
        let uniform = try #require(try pair("draw/\(name)")).wanted
        func errorOfP(_ k: Int) -> Double {
          (errorOfA + errorOfB) / (abs(a[k]) + abs(b[k]) + 1e-8) + 8 * unit
        }
        unsure = Set(kept.indices.filter { abs(a[$0]) <= errorOfA || abs(kept[$0] - uniform[$0]) <= errorOfP($0) })
        (unsureCount, keptCount) = (unsureCount + unsure.count, keptCount + kept.count)
        try expect("keep/\(name)") { abs(a[$0]) <= errorOfA ? nil : errorOfP($0) }
      }
      try expect("gradient/\(name)") { unsure.contains($0) ? nil : errorOfA }
      let half = DeltaEntry(name).isOfHead ? "head" : "encoder"
      let rate = try #require(try pair("rate/\(half)")).wanted[0]
      // Decay adds a share of values below 2.
      let moment = 0.1 * (largest(gradient) + 0.01)
      try expect("state/\(name).first-moment") { unsure.contains($0) ? nil : 0.1 * errorOfA + 4 * unit * moment }
      let values = try #require(try pair("value/\(name)")).wanted
      try expect("value/\(name)") { k in
        guard !unsure.contains(k) else { return nil }
        let divisor = abs(gradient[k]) + 1e-8 - errorOfA
        let move = divisor > 0 ? min(4, 3 * errorOfA / divisor) : 4
        return rate * (move + 32 * unit) + 2 * unit * abs(values[k])
      }
    }
    #expect(2 * unsureCount < max(1, keptCount), "\(unsureCount) of \(keptCount) unsure")
  }

  /// β₁ and β₂ of a recipe are those of the plain loops, too.
  @Test func theMomentsHaveTheFactorsOfTheRecipe() throws {
    var recipe = OptimizerRecipe(learningRate: 0.125)
    (recipe.beta1, recipe.beta2) = (0.5, 0.75)
    let start = Tensor([2], [1, -2])
    let double = try DoubleOptimizer("head", recipe, [Trainable("p", start)])
    var single = recipe.optimizer([ParameterSlot("p", [2])], seed: 1)
    var values: Parameters = ["p": Matrix(start)]
    var tensors = [start]
    for gradient in [Tensor([2], [1, 0.5]), Tensor([2], [-0.25, 2])] {
      double.step(&values, ["p": Matrix(gradient)], rate: 0.125)
      single.step(parameters: &tensors, gradients: [gradient], learningRate: 0.125)
    }
    // m = ½ (½ g₁ + g₂), v = ¼ (¾ g₁² + g₂²)
    #expect(double.state["p.first-moment"]?.values == [0.125, 1.125])
    #expect(double.state["p.second-moment"]?.values == [0.203125, 1.046875])
    let found = try #require(values["p"]).values
    for (a, b) in zip(found, tensors[0].values) { #expect(abs(a - Double(b)) < 1e-6) }
  }

  private func cancellation(_ dLogits: Matrix, _ batch: Int) -> Double {
    max(1, 1 / (Double(batch) * (dLogits.values.map(abs).max() ?? 1)))
  }

  @Test(arguments: [
    (["ssf+linear"], "--float64: expected masks, branches, or tensors tuned as they are, which"),
    (["clip-adapter"], "expected CLIP's own head, a linear one, or task-res with a fixed alpha"),
    (["task-res", "--learn-alpha"], "expected CLIP's own head"),
    (["lora+linear", "--optimizer", "sgd"], "expected Adam or AdamW"),
  ]) func whatThePlainLoopsDoNotHaveIsRefused(_ training: [String], _ text: String) async throws {
    let outcome = try await trace(training, "--steps", "1", "--float64", "--out", folder.path("a"))
    expectRefusal(outcome, code: 2, [text, "REAL64=1"])
    #expect(!folder.exists("a"))
  }
}
