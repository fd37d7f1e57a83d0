import Foundation
import FrugalTestSupport
import Testing

@testable import Methods
@testable import frugal

/// Tables as papers print them, from runs whose numbers are known.
@Suite struct PaperTablesTests {
  /// A run with the published recipe on data of the published size.
  private func run(
    _ bench: ReportBench, _ name: String, _ method: String, _ benchmark: Benchmark, seed: Int = 1, _ accuracy: Double,
    total: Int? = nil, change: (inout RunConfiguration) -> Void = { _ in }
  ) throws {
    let images = PaperColumn.fewShot.first { $0.benchmark == benchmark }?.images
    try bench.run(
      name, method: method, data: benchmark.rawValue, shots: 16, seed: seed, accuracy: accuracy, zeroShot: 40,
      total: total ?? images ?? 1
    ) { settings in
      settings.benchmark = benchmark
      settings.model.path = "models/ViT-B-16.pt"
      if let name = MethodName(method) {
        settings.recipe = name.recipe(PublishedSetting(benchmark: benchmark, shots: 16, fidelity: .official))
        if !name.head.isTrained { settings.recipe.head = settings.recipe.encoder }
      }
      change(&settings)
    }
  }

  private func text(_ bench: ReportBench, _ format: PaperFormat = .markdown, backbone: String? = nil) throws -> String {
    try Report.tables(runs: [bench.folder.url], format, backbone: backbone).text
  }

  @Test func publishedFiguresStandBesideOurs() throws {
    let bench = try ReportBench()
    for (seed, accuracy) in [(1, 90.0), (2, 91), (3, 92)] {
      try run(bench, "a\(seed)", "r-amt", .eurosat, seed: seed, accuracy)
      try run(bench, "b\(seed)", "r-amt", .dtd, seed: seed, accuracy - 20)
      try run(bench, "c\(seed)", "task-res", .eurosat, seed: seed, 80)
    }
    let found = try text(bench)
    let lines = found.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("**Few-shot classification, 16 shots, ViT-B-16.pt.**"), "\(found)")
    #expect(lines[0].contains("mean ± 95 % interval (Student's t) over 3 seeds"))
    #expect(lines.contains("| method | DTD | EuroSAT | Mean of 2 |"))
    // t = 4.303, s = 1, n = 3; of the mean of both, whose seeds are the same.
    #expect(lines.contains("| r-amt | **71.0 ± 2.5** | **91.0 ± 2.5** | **81.0 ± 2.5** |"), "\(found)")
    #expect(lines.contains("| r-amt, published [1] | *74.6* | *91.8* | *83.2* |"), "\(found)")
    #expect(lines.contains { $0.hasPrefix("[1] R-AMT official code, README.md (primary source)") })
    // TaskRes is published for EuroSAT with this model in another paper's table.
    #expect(lines.contains("| task-res | – | 80.0 ± 0.0 | – |"), "\(found)")
    #expect(lines.contains { $0.hasPrefix("| task-res, published [") })
  }

  @Test(
    arguments: [
      ("8,099 test images, not 8,100", 8099, nil, 50.0),
      ("the epoch was selected on the test split", 8100, "select", 50.0),
      ("other settings: epochs ", 8100, "epochs", 50.0), ("tiny is not known as a published model", 8100, "model", 50),
    ] as [(String, Int, String?, Double)])
  func whatIsNotComparedIsSaid(_ reason: String, _ total: Int, _ what: String?, _ accuracy: Double) throws {
    let bench = try ReportBench()
    try run(bench, "a", "r-amt", .eurosat, accuracy, total: total) { settings in
      if what == "select" { settings.selection = .test }
      if what == "epochs" { settings.recipe.epochs += 1 }
      if what == "model" { settings.model.path = "models/tiny" }
    }
    if what == "select" {
      try bench.folder.editJSON("a/result.json") { $0["selection"] = "test-max" }
    }
    let found = try text(bench)
    #expect(!found.contains("| r-amt, published"), "\(found)")
    #expect(found.contains("Not compared, as \(reason)") && found.contains("r-amt on EuroSAT"), "\(found)")
    if what == "model" { #expect(try text(bench, backbone: "CLIP ViT-B/16").contains("| r-amt, published [1]")) }
  }

  @Test func theMeansOfVTAB() throws {
    let bench = try ReportBench()
    // 60, 70 and 80 in the three groups.
    for column in PaperColumn.vtab {
      let accuracy = 60 + 10 * Double(PaperColumn.vtabGroups.firstIndex(of: column.group ?? "") ?? 0)
      try bench.run(
        column.name, method: "linear", data: "vtab-1k/\(column.name)", shots: nil, accuracy: accuracy, zeroShot: nil,
        total: column.images
      ) {
        $0.model.path = "ViT-B_16.npz"
        $0.data.sha256 = column.name
      }
    }
    let found = try text(bench)
    let head = try #require(found.split(separator: "\n").first { $0.hasPrefix("| method") })
    #expect(head.hasSuffix("| Natural | Specialized | Structured | Mean of groups | Mean of 19 |"), "\(head)")
    let row = try #require(found.split(separator: "\n").first { $0.hasPrefix("| linear ") })
    // (7 · 60 + 4 · 70 + 8 · 80) / 19 = 70.5
    #expect(row.hasSuffix("| 60.0 | 70.0 | 80.0 | 70.0 | 70.5 |"), "\(row)")
    #expect(found.contains("other settings"))
  }

  /// Figures of Table 2 of the Homology Consistency paper, which the project has from elsewhere too.
  @Test func domainsStandBesideThePublishedOnes() throws {
    let bench = try ReportBench()
    func score(_ accuracy: Double, _ total: Int) -> String {
      let correct = Int(accuracy * Double(total) / 100)
      return #"{"accuracy":\#(100 * Double(correct) / Double(total)),"correct":\#(correct),"total":\#(total),"#
        + #""logitsSHA256":"1","unreadable":0}"#
    }
    let targets = [("imagenetv2", 10_000), ("imagenet-sketch", 50_889), ("imagenet-a", 7_500), ("imagenet-r", 29_999)]
    for (seed, shift) in [(1, 0.0), (2, 1), (3, 2)] {
      try run(bench, "s\(seed)", "task-res", .imagenet, seed: seed, 70 + shift)
      for (index, (name, total)) in targets.enumerated() {
        let test = score(40 + 10 * Double(index) + shift, total)
        try bench.folder.write(
          #"{"data":"\#(name)","classes":9,"run":"0","images":"\#(index)","stamp":"","test":\#(test),"#
            + #""zeroShot":\#(score(30, total))}"#,
          to: "s\(seed)/transfer/\(name).json")
      }
      // Of an earlier run in the same folder.
      try bench.folder.write(
        #"{"data":"old","classes":9,"run":"5","images":"","stamp":"","test":\#(score(50, 2))}"#,
        to: "s\(seed)/transfer/old.json")
    }
    let found = try text(bench)
    let lines = found.split(separator: "\n").map(String.init)
    let head = try #require(lines.firstIndex { $0.hasPrefix("**Domain generalisation, 16 shots, ViT-B-16.pt.**") })
    #expect(lines[head + 1] == "| method | ImageNet (trained on) | V2 | Sketch | A | R | Mean of 4 |", "\(found)")
    #expect(lines[head + 3] == "| zero-shot | 40.0 | 30.0 | 30.0 | 30.0 | 30.0 | 30.0 |")
    #expect(lines[head + 4] == "| zero-shot, published [1] | *66.7* | *60.8* | *46.1* | *47.8* | – | – |", "\(found)")
    let tuned = ["71.0", "41.0", "51.0", "61.0", "71.0", "56.0"].map { "\($0) ± 2.5" }.joined(separator: " | ")
    #expect(lines[head + 5].replacing("*", with: "") == "| task-res | \(tuned) |", "\(found)")
    #expect(lines[head + 6] == "| task-res, published [1] | *73.5* | *65.8* | *48.9* | *49.9* | – | – |", "\(found)")
    #expect(found.contains("Not compared, as 29,999 test images, not 30,000: zero-shot on R, task-res on R."))
    let records = try text(bench, .csv).split(separator: "\n").map(String.init)
    #expect(records.contains { $0.hasPrefix("Domain generalisation,ViT-B-16.pt,16,task-res,Sketch,accuracy,50.99") })
    #expect(records.contains { $0.hasPrefix("Domain generalisation,ViT-B-16.pt,16,zero-shot,A,zero-shot,30.0000,,1,") })
    // Seeds on different images have no mean.
    try bench.folder.editJSON("s2/transfer/imagenet-a.json") { $0["images"] = "others" }
    #expect(try text(bench).contains("| method | ImageNet (trained on) | V2 | Sketch | R | Mean of 3 |"))
  }

  @Test func theAverageOfBaseAndNewHasTheHarmonicMeanOfAverages() throws {
    let bench = try ReportBench()
    for (index, benchmark) in [Benchmark.eurosat, .dtd].enumerated() {
      try bench.run(
        "\(benchmark)", data: benchmark.rawValue, newClasses: ["c"], shots: 16, accuracy: 80 + 10 * Double(index),
        new: (60 - 20 * Double(index), 50)
      ) { $0.benchmark = benchmark }
    }
    let found = try text(bench)
    // 2 · 85 · 50 / 135
    #expect(found.contains("| Mean of 2 | r-amt | 85.0 | 50.0 | 63.0 |"), "\(found)")
    #expect(found.contains("| DTD | r-amt | 90.0 | 40.0 | 55.4 |") && found.contains("| dataset | method | base |"))
  }

  @Test func otherFormatsHoldTheSame() throws {
    let bench = try ReportBench()
    try run(bench, "a", "r-amt", .eurosat, 90)
    try bench.run("b", data: "my_photos, old", accuracy: 70)
    let records = try text(bench, .csv).split(separator: "\n").map(String.init)
    #expect(records[0].hasPrefix("protocol,model,shots,method,dataset,measure,value"))
    #expect(records.contains { $0.contains(",r-amt,EuroSAT,accuracy,90.0000,,1,") && $0.contains(",91.8000,") })
    #expect(records.contains { $0.contains("\"my_photos, old\",accuracy,70.0000") })
    let latex = try text(bench, .latex)
    #expect(latex.contains("\\begin{tabular}{lr}") && latex.contains("my\\_photos, old"), "\(latex)")
    #expect(latex.contains("  r-amt, published [1] & \\textit{91.8} \\\\"), "\(latex)")
  }

  @Test func meansOverClassesOfTheDatasetsWhosePapersReportThem() throws {
    let bench = try ReportBench()
    try run(bench, "a", "r-amt", .oxfordPets, 75)
    let answer = { (label: Int) in Prediction.Answer(label: label, probability: 0.75) }
    // Three images of the first class, all right; one of the second, wrong.
    let lines = [(0, 0), (0, 0), (0, 0), (1, 0)].enumerated().map { index, pair in
      Prediction(picture: "\(index).png", label: pair.0, tuned: answer(pair.1), zeroShot: nil)
    }
    try RunFolder(bench.folder.url.appendingPathComponent("a")).writePredictions(lines)
    let found = try text(bench)
    #expect(found.contains("**Mean over classes, 16 shots") && found.contains("| r-amt | 50.0 |"), "\(found)")
    // Confidence 75, accuracy 75.
    #expect(try text(bench, .csv).contains(",50.0000,0.0000,"))
  }
}
