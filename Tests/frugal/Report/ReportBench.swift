import Foundation
import FrugalTestSupport
import Tensor

@testable import Methods
@testable import frugal

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Folders of runs whose numbers are known, written without training.
struct ReportBench {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func score(_ accuracy: Double, of total: Int = 100) throws -> RunResult.Score {
    let correct = Int((accuracy * Double(total) / 100).rounded())
    let json = #"{"accuracy":\#(accuracy),"correct":\#(correct),"total":\#(total),"logitsSHA256":"0","unreadable":0}"#
    return try JSONDecoder().decode(RunResult.Score.self, from: Data(json.utf8))
  }

  /// Writes a finished run and returns its folder.
  @discardableResult
  func run(
    _ name: String, method: String = "r-amt", data: String = "flowers", classes: [String] = ["a", "b"],
    newClasses: [String]? = nil, shots: Int? = 4, seed: Int = 1, accuracy: Double = 50, zeroShot: Double? = 25,
    new: (tuned: Double, frozen: Double)? = nil, shares: [String: Double] = [:], epochs: Int = 3,
    selection: RunConfiguration.Selection = .last, change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> URL {
    guard let known = MethodName(method) else { preconditionFailure("\(method): expected a method") }
    var recipe = Recipe.published(known, benchmark: nil, shots: 4, as: .official)
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
        epoch: epoch, steps: epoch, learningRates: [:], terms: ["loss": 1 / Double(epoch)],
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
        method: method, epoch: epochs, reason: "last epoch", selection: selection, test: try Self.score(accuracy),
        zeroShot: try zeroShot.map { try Self.score($0) }, newClasses: found,
        harmonicMean: new.map { RunResult.harmonicMean(accuracy, $0.tuned) }, trainedParameters: 1234, deltaBytes: 5678,
        shares: shares))
    return run.url
  }

  /// The report of everything in the folder.
  func html(title: String? = nil) throws -> String {
    let file = folder.url.appendingPathComponent("report.html")
    try Report.write(runs: [folder.url], title: title, to: file)
    return try String(contentsOf: file, encoding: .utf8)
  }
}

/// What an XML parser finds in a document.
final class ParsedPage: NSObject, XMLParserDelegate {
  /// How often each element occurs.
  private(set) var counts: [String: Int] = [:]
  /// The text of each cell of a table, by row.
  private(set) var rows: [[String]] = []
  /// The text of every element but script and style.
  private(set) var text = ""
  /// The elements around the present place.
  private var open: [String] = []
  private(set) var problem: String?

  init(_ document: String) {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    if !parser.parse() { problem = "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "broken")" }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
    open.append(name)
    if name == "tr" { rows.append([]) }
    if name == "td" || name == "th" { rows[rows.count - 1].append("") }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if !open.contains("script"), !open.contains("style") { text += string }
    if open.contains("td") || open.contains("th"), let row = rows.indices.last, let cell = rows[row].indices.last {
      rows[row][cell] += string
    }
  }
}
