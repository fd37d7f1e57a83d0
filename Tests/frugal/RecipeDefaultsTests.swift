import Foundation
import FrugalTestSupport
import Methods
import Testing

@testable import frugal

/// Help states the defaults that the recipes have.
@Suite struct RecipeDefaultsTests {
  private func help(_ words: String...) -> [String: String] {
    let options = TuneCommand.options(for: words)
    return Dictionary(uniqueKeysWithValues: options.map { ($0.flag, $0.help) })
  }

  private func recipe(_ method: String) throws -> Recipe {
    let name = try #require(MethodName(method))
    return name.recipe(
      PublishedSetting(
        benchmark: nil, shots: ["r-amt", "task-res"].contains(method) ? 16 : nil, fidelity: .official))
  }

  @Test(arguments: ["lora", "spt-adapter", "r-amt", "task-res", "linear"])
  func theHelpOfAMethodHasItsOwnDefaults(_ method: String) throws {
    let (help, recipe) = (help("--method", method, "--help"), try recipe(method))
    let own = method == "task-res" || method == "linear" ? recipe.head : recipe.encoder
    #expect(help["--warmup-epochs"]?.hasSuffix("(default \(own.warmupEpochs))") == true)
    #expect(help["--warmup"]?.hasSuffix("(default \(own.warmup.rawValue))") == true)
    #expect(help["--recount"]?.hasSuffix("(default \(own.recounts ? "yes" : "no"))") == true)
    #expect(help["--cooldown-epochs"]?.hasSuffix("(default \(own.cooldownEpochs ?? 0))") == true)
    #expect(help["--schedule-lag"]?.hasSuffix("(default \(own.lag ?? 0))") == true)
    #expect(help["--optimizer"]?.hasSuffix("(default \(own.kind.rawValue))") == true)
    #expect(help["--batch"]?.hasSuffix("(default \(recipe.batchSize))") == true)
    #expect(help["--epochs"]?.contains("(default \(recipe.epochs)") == true)
  }

  @Test func theHelpOfAMethodHasNoFlagsOfOthers() throws {
    let help = help("--method=r-amt")
    #expect(help["--lambda"] != nil && help["--budget"] == nil && help["--alpha"] == nil && help["--lr"] != nil)
    let both = self.help("--method", "spt-lora+task-res")
    #expect(both["--budget"] != nil && both["--alpha"] != nil && both["--lambda"] == nil)
    #expect(both["--head-lr"]?.hasSuffix("(default 0.002 (0.0002 by dataset or shots))") == true)
    #expect(self.help("--method", "nonsense").keys.sorted() == self.help().keys.sorted())
  }

  @Test func theHelpOfAllMethodsNamesWhatDiffers() throws {
    let help = help()
    let masks = "r-amt, r-mmt, r-mt, r-pmt, mask-tuning"
    let sites = "spt-lora, spt-adapter, lora, adapter, bitfit, layernorm, full, partial-k"
    let few = "\(masks), prolip, clip-lora, so, 2sfs, task-res, tip-adapter-f, clip-adapter, clap, coop, cocoop"
    let shared = "repadapter, fact-tt, fact-tk, convpass"
    #expect(help["--warmup-epochs"]?.hasSuffix("(default: \(few) 1; adaptformer 20; others 10)") == true)
    let rest = "vpt-shallow, vpt-deep, adaptformer"
    #expect(
      help["--warmup-lr"]?.hasSuffix(
        "(default: \(sites), \(shared), linear 1e-6; ssf, gps 1e-7; \(rest) 0; others 1e-5)")
        == true)
    #expect(
      help["--recount"]?.hasSuffix("(default: \(sites), ssf, \(shared), gps, linear no; \(rest) rest; others yes)")
        == true)
    #expect(
      help["--batch"]?.hasSuffix(
        "(default: \(masks), clip-lora, so, 2sfs, clip-adapter, coop 32; prolip all; gps 16; "
          + "task-res, tip-adapter-f, clap 256; cocoop 1; others 64)") == true)
    #expect(help["--stochastic-depth"]?.hasSuffix("(default: \(sites), \(shared) 0.1; others 0)") == true)
    #expect(
      help["--head-lr"]?.hasSuffix(
        "(default: task-res 0.002 (0.0002 by dataset or shots); linear, tip-adapter-f 0.001; clap 0.1; "
          + "others 0.002)") == true)
    #expect(help["--momentum"]?.hasSuffix("(default 0.9)") == true)
  }

  @Test func helpOfAMethodIsPrinted() async throws {
    let outcome = try await runFrugal("tune", "--method", "lora", "--help")
    let help = outcome.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(outcome.code == 0 && help.contains("epochs of the warm-up, or their share of all epochs (default 10)"))
    #expect(!outcome.output.contains("--lambda"))
  }

  @Test func numbersAreShort() {
    let found = [8e-5, 0.001, 0, 1e-6, 0.9, 5e-4].map(RecipeDefaults.number)
    #expect(found == ["8e-5", "0.001", "0", "1e-6", "0.9", "0.0005"])
  }
}
