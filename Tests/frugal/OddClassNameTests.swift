import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Classes of any text, from a list through a run to what is printed about it.
@Suite struct OddClassNameTests {
  private static let names = [
    "say \"hi\", it's <b>&amp;</b>", "tab\there", "new\nline", "🐈‍⬛", "שלום", String(repeating: "x", count: 300),
  ]

  /// A list of the training pictures, two of each class to train and one to test.
  private func list(in folder: TemporaryFolder) throws {
    let pictures = try FileManager.default.subpathsOfDirectory(atPath: Workbench.pictures).filter {
      $0.hasPrefix("train/") && $0.contains(".")
    }.sorted()
    let count = Self.names.count
    let rows = try pictures.prefix(3 * count).enumerated().map { index, path in
      let row = ["path": path, "label": Self.names[index % count], "split": index < 2 * count ? "train" : "test"]
      return String(decoding: try JSONEncoder().encode(row), as: UTF8.self)
    }
    try folder.write(rows.joined(separator: "\n"), to: "list.jsonl")
  }

  @Test func anyTextGoesThroughTuneAndPredictAndReport() async throws {
    let folder = try TemporaryFolder()
    try list(in: folder)
    let long = ["--truncate"]
    let tuned = try await runFrugal(
      Workbench.quickRun("linear", out: folder.url.appendingPathComponent("run"))
        + ["--data-list", folder.path("list.jsonl")] + long)
    try #require(tuned.code == 0, "\(tuned.errors)")
    let predict =
      [
        "predict", "\(Workbench.pictures)/train/red_circle/00.png", "--model", Workbench.model, "--delta",
        folder.path("run/delta.safetensors"), "--top", "9",
      ] + long
    let json = try await runFrugal(predict + ["--json"])
    #expect(try Set(json.json()[0]["classes"].array?.compactMap { $0["name"].string } ?? []) == Set(Self.names))
    let table = try await runFrugal(predict + ["--csv"]).output
    let fields = [#","say ""hi"", it's <b>&amp;</b>","#, ",\"new\nline\",", ",tab\there,", ",🐈‍⬛,", ",שלום,"]
    for field in fields { #expect(table.contains(field), "\(field)") }
    let page = folder.path("report.html")
    try #require(try await runFrugal("report", folder.path("run"), "--out", page).code == 0)
    let html = String(decoding: try folder.bytes("report.html"), as: UTF8.self)
    #expect(html.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;") && !html.contains("<b>&amp;"))
  }

  @Test func aLongTextIsRefusedUnlessItMayBeCut() async throws {
    let folder = try TemporaryFolder()
    try list(in: folder)
    let words = Workbench.quickRun("linear", out: folder.url.appendingPathComponent("run"))
    expectRefusal(
      try await runFrugal(words + ["--data-list", folder.path("list.jsonl")]), code: 1,
      ["expected at most", "tokens with start and end, found"])
  }
}
