import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

@testable import frugal

/// What is decided before the first step, as draws of a trace: the images that are sampled, and what a method chooses.
@Suite struct TraceDrawTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(_ name: String) throws -> SafeTensorsFile {
    try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent(name))
  }

  private func trace(_ method: String, _ more: String...) async throws -> FrugalProcess.Outcome {
    let run = Workbench.quickRun(method, out: folder.url).dropFirst().dropLast(2).filter { $0 != "--force" }
    return try await runFrugal(["trace"] + run + ["--steps", "2"] + more)
  }

  /// A copy of the draws of a trace with others in their place.
  private func write(_ name: String, from trace: SafeTensorsFile, changed: [String: Tensor]) throws {
    var writer = SafeTensorsWriter()
    for own in trace.names where TracePart(own)?.isGiven == true || changed[own] != nil {
      writer.add(own, try changed[own] ?? trace.tensor(own))
    }
    for (other, value) in changed where !trace.contains(other) { writer.add(other, value) }
    try writer.write(to: folder.url.appendingPathComponent(name))
  }

  @Test func theSampleIsADraw() async throws {
    #expect(try await trace("task-res", "--out", folder.path("a")).code == 0)
    #expect(try await trace("task-res", "--out", folder.path("b"), "--seed", "5").code == 0)
    let (a, b) = (try file("a"), try file("b"))
    let (mine, other) = (try a.tensor("draw/images"), try b.tensor("draw/images"))
    // Two images of each of four classes.
    #expect(mine.shape == [8] && Set(mine.values).count == 8 && mine != other)
    // The sample of one seed in a run of another.
    let given = try await trace("task-res", "--seed", "5", "--draws", folder.path("a"), "--out", folder.path("c"))
    #expect(given.code == 0, "\(given.errors)")
    #expect(try file("c").tensor("draw/images") == mine)
    #expect(try file("c").tensor("step 2/value/classifier.residual") == a.tensor("step 2/value/classifier.residual"))
    for (name, values, text) in [
      ("far", [0, 1, 2, 3, 4, 5, 6, 4096], "expected whole numbers from 0 to"),
      ("half", [0, 1, 2, 3, 4, 5, 6, 7.5], "expected whole numbers from 0 to"),
      ("twice", [0, 1, 2, 3, 4, 5, 6, 6], "expected each image once"),
    ] as [(String, [Real], String)] {
      try write(name, from: a, changed: ["draw/images": Tensor([8], values)])
      let outcome = try await trace("task-res", "--draws", folder.path(name), "--out", folder.path("d"))
      expectRefusal(outcome, code: 1, ["draw/images: \(text)"])
    }
    #expect(!folder.exists("d"))
  }

  /// The indices are those of the training split: with the images of another sample the batches are others.
  @Test func theSampleIsTrainedOn() async throws {
    #expect(try await trace("linear", "--crop", "center", "--out", folder.path("a")).code == 0)
    #expect(try await trace("linear", "--crop", "center", "--out", folder.path("b"), "--seed", "5").code == 0)
    let (a, b) = (try file("a"), try file("b"))
    try write("draws", from: a, changed: ["draw/images": b.tensor("draw/images")])
    let mixed = try await trace(
      "linear", "--crop", "center", "--draws", folder.path("draws"), "--out", folder.path("c"))
    #expect(mixed.code == 0, "\(mixed.errors)")
    let names = ["step 1/input/features", "step 1/value/head.weight"]
    for name in names { #expect(try file("c").tensor(name) != a.tensor(name), "\(name)") }
  }

  /// SPT (f), (g), (k).
  @Test func theChoiceOfSitesIsADraw() async throws {
    func spt(_ more: String...) async throws -> FrugalProcess.Outcome {
      let run = Workbench.quickRun("spt-lora+linear", out: folder.url).dropFirst().dropLast(2)
      return try await runFrugal(
        ["trace"] + run.filter { $0 != "--force" } + ["--budget", "3000", "--steps", "1"] + more)
    }
    let plain = try await spt("--out", folder.path("a"))
    #expect(plain.code == 0, "\(plain.errors)")
    let a = try file("a")
    let tower = try Pretrained.model(at: Workbench.model).tower
    let sites = SensitivitySite.all(of: tower)
    let codes = try a.tensor("draw/choice").values
    #expect(codes.count == sites.count)
    for (code, site) in zip(codes, sites) {
      let name = site.parameter.site.name
      #expect(a.contains("draw/choice/\(name)") == (code == 1), "\(name)")
      #expect(a.contains("step 1/value/\(name).sparse") == (code == 1), "\(name)")
      #expect(a.contains("step 1/value/\(name)") == (code == 2), "\(name)")
      #expect(a.contains("step 1/value/\(name).branch.up") == (code == 3), "\(name)")
    }
    // One map alone: five of its entries.
    let index = try #require(sites.firstIndex { $0.parameter.site.role == .mlpDown })
    let site = sites[index].parameter
    var other = [Real](repeating: 0, count: sites.count)
    other[index] = 1
    let chosen = (0..<site.value.count).map { Real($0 < 5 ? 1 : 0) }
    let shifts = Tensor([5], repeating: 0)
    try write(
      "draws", from: a,
      changed: [
        "draw/choice": Tensor([other.count], other),
        "draw/choice/\(site.site.name)": Tensor(site.value.shape, chosen), "initial/\(site.site.name).sparse": shifts,
      ])
    let given = try await spt("--draws", folder.path("draws"), "--out", folder.path("b"))
    #expect(given.code == 0, "\(given.errors)")
    let b = try file("b")
    #expect(try b.tensor("step 1/gradient/\(site.site.name).sparse").shape == [5])
    #expect(!b.names.contains { $0.contains(".branch.") })
    let bias = try #require(sites.firstIndex { $0.parameter.site.role == .bias })
    for (code, at, text) in [
      (3, bias, "expected a module at matrices only, found one at \(sites[bias].parameter.site.name)"),
      (4, index, "expected whole numbers from 0 to 3"),
    ] as [(Real, Int, String)] {
      other[at] = code
      try write("wrong", from: a, changed: ["draw/choice": Tensor([other.count], other)])
      expectRefusal(
        try await spt("--draws", folder.path("wrong"), "--out", folder.path("c")), code: 1, ["draw/choice: \(text)"])
      other[at] = 0
    }
  }

  /// R-AMT (i).
  @Test func theChoiceOfWeightsIsADraw() async throws {
    #expect(try await trace("r-pmt", "--tuned-share", "0.25", "--out", folder.path("a")).code == 0)
    let a = try file("a")
    let name = try #require(a.names.first { $0.hasPrefix("draw/choice/") })
    let own = try a.tensor(name)
    let opposite = Tensor(own.shape, own.values.map { 1 - $0 })
    try write("draws", from: a, changed: [name: opposite])
    let given = try await trace("r-pmt", "--draws", folder.path("draws"), "--out", folder.path("b"))
    #expect(given.code == 0, "\(given.errors)")
    let site = name.dropFirst("draw/choice/".count)
    let before = try file("b").tensor("initial/\(site).mask").values
    let after = try file("b").tensor("step 1/value/\(site).mask").values
    // What is not chosen stays; with norm and loss nearly all others move.
    let moved = zip(before, after).map { $0 != $1 }
    #expect(zip(moved, opposite.values).allSatisfy { !$0 || $1 == 1 })
    #expect(moved.count { $0 } > opposite.values.count { $0 == 1 } / 2)
  }

  /// `--only` is obeyed for draws too; such a file can be fed back where the patterns let all draws through.
  @Test func aPartOfATraceFeedsBackIfItHasTheDraws() async throws {
    #expect(try await trace("r-amt", "--out", folder.path("a")).code == 0)
    let few = try await trace("r-amt", "--only", "step 1/gradient/*", "--out", folder.path("few"))
    #expect(few.code == 0)
    let part = try file("few")
    #expect(!part.names.contains { $0.contains("draw") })
    let refused = try await trace("r-amt", "--draws", folder.path("few"), "--out", folder.path("b"))
    expectRefusal(
      refused, code: 1, ["\"draw/images\"", "found none, as the file was written with --only step 1/gradient/*"])
    let patterns = ["--only", "*draw/*", "--only", "initial/*", "--only", "*/input/*"]
    let run = Workbench.quickRun("r-amt", out: folder.url).dropFirst().dropLast(2).filter { $0 != "--force" }
    let words = ["trace"] + run + ["--steps", "2"]
    #expect(try await runFrugal(words + patterns + ["--out", folder.path("draws")]).code == 0)
    let again = try await trace(
      "r-amt", "--seed", "4", "--draws", folder.path("draws"), "--out", folder.path("b"))
    #expect(again.code == 0, "\(again.errors)")
    let (a, b) = (try file("a"), try file("b"))
    #expect(a.names == b.names)
    #expect(try a.names.allSatisfy { try a.tensor($0) == b.tensor($0) })
  }

  /// A number of every formula that a method has, and each number a row of the method's page.
  @Test func formulasOfTracesAreRowsOfTheirPages() throws {
    let folder = Fixtures.package.appendingPathComponent("docs/methods")
    var pages: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".md") {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      pages[String(text.dropFirst(2).prefix { $0 != "," })] = text
    }
    for name in MethodList.pairs {
      for text in Array(name.encoder.equations.values) + Array(name.head.equations.values) {
        let paper = try #require(pages.keys.first { text.hasPrefix($0 + " ") }, "\(text)")
        let numbers = text.dropFirst(paper.count + 1).split(separator: ", ")
        for number in numbers { #expect(pages[paper]?.contains("\n| \(number) |") == true, "\(name): \(text)") }
      }
    }
    func equation(_ tensor: String, _ method: String) -> String? {
      TracePart(tensor, of: MethodName(method))?.equation
    }
    let map = "vision.blocks.1.attention.query"
    #expect(equation("step 1/gradient/\(map).branch.up", "spt-lora+linear") == "SPT (i)")
    #expect(equation("step 1/gradient/\(map).branch.up", "spt-adapter+linear") == "SPT (j)")
    #expect(equation("step 2/gradient/\(map).sparse", "spt-lora+linear") == "SPT (k)")
    #expect(equation("step 1/draw/\(map).dropPath", "spt-lora+linear") == "SPT (o)")
    #expect(equation("step 1/draw/\(map).dropout", "lora+linear") == "SPT (i)")
    #expect(equation("step 1/rate/head", "lora+linear") == "SPT (m)")
    #expect(equation("step 1/state/\(map).branch.up.first-moment", "lora+linear") == "SPT (l)")
    #expect(equation("draw/choice/\(map)", "spt-lora+linear") == "SPT (d), (f), (g)")
    #expect(TracePart("draw/choice/\(map)")?.site == map && TracePart("draw/images")?.isGiven == true)
    #expect(equation("step 1/forward/logits", "lora") == "R-AMT (j)")
    #expect(equation("step 1/forward/logits", "r-amt+linear") == nil)
    #expect(equation("step 1/loss/loss", "spt-lora+linear") == "R-AMT (k)")
    #expect(equation("step 1/loss/loss", "r-amt") == "R-AMT (e)")
    #expect(equation("step 1/gradient/classifier.alpha", "task-res") == "TaskRes (i)")
    #expect(equation("step 1/draw/order", "r-amt") == nil)
  }
}
