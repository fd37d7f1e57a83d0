import Foundation
import FrugalTestSupport
import Testing

@testable import Methods
@testable import frugal

/// The file that `--print-config --json` prints begins the run that was typed; what is typed beside a file comes first.
@Suite struct StatedFileTests {
  /// The file begins the run that was typed, whatever halves, lists and switches it has.
  @Test(arguments: [
    ["coop", "--context-init", "a photo of a"], ["coop", "--head-lr", "0.1", "--head-weight-decay", "0.5"],
    ["coop", "--optimizer", "adam", "--beta1", "0.8"], ["cocoop", "--context-tokens", "3", "--nesterov"],
    ["spt-lora", "--budget", "10k,20k"], ["spt-lora", "--unstructured-only", "--recount", "rest"],
    ["so", "--stop-loss", "0"], ["so", "--epochs", "5"], ["so", "--density", "0.1", "--refresh", "3"],
    ["r-amt+coop", "--head-momentum", "0.5", "--beta2", "0.99"], ["r-amt+coop", "--optimizer", "sgd", "--nesterov"],
    ["r-amt+coop", "--momentum", "0.5", "--warmup-epochs", "4"], ["spt-lora+task-res", "--head-warmup", "none"],
    ["spt-lora+task-res", "--min-lr", "1e-4", "--head-schedule", "constant"],
    ["vpt-deep+task-res", "--momentum", "0.5", "--optimizer", "sgd", "--head-optimizer", "adam"],
    ["task-res", "--head-optimizer", "sgd", "--head-nesterov"], ["task-res", "--enhanced", "--strict", "--force"],
    ["task-res", "--residual", "both", "--residual-deviation", "0.1", "--learn-alpha", "--unit-text"],
    ["lora+linear", "--optimizer", "sparse-adam", "--density", "0.1", "--head-refresh", "7"],
    ["lora", "--schedule-unit", "steps", "--max-steps", "70", "--warmup-epochs", "10%"],
    ["adaptformer+task-res", "--head-beta2", "0.99", "--shift", "2"], ["prolip+clap", "--views", "3"],
    ["tip-adapter-f", "--ensembling", "raw-mean", "--cache-alpha", "2"], ["gda", "--blend", "2", "--truncate"],
    ["lora", "--template", "a {}", "--template", "the {}", "--skip-unreadable"], ["2sfs", "--outer-norms"],
  ]) func whatWasTypedComesBack(_ words: [String]) throws {
    let folder = try TemporaryFolder()
    let typed = try Arguments(["--method"] + words, options: TuneCommand.options)
    let stated = try Arguments([], options: TuneCommand.options)
      .completed(by: StatedSettingsTests.file(StatedSettings(typed), in: folder))
    let (own, found) = (try StatedSettingsTests.request(typed), try StatedSettingsTests.request(stated))
    let method = try #require(MethodName(own.method))
    // One budget is a number of the recipe, several are a search.
    #expect(found.method == own.method && (found.budgets == own.budgets || found.budgets.count == 1))
    #expect(found.budgets.count > 1 || own.budgets.count <= 1)
    #expect(found.isStrict == own.isStrict && found.truncates == own.truncates && found.isForced == own.isForced)
    #expect(found.skipsUnreadable == own.skipsUnreadable)
    #expect(found.textEnsembling(of: method) == own.textEnsembling(of: method))
    if !own.templates.isEmpty { #expect(found.templates == own.templates) }
    let setting = PublishedSetting(
      benchmark: nil, shots: method.trainingProtocol == .fewShot ? 16 : nil, fidelity: .official)
    let recipes = (try StatedSettingsTests.recipe(typed, setting), try StatedSettingsTests.recipe(stated, setting))
    #expect(recipes.0 == recipes.1)
    // What the file states is what was typed.
    #expect(try StatedSettings(stated).json == StatedSettings(typed).json)
  }

  /// The kind of a value follows from its flag, not from its letters.
  @Test func kindsAreThoseOfTheFlags() throws {
    let words = [
      "--method", "coop", "--data", "007", "--model", "1e3", "--out", "nan", "--context-init", "true", "--lr", "1",
      "--min-lr", "1e-7", "--epochs", "7", "--batch", "all",
    ]
    let json = try StatedSettings(Arguments(words, options: TuneCommand.options)).json
    #expect(json["data"] == .text("007") && json["model"] == .text("1e3") && json["out"] == .text("nan"))
    #expect(json["context-init"] == .text("true") && json["batch"] == .text("all"))
    #expect(json["lr"] == .integer(1) && json["min-lr"] == .number(1e-7) && json["epochs"] == .integer(7))
    #expect(json["context-tokens"] == nil)
    #expect(try jsonText(json).contains("\"out\" : \"nan\""))
  }

  /// What is typed comes first, also where it does not go with what a file has.
  @Test(
    arguments: [
      (#""method": "coop", "context-init": "a b""#, ["--context-tokens", "4"]),
      (#""method": "coop", "momentum": 0.5"#, ["--optimizer", "adam"]),
      (#""method": "task-res", "lr": 0.5"#, ["--head-lr", "0.1"]),
      (#""method": "task-res", "head-lr": 0.5"#, ["--lr", "0.1"]),
      (#""method": "task-res", "shift": 3"#, ["--crop", "random"]),
      (#""method": "task-res", "crop": "random", "smallest-crop": 0.5"#, ["--shift", "3"]),
      (#""method": "task-res", "unit-text": true"#, ["--residual", "image"]),
      (#""method": "lora", "max-steps": 70"#, ["--epochs", "3"]),
      (#""method": "spt-lora", "structured-only": true"#, ["--unstructured-only"]),
      (#""method": "r-amt+coop", "head-optimizer": "sgd", "head-momentum": 0.5"#, ["--optimizer", "adamw"]),
    ] as [(String, [String])])
  func whatIsTypedComesBeforeAFile(_ text: String, _ words: [String]) throws {
    let folder = try TemporaryFolder()
    let file = try ConfigFile(folder.write("{\(text)}", to: "c.json").path, options: TuneCommand.options)
    let typed = try Arguments(words, options: TuneCommand.options)
    let method = try #require(file.values["--method"]?.first)
    let setting = PublishedSetting(benchmark: nil, shots: 16, fidelity: .official)
    let found = try StatedSettingsTests.recipe(typed.completed(by: file), setting)
    let wanted = try StatedSettingsTests.recipe(typed.setting("--method", to: method), setting)
    #expect(found == wanted)
  }
}
