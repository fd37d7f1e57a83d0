import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal tune`: trains one method on one dataset, into a run folder.
enum TuneCommand: Command {
  static let name = "tune"
  static let summary = "tune one method on one dataset"
  static let operands = ""
  static let options: [Option] = options(of: nil)

  /// The flags; those that a method reads, with its defaults, where one is named.
  private static func options(of method: MethodName?) -> [Option] {
    let recipe = RecipeFlags.all(method.map { RecipeDefaults(methods: [$0]) } ?? .all).filter {
      !(method?.head.isFitted ?? false) || RecipeFlags.withoutSteps.contains($0.flag)
    }
    let own = method.map { MethodFlags.flags(of: $0.options) } ?? MethodFlags.all
    return data + textOptions + [ensemblingOption] + recipe + imageOptions + own + hintOptions + protocolOptions
      + cacheOptions + [jsonOption]
  }

  private static let data: [Option] = [
    modelOption,
    dataOption,
    dataListOption,
    splitOption,
    Option(
      "--method", "NAME",
      "\(MethodList.names.joined(separator: ", ")), or one of each half: lora+linear (default: \(TuneDefaults.rule))"),
    Option(
      "--on", "RUN",
      "train on top of a finished run: what it tuned is part of the frozen model, and its classifier, if it has one, "
        + "is the classifier (default: the pretrained model)"),
    Option(
      "--shots", "N|all",
      "training images per class (default that of --on, else 16; all for methods with a linear head or tuned sites)"),
    Option("--strict", "refuse a class with fewer images than shots, instead of taking all it has with a warning"),
    Option("--seed", "N", "seed of sampling, order, crops and random rules (default that of --on, else 1)"),
    Option("--out", "RUN", "folder for the results; must not hold a run (default runs/DATA-METHOD)"),
    Option("--resume", "RUN", "resume an interrupted run, with its settings"),
    datasetOption,
    Option(
      "--as", "official|paper", "follow the authors' code or the paper where they differ (default official)"),
  ]

  private static let ensemblingOption: Option = {
    let unit = MethodList.names.filter { MethodName($0)?.ensembling == .unitMean }.joined(separator: ", ")
    return Option(
      "--ensembling", "raw-mean|unit-mean",
      "how several templates become a row of the classifier: the mean of their features, or of those of length 1, "
        + "scaled to length 1 (default raw-mean; \(unit) unit-mean)")
  }()

  private static let protocolOptions: [Option] = [
    Option(
      "--select", "last|val|test-max",
      "epoch to save as the delta (default last; with tuned sites val if there is such a split); test-max "
        + "chooses by the test split, as some released code does, and the result says so"),
    Option(
      "--train-on", "train|train+val",
      "images to train on (default train; with several budgets train+val, once val has selected one)"),
    Option(
      "--classes", "all|base",
      "classes to train on (default all); base: the first half, with the others evaluated by their names alone"),
    Option(
      "--evaluate-on", "test|val",
      "split to end with (default test); with val no test image is read, and the accuracy is in validation.json"),
    Option("--force", "begin a run that cannot change anything, such as one too short for any mask to be set"),
    skipOption,
    Option(
      "--print-config",
      "print every setting with its source, and run nothing; needs no more than --method (with --json a file for "
        + "--config)"),
    Option("--dry-run", "read and check everything, say what the run would do, and write nothing"),
  ]

  /// Flags that are no part of what a run records as its command.
  static let unrecorded = CacheFlags.names.union(["--dry-run", "--print-config", "--json"])

  /// With a method, the flags that it reads and its own defaults.
  static func options(for words: [String]) -> [Option] {
    let name = words.firstIndex(of: "--method").flatMap { words.dropFirst($0 + 1).first }
    let given = name ?? words.first { $0.hasPrefix("--method=") }.map { String($0.dropFirst("--method=".count)) }
    return given.flatMap { MethodName($0) }.map { options(of: $0) } ?? options
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    if arguments.has("--print-config") { return [["--method"]] }
    return arguments.has("--resume") ? [] : [["--model"], ["--data", "--data-list"]]
  }
  static let examples = [
    Example(
      "frugal tune --model clip --data photos",
      "method, splits and folder of the run by rule; it says which"),
    Example(
      "frugal tune --model clip --data photos --method lora+linear --shots 16 --out runs/a",
      "one method, 16 images per class"),
    Example(
      "frugal tune --method coop --dataset eurosat --print-config", "all settings of that method on that dataset"),
    Example("frugal tune --resume runs/a", "goes on after a Ctrl-C"),
  ]

  static func run(_ typed: Arguments) throws {
    if typed.has("--print-config") {
      for flag in ["--resume", "--dry-run"] where typed.has(flag) {
        throw UsageError("--print-config", expected: "no \(flag) with it", found: "both")
      }
      let settings = try StatedSettings(typed)
      return typed.has("--json") ? try printJSON(settings.json) : print(settings.text)
    }
    let isNew = !typed.has("--resume")
    _ = try CacheFlags.cache(typed)
    let (arguments, choices) = isNew ? try TuneDefaults.completed(typed) : (typed, [])
    for text in choices { note(text) }
    var run = isNew ? try TuneFlags.new(arguments) : try TuneFlags.resumed(arguments)
    if isNew {
      try run.folder.requireVacant()
      run.command = [name] + arguments.words(options, without: unrecorded)
    }
    run.featureCache = try CacheFlags.cache(arguments)
    warnOnce(run.pretrained.warnings)
    for text in run.notes { note(text) }
    report(unreadable: run.data.unreadable)
    if arguments.has("--dry-run") {
      return arguments.has("--json") ? try printJSON(run.configuration) : print(plan(of: run, in: arguments.runPath))
    }
    let title = run.configuration.title
    let presenter = RunPresenter(resumption: "frugal tune --resume \(arguments.runPath)")
    do {
      if run.configuration.evaluation == .validation {
        let result = try presenter.validate(run)
        return arguments.has("--json") ? try printJSON(result) : print(summary(of: result, called: title))
      }
      let result = try presenter.train(run)
      if arguments.has("--json") { return try printJSON(result) }
      print(summary(of: result, called: title, in: arguments.runPath))
    } catch let obstacle as RunObstacle {
      let ways = [
        obstacle.epochs.map { "--epochs \($0)" }, obstacle.learningRate.map { "--lr \(RecipeDefaults.number($0))" },
      ].compactMap { $0 }
      let advice = ways.isEmpty ? "" : "\(ways.joined(separator: " or ")) would do; "
      throw UsageError("\(obstacle) (\(advice)--force trains all the same)")
    }
  }

  /// What a run would do, for `--dry-run`.
  private static func plan(of run: Run, in path: String) -> String {
    let (settings, recipe) = (run.configuration, run.configuration.recipe)
    return aligned([
      ["method", settings.title], ["model", settings.model.path],
      ["data", "\(settings.data.path), \(settings.data.classes.count) classes"],
      [
        "images",
        "\(run.images.count) train, \(run.data.validation?.count ?? 0) val, \(run.data.folder.test.count) test",
      ],
      [
        "training",
        "\(recipe.steps.map { "\(plural($0, "step")), " } ?? "")\(plural(recipe.epochs, "epoch")) in steps of "
          + plural(min(recipe.batchSize, run.images.count), "image"),
      ],
      ["selected", "epoch by \(settings.selection.rawValue)"], ["would be written", path],
    ])
  }

  private static func summary(of result: ValidationResult, called title: String) -> String {
    """
    val accuracy    \(percent(result.validation.accuracy)) % \(title) \
    (\(result.validation.correct) of \(result.validation.total))
    selected epoch \(result.epoch): \(result.reason)
    """
  }

  private static func summary(of result: RunResult, called title: String, in path: String) -> String {
    var lines = [
      "\(result.newClasses == nil ? "test accuracy " : "base accuracy ")  "
        + "\(result.zeroShot.map { "\(percent($0.accuracy)) % zero-shot → " } ?? "")\(percent(result.test.accuracy)) % "
        + "\(title) (\(result.test.correct) of \(result.test.total))"
    ]
    if let new = result.newClasses {
      lines.append(
        "new accuracy    \(percent(new.zeroShot.accuracy)) % zero-shot → \(percent(new.test.accuracy)) % "
          + "\(title) (\(new.test.correct) of \(new.test.total))")
    }
    if let mean = result.harmonicMean {
      lines.append(
        "harmonic mean   \(result.zeroShotHarmonicMean.map { "\(percent($0)) % zero-shot → " } ?? "")\(percent(mean)) %"
      )
    }
    lines += [
      "selected epoch \(result.epoch): \(result.reason)",
      "delta           \(path)/delta.safetensors, \(grouped(result.deltaBytes)) bytes",
    ]
    if let changed = result.changedParameters, let all = result.encoderParameters {
      lines.append("changed         \(grouped(changed)) of \(grouped(all)) parameters of the encoder")
    }
    if let choices = result.choices {
      let shown = choices.sorted { $0.key < $1.key }.map { name, value in
        "\(name) \(RecipeDefaults.number(Double(String(format: "%.4g", value)) ?? value))"
      }
      lines.append("chosen on \(result.selection == .test ? "TEST" : "val ")  \(shown.joined(separator: ", "))")
    }
    if let budget = result.budget {
      let trained = result.encoderParameters.map { ", \(grouped($0)) trained besides the head" } ?? ""
      let scores = (result.budgets ?? []).map { "\(grouped($0.budget)) \(percent($0.validationAccuracy)) %" }
      let choice = scores.isEmpty ? "" : "; the best on val: \(scores.joined(separator: ", "))"
      lines.append("budget          \(grouped(budget))\(trained)\(choice)")
    }
    if let divergence = result.divergence { lines.append("diverged        \(divergence.text)") }
    let unreadable = result.test.unreadable + (result.newClasses?.test.unreadable ?? 0)
    if unreadable > 0 {
      lines.append("skipped         \(unreadable) unreadable test image\(unreadable == 1 ? "" : "s")")
    }
    if let all = result.shares["all"] {
      lines.append("masked          \(String(format: "%.4f", all)) % of all maskable weights")
      let sites = result.shares.filter { $0.key != "all" }.sorted {
        $0.key.localizedStandardCompare($1.key) == .orderedAscending
      }
      lines += sites.map { "  \($0.key): \(String(format: "%.4f", $0.value)) %" }
    }
    return lines.joined(separator: "\n")
  }
}

extension Arguments {
  /// The folder of the run, as typed.
  var runPath: String { string("--resume") ?? string("--out") ?? "" }
}
