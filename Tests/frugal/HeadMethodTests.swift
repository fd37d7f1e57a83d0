import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import frugal

/// `frugal tune` with the heads of other papers, from run to delta.
@Suite struct HeadMethodTests {
  static let heads = [
    "linear-probe", "gda", "tip-adapter", "tip-adapter-f", "clip-adapter", "lp++", "clap", "coop", "cocoop",
  ]

  /// A run on the pictures, the test images in place of val where there is one; nothing of steps for a head without.
  private func run(_ method: String, hasValidation: Bool, _ extra: [String] = []) async throws -> (
    folder: TemporaryFolder, outcome: FrugalProcess.Outcome
  ) {
    let folder = try Workbench.picturesCopy()
    if hasValidation {
      try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    }
    var words = [
      "tune", "--model", Workbench.model, "--data", folder.path("pictures"), "--method", method, "--shots", "2",
      "--template", "a {}", "--out", folder.path("run"),
    ]
    let isFitted = ["linear-probe", "gda", "tip-adapter", "lp++"].contains(method)
    if !isFitted { words += ["--epochs", "2", "--batch", "4"] }
    if !["clip-adapter", "linear-probe", "coop", "cocoop"].contains(method) { words += ["--views", "2"] }
    return (folder, try await runFrugal(words + extra))
  }

  @Test(arguments: heads) func aDeltaReproducesThePredictions(_ method: String) async throws {
    let (folder, outcome) = try await run(method, hasValidation: true)
    try #require(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("run")
    for threads in ["1", "3"] {
      let evaluated = try await runFrugal(
        "evaluate", "--model", Workbench.model, "--data", folder.path("pictures"), "--json", "--delta",
        folder.path("run/delta.safetensors"), "--threads", threads)
      try #require(evaluated.code == 0, "\(evaluated.errors)")
      #expect(try evaluated.json()["logitsSHA256"] == result["test"]["logitsSHA256"])
    }
    let predicted = try await runFrugal(
      "predict", folder.path("run"), "\(Workbench.pictures)/test/red_circle/00.png")
    #expect(predicted.code == 0, "\(predicted.errors)")
    let searches = !["clip-adapter", "clap", "coop", "cocoop"].contains(method)
    #expect((result["choices"].object?.isEmpty == false) == searches)
    #expect(outcome.output.contains("chosen on val") == searches)
    // A CLIP's checkpoint has no place for a linear head; all others belong to no weight of any model.
    let merged = try await runFrugal(
      "export", "--model", Workbench.model, "--delta", folder.path("run/delta.safetensors"), "--merged",
      folder.path("merged"))
    #expect(!folder.exists("merged"))
    if method == "linear-probe" {
      expectRefusal(merged, code: 1, ["expected one without a linear head, for which a CLIP's checkpoint has no place"])
    } else {
      expectRefusal(merged, code: 1, ["expected a delta of weights", "belongs to no weight"])
    }
  }

  /// The same bits for any number of threads, the search included.
  @Test(arguments: heads) func bitsDoNotDependOnThreads(_ method: String) async throws {
    let (one, first) = try await run(method, hasValidation: true, ["--threads", "1"])
    let (three, second) = try await run(method, hasValidation: true, ["--threads", "3"])
    #expect(first.code == 0 && second.code == 0, "\(first.errors)\(second.errors)")
    #expect(try one.bytes("run/delta.safetensors") == three.bytes("run/delta.safetensors"))
    #expect(try one.result("run") == three.result("run"))
  }

  @Test func withoutAValidationSplitNothingIsChosenAndItSaysSo() async throws {
    let (folder, outcome) = try await run("tip-adapter", hasValidation: false)
    #expect(outcome.code == 0 && outcome.errors.contains("there is no validation split to choose alpha, beta by"))
    #expect(try folder.result("run")["choices"].object == nil)
  }

  @Test func aValidationSplitThatIsTrainedOnChoosesNothingAndItSaysSo() async throws {
    let (_, outcome) = try await run("tip-adapter", hasValidation: true, ["--train-on", "train+val"])
    let warning = "warning: the validation split is trained on, so there is none to choose alpha, beta by: values"
    #expect(outcome.code == 0 && outcome.errors.contains(warning), "\(outcome.errors)")
    #expect(!outcome.errors.contains("there is no validation split"))
  }

  /// Center crops of an image are one view of it; where the recipe has more and nobody asks, there is one.
  @Test(arguments: ["tip-adapter", "clap"]) func viewsOfACenterCropAreRefused(_ method: String) async throws {
    let (folder, outcome) = try await run(method, hasValidation: false, ["--crop", "center"])
    expectRefusal(
      outcome, code: 2, ["--views: expected 1 with center crops, as all of them are the same, found 2"])
    #expect(!folder.exists("run"))
    let words = ["tune", "--model", Workbench.model, "--data", Workbench.pictures, "--method", method, "--dry-run"]
    for views in [[], ["--views", "1"]] {
      let plan = try await runFrugal(words + ["--crop", "center", "--out", folder.path("other")] + views)
      #expect(plan.code == 0, "\(plan.errors)")
    }
  }

  /// The search of the authors' code, which the result is stamped with.
  @Test func aSearchOnTheTestSplitIsStamped() async throws {
    let (folder, outcome) = try await run("tip-adapter", hasValidation: false, ["--select", "test-max"])
    #expect(outcome.code == 0 && outcome.output.contains("chosen on TEST"), "\(outcome.output)\(outcome.errors)")
    #expect(try folder.result("run")["selection"].string == "test-max")
    #expect(try folder.result("run")["choices"].object?.keys.sorted() == ["alpha", "beta"])
  }

  @Test func settingsThatAreGivenAreNotSearched() async throws {
    let (folder, outcome) = try await run("gda", hasValidation: true, ["--blend", "3"])
    #expect(outcome.code == 0 && !outcome.output.contains("chosen on"))
    let delta = try await runFrugal("inspect", folder.path("run/delta.safetensors"), "--json")
    #expect(try delta.json()["delta"]["settings"]["blend"].double == 3)
  }

  @Test(arguments: ["gda", "tip-adapter", "lp++", "linear-probe"])
  func aHeadWithoutStepsIsRefusedWithAnEncoder(_ head: String) async throws {
    for name in ["r-amt+\(head)", "\(head)+lora"] {
      let (_, outcome) = try await run(name, hasValidation: false)
      expectRefusal(
        outcome, code: 2,
        ["--method: expected \(head) alone, as it is fitted to the features of an encoder that stays frozen"])
    }
    let (_, outcome) = try await run(head, hasValidation: false, ["--epochs", "3"])
    expectRefusal(outcome, code: 2, ["--epochs: expected a method that is trained step by step"])
  }

  @Test func anEncoderIsTrainedWithTheKeysOfACache() async throws {
    let (folder, outcome) = try await run("r-amt+tip-adapter-f", hasValidation: true, ["--lr", "0.002", "--force"])
    try #require(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("run")
    let evaluated = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", folder.path("pictures"), "--json", "--delta",
      folder.path("run/delta.safetensors"))
    #expect(try evaluated.json()["logitsSHA256"] == result["test"]["logitsSHA256"])
    #expect(result["masks"].object?.isEmpty == false && result["choices"].object != nil)
  }

  @Test func everyMethodIsListed() async throws {
    let outcome = try await runFrugal("methods")
    #expect(outcome.code == 0)
    for name in MethodList.names { #expect(outcome.output.contains("\n\(name) "), "\(name)") }
    let json = try await runFrugal("methods", "--json").json()
    #expect(json["methods"].array?.compactMap { $0["name"].string } == MethodList.names)
  }
}
