import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

/// A real mask starts 0.005 above its threshold and an official step is 8e-5 long: no weight can be masked early.
@Suite struct MaskFlipTests {
  /// Two steps an epoch, of 16 images of each of the four classes or, where only the rates matter, of two.
  private func tune(
    _ folder: TemporaryFolder, shots: Int = 2, _ extra: [String]
  ) async throws -> FrugalProcess.Outcome {
    try await runFrugal(
      [
        "tune", "--model", Workbench.model, "--data", Workbench.pictures, "--method", "r-amt", "--shots", "\(shots)",
        "--template", "a {}", "--batch", "\(2 * shots)", "--out", folder.path("run"),
      ] + extra)
  }

  private let warning = "less than the 0.005 a mask travels to its threshold"

  @Test(arguments: ["1", "0"]) func noMaskFlipsBeforeItCan(lambda: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await tune(
      folder, shots: 16, ["--epochs", "35", "--schedule", "constant", "--lambda", lambda])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(!outcome.errors.contains("warning: the learning rates"))
    let rates = [Double](repeating: 8e-5, count: 70)
    let possible = try #require(MaskTuning.firstPossibleFlip(learningRates: rates))
    let steady = try #require(MaskTuning.steadyFlip(learningRates: rates))
    #expect(possible == 50 && steady == 63)
    let epochs = try folder.metrics("run")
    #expect(epochs.count == 35 && epochs.last?["steps"]?.int == 70)
    for epoch in epochs {
      let (steps, share) = (try #require(epoch["steps"]?.int), try #require(epoch["shares"]?["all"].double))
      if steps < possible { #expect(share == 0, "after \(steps) steps") }
      // A gradient of one sign takes exactly as long as the rates add up to, and many keep their sign that long.
      if steps > steady { #expect(share > 0, "after \(steps) steps") }
    }
    // The masks of single sites add up to the share of all.
    let result = try folder.result("run")
    let masks = try #require(result["masks"].object).values.map { mask in
      (masked: mask["masked"].int ?? 0, weights: mask["weights"].int ?? 0)
    }
    let weights = masks.reduce(0) { $0 + $1.weights }
    #expect(masks.count == 13 && weights == result["trainedParameters"].int)
    let share = 100 * Double(masks.reduce(0) { $0 + $1.masked }) / Double(weights)
    #expect(share > 0 && share == result["shares"]["all"].double)
  }

  @Test func aRunTooShortForAnyMaskSaysSoBeforeItStarts() async throws {
    let folder = try TemporaryFolder()
    let refused = try await tune(folder, ["--epochs", "10"])
    expectRefusal(
      refused, code: 2,
      ["no weight can be masked: the learning rates of 10 epochs of 2 steps add up to 0.00088", "--force trains all"])
    #expect(!folder.exists("run"))
    // What is advised is enough.
    let flags = try #require(refused.errors.firstMatch(of: /\(--epochs ([0-9]+) or --lr ([0-9.e-]+) would do/))
    let schedules = [(Int(flags.1) ?? 0, 8e-5), (10, Double(flags.2) ?? 0)].map { epochs, rate in
      (0..<epochs).flatMap { [Double](repeating: OptimizerRecipe(learningRate: rate).rate($0, of: epochs), count: 2) }
    }
    for rates in schedules { #expect(MaskTuning.steadyFlip(learningRates: rates) != nil) }
    let outcome = try await tune(folder, ["--epochs", "10", "--force"])
    #expect(outcome.code == 0)
    let lines = outcome.errors.split(separator: "\n").map(String.init)
    let index = try #require(lines.firstIndex { $0.hasPrefix("warning: the learning rates add up to ") })
    #expect(lines[index].contains(warning) && lines[index].contains("no weight can be masked"))
    #expect(index < (try #require(lines.firstIndex { $0.hasPrefix("epoch 1/10") })))
    #expect(try folder.metrics("run").allSatisfy { $0["shares"]?["all"].double == 0 })
    #expect(try folder.result("run")["shares"]["all"].double == 0)
    let (result, zeroShot) = (try folder.result("run")["test"], try folder.result("run")["zeroShot"])
    #expect(result["logitsSHA256"] == zeroShot["logitsSHA256"])
  }

  @Test func aShareWithoutAnyWeightSaysSoBeforeItStarts() async throws {
    let folder = try TemporaryFolder()
    let words = [
      "tune", "--model", Workbench.model, "--data", Workbench.pictures, "--method", "r-pmt", "--shots", "2",
      "--tuned-share", "0", "--batch", "4", "--template", "a {}", "--out", folder.path("run"), "--epochs",
    ]
    expectRefusal(
      try await runFrugal(words + ["200"]), code: 2,
      ["no weight can be masked: none belongs to the share that is tuned (--force trains all the same)"])
    #expect(!folder.exists("run"))
    let forced = try await runFrugal(words + ["1", "--force"])
    #expect(forced.code == 0, "\(forced.errors)")
    #expect(try folder.result("run")["trainedParameters"].int == 0)
  }

  @Test func aCosineAddsUpToHalfOfWhatItsHeightWould() async throws {
    let folder = try TemporaryFolder()
    // 2 · 8e-5 · Σ ½ (1 + cos(π e / 35)) over 35 epochs, and the sum is ½ · 35 + ½.
    let outcome = try await tune(folder, ["--epochs", "35", "--force"])
    #expect(outcome.errors.contains("warning: the learning rates add up to 0.00288, \(warning)"))
  }
}

extension OptimizerRecipe {
  fileprivate func rate(_ epoch: Int, of epochs: Int) -> Double { schedule(epochs: epochs).rate(at: epoch) }
}
