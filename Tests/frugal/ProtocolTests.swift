import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import Datasets
@testable import frugal

/// Whole protocols, from folders in the published layouts to the papers' tables, on a few images of the small tasks.
@Suite struct ProtocolTests {
  private typealias Split = MiniatureTask.Split

  /// Writes the first images of a task's classes, and calls with the path, label and split of each.
  private func write(
    _ task: MiniatureTask, _ counts: [Split: Int], to folder: TemporaryFolder, _ root: String,
    path: (Split, Int) -> String
  ) throws -> [(split: Split, path: String, label: Int)] {
    try Split.allCases.flatMap { split in
      try (0..<(counts[split] ?? 0) * task.classes.count).map { index in
        let name = path(split, index)
        try folder.write(task.image(split, index, seed: 1).png, to: "\(root)/\(name)")
        return (split, name, index % task.classes.count)
      }
    }
  }

  @Test func fewShotLearningOnTheElevenInCoOpsLayout() async throws {
    let folder = try TemporaryFolder()
    let tasks = MiniatureTask.all.filter { $0.suite == .eleven }
    let benchmarks = PaperColumn.fewShot.compactMap(\.benchmark)
    #expect(tasks.count == 11 && benchmarks.count == 11)
    for (task, benchmark) in zip(tasks, benchmarks) {
      let images = try write(task, [.train: 2, .validation: 1, .test: 2], to: folder, benchmark.rawValue) {
        "images/\($0.rawValue)-\($1).png"
      }
      let lists = Dictionary(grouping: images, by: \.split).mapValues { part in
        part.map { "[\"\($0.path)\", \($0.label), \"\(task.classes[$0.label])\"]" }.joined(separator: ", ")
      }
      let text = Split.allCases.map { "\"\($0.rawValue)\": [\(lists[$0] ?? "")]" }.joined(separator: ", ")
      try folder.write("{\(text)}", to: "\(benchmark.rawValue)/split_zhou_Small.json")
    }
    let rows = benchmarks.map { "\"\(folder.path($0.rawValue))\"" }.joined(separator: ", ")
    let plan = """
      {"settings": {"model": "\(MiniatureModels.clip.path)"}, "methods": ["gda"], "data": [\(rows)], "shots": [1],
       "seeds": [1, 2], "out": "\(folder.path("out"))"}
      """
    let file = try folder.write(plan, to: "plan.json")
    let found = try await runFrugal("sweep", file.path, "--format", "markdown", "--backbone", "CLIP RN50")
    #expect(found.code == 0, "\(found.errors)")
    let lines = found.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("**Few-shot classification, 1 shot, ") && lines[0].contains("over 2 seeds"))
    #expect(lines[1] == "| method | \(PaperColumn.fewShot.map(\.name).joined(separator: " | ")) | Average |")
    let own = try #require(lines.first { $0.hasPrefix("| gda |") })
    #expect(own.components(separatedBy: " ± ").count == 13, "\(own)")
    // A part of a dataset is not the dataset.
    #expect(!found.output.contains("published [1]") && found.output.contains(" test images, not 8,100"))
  }

  @Test func vtabOnTheNineInItsLayout() async throws {
    let folder = try TemporaryFolder()
    let tasks = MiniatureTask.all.filter { $0.suite == .vtab }
    // The four of one group, and five others.
    let specialized = PaperColumn.vtab.filter { $0.group == "Specialized" }.map(\.name)
    let names = specialized + ["cifar", "svhn", "clevr_count", "dmlab", "dsprites_ori"]
    #expect(tasks.count == 9 && names.count == 9)
    for (task, name) in zip(tasks, names) {
      let files = [Split.train: "train800", .validation: "val200", .test: "test"]
      let images = try write(task, [.train: 2, .validation: 1, .test: 2], to: folder, name) {
        "images/\(files[$0] ?? "")/\($1).png"
      }
      for (split, list) in files {
        let lines = images.filter { $0.split == split }.map { "\($0.path) \($0.label)\n" }.joined()
        try folder.write(lines, to: "\(name)/\(list).txt")
      }
    }
    let rows = names.map { "\"\(folder.path($0))\"" }.joined(separator: ", ")
    let plan = """
      {"settings": {"model": "\(MiniatureModels.vit.path)", "train-on": "train+val", "epochs": 1},
       "methods": ["linear"], "data": [\(rows)], "shots": ["all"],
       "search": {"grid": {"lr": [0.001, 0.1]}, "data": ["cifar", "svhn"]}, "out": "\(folder.path("out"))"}
      """
    let file = try folder.write(plan, to: "plan.json")
    let search = try await runFrugal("sweep", file.path, "--search")
    #expect(search.code == 0, "\(search.errors)")
    let found = try await runFrugal("sweep", file.path, "--format", "markdown")
    #expect(found.code == 0, "\(found.errors)")
    let lines = found.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("**VTAB-1k, "))
    let columns = PaperColumn.vtab.map(\.name).filter(names.contains)
    #expect(lines[1] == "| method | \(columns.joined(separator: " | ")) | Specialized | Mean of 9 |")
    let cells = try #require(lines.first { $0.hasPrefix("| linear |") }).split(separator: "|").dropFirst()
    let values = cells.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    #expect(values.count == 11)
    let part = zip(columns, values).filter { specialized.contains($0.0) }.map(\.1)
    #expect(abs(values[9] - part.reduce(0, +) / 4) < 0.06 && abs(values[10] - values.prefix(9).reduce(0, +) / 9) < 0.06)
  }
}
