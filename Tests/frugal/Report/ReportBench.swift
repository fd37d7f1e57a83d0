import Foundation
import FrugalTestSupport
import Tensor

@testable import Methods
@testable import frugal

/// Folders of runs whose numbers are known, written without training.
struct ReportBench {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func score(_ accuracy: Double, of total: Int = 100, digest: String = "0") throws -> RunResult.Score {
    let correct = Int((accuracy * Double(total) / 100).rounded())
    let counts = #""correct":\#(correct),"total":\#(total),"unreadable":0"#
    let json = #"{"accuracy":\#(accuracy),"logitsSHA256":"\#(digest)",\#(counts)}"#
    return try JSONDecoder().decode(RunResult.Score.self, from: Data(json.utf8))
  }

  private static func maskCount(_ masked: Int, of weights: Int) throws -> RunResult.MaskCount {
    try JSONDecoder().decode(
      RunResult.MaskCount.self, from: Data(#"{"masked":\#(masked),"weights":\#(weights)}"#.utf8))
  }

  /// Writes a finished run and returns its folder.
  @discardableResult
  func run(
    _ name: String, method: String = "r-amt", data: String = "flowers", classes: [String] = ["a", "b"],
    newClasses: [String]? = nil, shots: Int? = 4, seed: Int = 1, accuracy: Double = 50, zeroShot: Double? = 25,
    new: (tuned: Double, frozen: Double)? = nil, shares: [String: Double] = [:],
    masks: [String: (masked: Int, weights: Int)]? = nil, epochs: Int = 3,
    selection: RunConfiguration.Selection = .last, budget: Int? = nil, encoder: Int? = nil,
    losses: [Double] = [], total: Int = 100, digest: String = "0", change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> URL {
    guard let known = MethodName(method) else { preconditionFailure("\(method): expected a method") }
    var recipe = known.recipe(PublishedSetting(benchmark: nil, shots: 4, fidelity: .official))
    recipe.epochs = epochs
    var settings = RunConfiguration(
      method: known, fidelity: .official, benchmark: nil, shots: shots, seed: seed,
      model: .init(path: "models/tiny", sha256: "1"),
      data: .init(path: data, classes: classes, newClasses: newClasses, sha256: "drawn by \(seed)"),
      templates: ["a {}"],
      ensembling: .rawMean, cleaning: "published", truncates: false, recipe: recipe, selection: selection,
      skipsUnreadable: false, classes: newClasses == nil ? nil : .base)
    change(&settings)
    let run = RunFolder(folder.url.appendingPathComponent(name))
    try run.create(settings)
    for epoch in 1...epochs {
      let metrics = EpochMetrics(
        epoch: epoch, steps: epoch, learningRates: [:],
        terms: ["loss": losses.isEmpty ? 1 / Double(epoch) : losses[epoch - 1]],
        accuracy: 30 * Double(epoch),
        validationAccuracy: selection == .validation ? 20 * Double(epoch) : nil, shares: shares, seconds: 0.5,
        imagesPerSecond: 1)
      try run.writeMetrics(metrics, after: epoch - 1)
    }
    let found = try new.map {
      RunResult.NewClasses(test: try Self.score($0.tuned), zeroShot: try Self.score($0.frozen))
    }
    try run.writeResult(
      RunResult(
        method: method, epoch: epochs, reason: "last epoch", selection: selection,
        test: try Self.score(accuracy, of: total, digest: digest),
        zeroShot: try zeroShot.map { try Self.score($0, of: total) }, newClasses: found,
        harmonicMean: new.map { RunResult.harmonicMean(accuracy, $0.tuned) }, trainedParameters: 1234,
        encoderParameters: encoder, deltaBytes: 5678, budget: budget, shares: shares,
        masks: try masks.map { try $0.mapValues(Self.maskCount) }))
    return run.url
  }

  /// The report of everything in the folder.
  func html(title: String? = nil) throws -> String {
    let file = folder.url.appendingPathComponent("report.html")
    try Report.write(runs: [folder.url], title: title, to: file)
    return try String(contentsOf: file, encoding: .utf8)
  }
}
