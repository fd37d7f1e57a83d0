import Datasets
import Foundation
import Methods
import Models
import Tensor

/// `frugal sensitivity`: the weights that matter to a task, the allocation of each budget, and a chart of both.
enum SensitivityCommand: Command {
  static let name = "sensitivity"
  static let summary = "which weights matter to a task, by its training images, and what SPT tunes under each budget"
  static let operands = ""
  static let options =
    [
      modelOption,
      dataOption,
      dataListOption,
      splitOption,
      Option("--samples", "N", "images to measure on, round-robin over the classes (default 512)"),
      Option(
        "--batch", "N", "batch size of the sensitivity gradients; 1 sums over samples, as the paper does (default 32)"),
      Option("--budget", "N", "an additional budget, also shown in the chart: 400000 or 0.4M (default 0.4M)"),
      Option("--rank", "N", "rank of the modules (default 8)"),
      Option("--spt-alpha", "X", "a matrix with at least cost/α sensitive entries gets a module (default 10)"),
      Option("--spt-beta", "X", "a vector with at least length/β sensitive entries is tuned whole (default 5)"),
      Option("--structured-only", "modules and whole vectors only"),
      Option("--unstructured-only", "single entries only"),
      Option("--stochastic-depth", "X", "share of samples that skip a residual branch of the last block (default 0.1)"),
    ] + imageOptions + hintOptions + [
      Option("--seed", "N", "seed of the new head, of stochastic depth and of --split (default 1)"),
      Option("--out", "DIR", "folder for sensitivity.safetensors, allocations.json and sensitivity.svg"),
      jsonOption,
    ]

  static func required(_ arguments: Arguments) -> [[String]] {
    [["--model"], ["--data", "--data-list"], ["--out"]]
  }
  static let examples = [
    Example("frugal sensitivity --model vit --data photos --out sens", "the map of the published budgets"),
    Example(
      "frugal sensitivity --model vit --data photos --out sens --budget 0.2M --samples 64",
      "another budget, from fewer images"),
  ]

  static func run(_ arguments: Arguments) throws {
    let out = try vacant(arguments)
    try arguments.checkModelFlags()
    let samples = try arguments.integer("--samples", in: 1...100_000_000) ?? 512
    let batch = try arguments.integer("--batch", in: 1...65_536) ?? 32
    let depth = try arguments.number("--stochastic-depth", in: 0...0.99) ?? 0.1
    let seed = UInt64(try arguments.integer("--seed", in: 0...Int(Int32.max)) ?? 1)
    let recipes = try ["spt-lora", "spt-adapter"].compactMap { MethodName($0) }.map { name in
      var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
      try MethodFlags.checkExclusions(arguments, name)
      try MethodFlags.apply(name.options, arguments, to: &recipe)
      return recipe
    }
    let rules = recipes.compactMap { $0[SensitivitySettings.self]?.budget.rules }
    let asked =
      try arguments.string("--budget").map { text in
        try MethodName("spt-lora")?.options.first { $0.name == "budget" }?.integer(text)
      } ?? nil
    let modelPath = try arguments.required("--model")
    let folder = try arguments.imageFolder()
    let pretrained = try load(
      model: modelPath, classes: folder.classNames.count,
      arguments.images(exif: .usual(for: Benchmark(folder: folder.root.lastPathComponent))), hints: arguments.hints())
    let tower = pretrained.tower
    let head = LinearHead(width: tower.featureWidth, classes: folder.classNames.count, seed: seed)
    if let asked {
      try SensitivitySurvey.check(
        asked, SensitivitySite.all(of: tower), classToken: tower.classToken?.value.count ?? 0)
    }
    let line = ProgressLine()
    let survey = try SensitivitySurvey(
      of: tower, head: head, on: folder.train, ImageLoader(preprocessing: pretrained.preprocessing), samples: samples,
      batchSize: batch, seed: seed, stochasticDepth: depth
    ) { line.show("images for sensitivity", $0, of: $1) }
    line.finish()
    let budgets = Set(Budget.published + (asked.map { [$0] } ?? [])).sorted().filter { $0 <= survey.count }
    let shown = asked ?? (400_000 <= survey.count ? 400_000 : max(1, survey.count / 10))
    let report = try SensitivityReport(
      survey, budgets: budgets, rules: rules, shown: shown, model: pretrained.sha256, seed: seed, batch: batch)
    try report.write(to: out)
    let path = arguments.string("--out") ?? ""
    if arguments.has("--json") { return try printJSON(report.listing(in: path)) }
    print(report.summary(in: path))
  }

  /// The folder of `--out`, unless it already holds one of our files.
  private static func vacant(_ arguments: Arguments) throws -> URL {
    let path = try arguments.required("--out")
    let url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      throw UsageError("--out", expected: "a folder", found: "the file \(path)")
    }
    for file in SensitivityReport.files
    where FileManager.default.fileExists(atPath: url.appendingPathComponent(file).path) {
      throw UsageError("--out", expected: "a folder without \(file)", found: "\(path)/\(file)")
    }
    return url
  }
}
