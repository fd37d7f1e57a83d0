import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Command lines that cannot be understood: exit code 2, a line that names the flag, and no trace on disk.
@Suite struct UsageTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let words: [String]
    let texts: [String]

    init(_ line: String, _ texts: String...) {
      (words, self.texts) = (line.split(separator: " ").map(String.init), texts)
    }

    var testDescription: String { words.joined(separator: " ") }
  }

  @Test(arguments: [
    Case("tun", "tun: unknown command (did you mean tune?)"), Case("stir", "stir: unknown command; frugal --help"),
    Case("inspect", "expected one path to inspect, found 0"),
    Case("inspect a b", "expected one path to inspect, found 2"),
    Case("predict --model M", "expected at least one image, found none"),
    Case("predict a.jpg", "--model: missing required flag"),
    Case("predict --model M --classes a,,b a.jpg", "--classes: expected names separated by commas, found an empty one"),
    Case("predict --model M --top 0 a.jpg", "--top: expected a whole number from 1"),
    Case("evaluate --data D", "--model: missing required flag"),
    Case(
      "evaluate --model M --data D --split tset",
      "--split: expected test, val, train, or shares such as 0.6,0.2,0.2, found \"tset\" (did you mean test?)"),
    Case("evaluate --model M stray", "stray: expected flags only"),
    Case("evaluate --threads 0", "--threads: expected a whole number from 1 to 1024, found \"0\""),
    Case("evaluate --threads many", "--threads: expected a whole number"),
  ])
  func wrongWordsExitWith2(line: Case) async throws {
    let outcome = try await runFrugal(line.words)
    expectRefusal(outcome, code: 2, line.texts)
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    Case("--metod r-amt", "--metod: unknown flag (did you mean --method?)"),
    Case("--method r-atm", "--method: expected r-amt, r-mmt", "found \"r-atm\" (did you mean r-amt?)"),
    Case("--method task-res+r-amt+r-mmt", "--method: expected at most two parts"),
    Case("--method r-mmt+r-amt", "--method: expected one encoder tuning"),
    Case("--method r-amt+", "--method: expected r-amt"),
    Case("--method zero-shot", "--method: expected one that trains, found \"zero-shot\""),
    Case("--shots 0", "--shots: expected a whole number from 1, or all, found \"0\""),
    Case("--shots two", "found \"two\""),
    Case("--seed -1", "--seed: expected a whole number from 0 to 2147483647, found \"-1\""),
    Case("--epochs 0", "--epochs: expected a whole number from 1"), Case("--epochs 1e3", "found \"1e3\""),
    Case("--batch 0", "--batch: expected a whole number from 1"),
    Case("--lr -1", "--lr: expected a number from 0.0 to 1000.0, found \"-1\""), Case("--lr nan", "found \"nan\""),
    Case("--lambda 1.5", "--lambda: expected a number from 0.0 to 1.0, found \"1.5\""),
    Case("--momentum 1", "--momentum: expected a number"), Case("--as authors", "--as: expected official, paper"),
    Case("--schedule cosin", "--schedule: expected constant, cosine, found \"cosin\" (did you mean cosine?)"),
    Case("--optimizer adamm", "(did you mean adam?)"), Case("--crop centre", "(did you mean center?)"),
    Case("--select best", "--select: expected last, val, test-max, found \"best\""),
    Case("--select val", "--select: expected last, as the data has no val/CLASS/* folders"),
    Case("--dataset imagnet", "--dataset: expected imagenet", "(did you mean imagenet?)"),
    Case("--tokenizer openai", "--tokenizer: expected published, hugging-face"),
    Case("--alpha 0.5", "--alpha: expected task-res to read it, found --method r-amt"),
    Case("--tuned-share 0.5", "--tuned-share: expected r-pmt to read it, found --method r-amt"),
    Case(
      "--method task-res --lambda 0.5", "--lambda: expected r-amt, r-mmt, r-mt, r-pmt to read it",
      "found --method task-res"),
    Case(
      "--method mask-tuning --lambda 0.5", "--lambda: expected r-amt, r-mmt, r-mt, r-pmt to read it",
      "found --method mask-tuning"),
    Case(
      "--method task-res --norm-weight 0",
      "--norm-weight: expected r-amt, r-mmt, r-mt, r-pmt, mask-tuning to read it"),
    Case("--nesterov", "--nesterov: expected --optimizer sgd with it, found adam"),
    Case("--optimizer sgd --nesterov --momentum 0", "--nesterov: expected a momentum above 0, found 0.0"),
    Case("--warmup-epochs 2", "--warmup-epochs: expected --warmup constant, linear or ramp with it, found none"),
    Case("--warmup-epochs 101%", "--warmup-epochs: expected a number of epochs, or a share from 0% to 100%"),
    Case("--lr 1 --lr 2", "--lr: expected one value, found a second one, \"2\""),
    Case("--json=yes", "--json: expected no value, found \"yes\""),
    Case("--shots --lr 1", "--shots: expected N|all, found the flag --lr"),
    Case("--lr", "found the end of the command line"),
    Case("--resume elsewhere", "cannot be combined with --resume: the settings of the run hold"),
  ])
  func wrongSettingsLeaveNoFolder(line: Case) async throws {
    let folder = try TemporaryFolder()
    var words = ["tune", "--model", Workbench.model, "--data", Workbench.pictures, "--out", folder.path("run")]
    if !line.words.contains("--method") { words += ["--method", "r-amt"] }
    let outcome = try await runFrugal(words + line.words)
    expectRefusal(outcome, code: 2, line.texts)
    #expect(folder.contents.isEmpty)
  }

  @Test(arguments: [
    Case("tune", "--model, --data: missing required flags"),
    Case("evaluate --threads 1", "--model, --data: missing required flags"),
    Case("evaluate --data-list L", "--model: missing required flag"),
    Case("sensitivity --model M", "--data, --out: missing required flags"),
    Case("export", "--model, --delta: missing required flags"),
    Case("tune -q -v --model M --data D", "--verbose: expected no --quiet with it, found both"),
  ])
  func allMissingFlagsAreNamedAtOnce(line: Case) async throws {
    expectRefusal(try await runFrugal(line.words), code: 2, line.texts)
  }

  /// Flags are wrong whatever the data are: these are not even there.
  @Test(arguments: [
    Case("evaluate --model M --data /no --tokenizer x", "--tokenizer: expected published, hugging-face"),
    Case("evaluate --model M --data /no --exif x", "--exif: expected rotate, ignore"),
    Case("sensitivity --model M --data /no --out o --normalize x", "--normalize: expected imagenet, inception"),
    Case("tune --model M --data /no --epochs 0", "--epochs: expected a whole number from 1"),
    Case("tune --model M --data /no --method lora --rank 0", "--rank: "),
    Case("predict --model M --resize x /no.jpg", "--resize: expected direct, checkpoint"),
  ])
  func flagsAreCheckedBeforeDataAreRead(line: Case) async throws {
    expectRefusal(try await runFrugal(line.words), code: 2, line.texts)
  }

  @Test func quietSaysNothingButErrorsAndVerboseMore() async throws {
    let words = ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures]
    let quiet = try await runFrugal(words + ["-q"])
    #expect(quiet.code == 0 && quiet.errors.isEmpty && quiet.output.contains("accuracy"))
    let verbose = try await runFrugal(words + ["-v"])
    #expect(verbose.errors.contains("frugal ") && verbose.errors.contains("seconds in all"))
    #expect(verbose.output == quiet.output)
    #expect(
      try await runFrugal("evaluate", "-q", "--model", "/no", "--data", Workbench.pictures).errors.contains("/no"))
  }

  @Test(arguments: ["--model", "--data"])
  func whatTuneCannotDoWithoutIsAskedFor(flag: String) async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
    let index = try #require(words.firstIndex(of: flag))
    let outcome = try await runFrugal(Array(words[..<index] + words[(index + 2)...]))
    expectRefusal(outcome, code: 2, ["\(flag): missing required flag"])
    #expect(folder.contents.isEmpty)
  }

  @Test func threadsOfTheEnvironmentAreCheckedToo() async throws {
    let outcome = try await runFrugal(["inspect", Workbench.model], environment: ["FRUGAL_THREADS": "-2"])
    expectRefusal(outcome, code: 2, ["FRUGAL_THREADS: expected a whole number from 1 to 1024, found \"-2\""])
  }
}
