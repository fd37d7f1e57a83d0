import Checks
import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

@testable import frugal

@Suite struct TraceTests {
  @Test func everythingIsTraced() throws {
    let subjects = Set(TraceMember.all(seed: 1).map(\.subject))
    let expected =
      Operation.allCases.map { "operations/\($0.rawValue)" } + Layer.allCases.map { "layers/\($0.rawValue)" }
      + ["methods/r-amt", "methods/r-pmt+task-res", "methods/task-res", "optimizers/sgd", "rules/gradient dropout"]
    #expect(Set(expected).isSubset(of: subjects))
    #expect(Set(TraceMember.all(seed: 1).map { $0.name }).count == TraceMember.all(seed: 1).count)
  }

  @Test func aTraceHoldsEveryTensorAndWhatItWasMadeBy() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal("trace", "--out", folder.path("a.safetensors"), "--seed", "3", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("a.safetensors"))
    let json = try outcome.json()
    #expect(json["traces"].int == TraceMember.all(seed: 3).count && json["tensors"].int == file.names.count)
    #expect(
      file.metadata.filter { $0.key != Manifest.key } == [
        "frugal.trace": "1", "version": frugalVersion, "precision": GradientCheck.isDouble ? "double" : "single",
        "fused multiply-add": hasFusedMultiplyAdd ? "yes" : "no", "tile": "\(Tile.rows) × \(Tile.columns)",
        "seed": "3",
      ])
    for check in OperationChecks.all + LargeOperationChecks.all {
      #expect(file.contains("operations/\(check.name)/output"))
      for input in check.inputs { #expect(file.contains("operations/\(check.name)/gradient/\(input.name)")) }
    }
    let gelu = try #require(OperationChecks.all.first { $0.subject == "gelu" && $0.inputs[0].value.count > 0 })
    let (output, gradients) = gelu.outputAndGradients()
    #expect(try file.tensor("operations/\(gelu.name)/output") == output)
    #expect(try file.tensor("operations/\(gelu.name)/gradient/\(gelu.inputs[0].name)") == gradients[0])
    for part in ["loss/kl", "gradient/vision.patchEmbedding.mask", "value/vision.patchEmbedding.mask"] {
      for step in 1...3 { #expect(file.contains("methods/r-amt/step \(step)/\(part)"), "\(part)") }
    }
  }

  /// The second step of a method is made of the values of the first, these of its gradients.
  @Test func aTraceStatesWhatItsTensorsAreMadeOf() async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal("trace", "methods/r-amt", "--steps", "5", "--out", folder.path("a")).code == 0)
    let manifest = try #require(try Manifest(in: try GradedFiles(folder.path("a"))))
    let subject = "methods/r-amt/step"
    let value = "vision.patchEmbedding.mask"
    let entries = Dictionary(uniqueKeysWithValues: manifest.tensors.map { ($0.name, $0.from ?? []) })
    let rate = "rate/encoder"
    #expect(
      entries["\(subject) 1/value/\(value)"] == ["\(subject) 1/gradient/\(value)", "\(subject) 1/\(rate)"])
    #expect(entries["\(subject) 2/loss/kl"]?.contains("\(subject) 1/value/\(value)") == true)
    #expect(
      entries["\(subject) 2/value/\(value)"] == [
        "\(subject) 2/gradient/\(value)", "\(subject) 2/\(rate)", "\(subject) 1/value/\(value)",
        "\(subject) 1/state/\(value).first-moment", "\(subject) 1/state/\(value).second-moment",
      ])
    #expect(
      entries["\(subject) 2/gradient/\(value)"]
        == ["gradient 1", "keep", "draw"].map { "\(subject) 2/\($0)/\(value)" })
    let gradient = try #require(manifest.tensors.first { $0.name == "\(subject) 2/gradient/\(value)" })
    #expect(gradient.equation == "R-AMT eq. 7" && gradient.site == "vision.patchEmbedding")
    #expect(entries["\(subject) 5/value/\(value)"] != nil && entries["\(subject) 6/value/\(value)"] == nil)
    let listed = try await runFrugal("trace", "--list", "optimizers/sgd")
    #expect(listed.code == 0 && listed.output.split(separator: "\n").allSatisfy { $0.hasPrefix("optimizers/sgd") })
  }

  /// The whole command, twice, with other numbers of threads.
  @Test func theSameBytesForAnyNumberOfThreads() async throws {
    let folder = try TemporaryFolder()
    for threads in ["1", "3"] {
      let outcome = try await runFrugal(
        "trace", "operations", "methods/r-amt", "--out", folder.path(threads), "--threads", threads)
      #expect(outcome.code == 0)
    }
    #expect(try folder.bytes("1") == folder.bytes("3"))
    let outcome = try await runFrugal("grade", folder.path("1"), folder.path("3"), "--exact")
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("identical: the same bits"))
  }

  @Test func namesNarrow() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal("trace", "layers/linear", "geluTanh", "--out", folder.path("a"))
    #expect(outcome.code == 0)
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("a"))
    #expect(file.names.contains("operations/geluTanh/large/output"))
    #expect(file.names.allSatisfy { $0.hasPrefix("layers/linear/") || $0.hasPrefix("operations/geluTanh/") })
    #expect(outcome.output.contains("\(file.names.count) tensors"))
  }

  @Test func badRequestsAreRefused() async throws {
    let folder = try TemporaryFolder()
    let lines: [([String], Int32, String)] = [
      (["trace"], 2, "--out: missing required flag"),
      (["trace", "lineer", "--out", folder.path("a")], 2, "expected something that is traced or the beginning"),
      (["trace", "--out", folder.path("a"), "--seed", "-1"], 2, "--seed: expected a whole number from 0"),
      (["trace", "geluTanh", "--out", folder.path("no/a")], 1, "expected a file that can be written"),
      (["trace", "geluTanh", "--out", folder.url.path], 1, "expected a file to write, found a folder"),
    ]
    for (words, code, text) in lines { expectRefusal(try await runFrugal(words), code: code, [text]) }
    #expect(folder.contents.isEmpty)
  }

  /// Said by commands whose results depend on it, in builds for which it is true; never with the help.
  @Test(arguments: commands.map { $0.name }) func withoutFusedMultiplyAddACommandSaysSo(_ name: String) async throws {
    let sentence = "no fused multiply-add: its last bits differ from those of builds that have it"
    let calculating = [
      "evaluate", "tune", "predict", "gradcheck", "trace", "sensitivity", "export", "demo", "pretrain", "audit",
      "explain", "doctor", "sweep", "plan",
    ]
    let calculates = calculating.contains(name)
    #expect(try #require(commands.first { $0.name == name }).calculates == calculates)
    let outcome = try await runFrugal(name, "no-such-thing")
    #expect(outcome.code != 0)
    #expect(outcome.errors.contains(sentence) == (calculates && !hasFusedMultiplyAdd), "\(outcome.errors)")
    let help = try await runFrugal(name, "--help")
    #expect(help.code == 0 && help.errors.isEmpty)
  }
}
