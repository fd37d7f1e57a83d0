import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `--split` with shares and `--data-list` through the command: right answers, wrong inputs, resumed runs.
@Suite struct SplitCommandTests {
  /// The training pictures in one folder per class, without splits.
  private func flat() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: "\(Workbench.pictures)/train", toPath: folder.path("flat"))
    return folder
  }

  private func accuracy(_ words: [String]) async throws -> JSONValue {
    let outcome = try await runFrugal(["evaluate", "--model", Workbench.model, "--template", "a {}", "--json"] + words)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json()
  }

  /// The rows of a list without its header, by path.
  private func parts(_ folder: TemporaryFolder, _ name: String) throws -> [String: String] {
    let lines = String(decoding: try folder.bytes(name), as: UTF8.self).split(separator: "\n").dropFirst()
    return Dictionary(
      uniqueKeysWithValues: lines.map { line in
        let fields = line.split(separator: ",").map(String.init)
        return (fields[0], fields[2])
      })
  }

  @Test func sharesAreDrawnByContents() async throws {
    let folder = try flat()
    let split = ["--split", "0.5,0.2,0.3", "--seed", "3"]
    let words = Workbench.quickRun(
      "linear", out: folder.url.appendingPathComponent("run"), data: folder.path("flat"))
    try #require(try await runFrugal(words + split).code == 0)
    let drawn = try parts(folder, "run/split.csv")
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path("flat"))
    #expect(Set(drawn.keys) == Set(files.filter { $0.contains(".") }))
    #expect(Set(drawn.values) == ["train", "val", "test"])
    // The same images, divided by flags and by the list of the run: the same logits, and those of the run itself.
    let delta = ["--delta", folder.path("run/delta.safetensors")]
    let byFlag = try await accuracy(["--data", folder.path("flat")] + split + delta)
    let list = ["--data", folder.path("flat"), "--data-list", folder.path("run/split.csv")]
    #expect(try await accuracy(list + delta) == byFlag)
    #expect(byFlag["total"].int == drawn.values.count { $0 == "test" })
    #expect(byFlag["accuracy"].double == (try folder.result("run")["test"]["accuracy"].double))
    let validation = try await accuracy(["--data", folder.path("flat"), "--split", "val"] + split + delta)
    #expect(validation["total"].int == drawn.values.count { $0 == "val" })
    // A new image changes nothing for the others, nor does a new name.
    try FileManager.default.moveItem(
      atPath: folder.path("flat/red_circle/00.png"), toPath: folder.path("flat/red_circle/zz.png"))
    try FileManager.default.copyItem(
      atPath: "\(Workbench.pictures)/test/red_circle/01.jpg", toPath: folder.path("flat/red_circle/new.jpg"))
    try #require(
      try await runFrugal(
        Workbench.quickRun("linear", out: folder.url.appendingPathComponent("again"), data: folder.path("flat"))
          + split
      ).code == 0)
    var again = try parts(folder, "again/split.csv")
    again["red_circle/new.jpg"] = nil
    again["red_circle/00.png"] = again.removeValue(forKey: "red_circle/zz.png")
    #expect(again == drawn)
  }

  @Test func wrongSharesAreRefused() async throws {
    let folder = try flat()
    let evaluate = ["evaluate", "--model", Workbench.model, "--data"]
    let data = folder.path("flat")
    for shares in ["0.5,0.6", "a,b", "0.5,-0.1,0.6", "0.2,0.2,0.2,0.4", "1,"] {
      expectRefusal(
        try await runFrugal(evaluate + [data, "--split", shares]), code: 2,
        ["--split: expected shares of train, val and test with the sum 1, such as 0.6,0.2,0.2, found \"\(shares)\""])
    }
    expectRefusal(
      try await runFrugal(evaluate + [data]), code: 1,
      ["expected splits train and test, or how to draw them, found neither; --split 0.6,0.2,0.2 draws them"])
    expectRefusal(
      try await runFrugal(evaluate + [Workbench.pictures, "--split", "0.5,0.5"]), code: 1,
      ["expected no splits, as they are to be drawn, found some; leave out the shares of --split"])
    expectRefusal(
      try await runFrugal(evaluate + [data, "--split", "0.5,0.5", "--split", "vla"]), code: 2,
      ["--split: expected test, val, train, or shares such as 0.6,0.2,0.2, found \"vla\""])
  }

  /// Every form of a list gives what folders give.
  @Test func listsAreFolders() async throws {
    let folder = try TemporaryFolder()
    var rows: [(path: String, label: String, split: String)] = []
    for split in ["train", "test"] {
      for label in try FileManager.default.contentsOfDirectory(atPath: "\(Workbench.pictures)/\(split)").sorted() {
        let images = try FileManager.default.contentsOfDirectory(atPath: "\(Workbench.pictures)/\(split)/\(label)")
        rows += images.sorted().map { ("\(split)/\(label)/\($0)", label, split) }
      }
    }
    let table = rows.map { [$0.path, $0.label, $0.split] }
    func lines(_ separator: String, _ end: String) -> String {
      ([["path", "label", "split"]] + table).map { $0.joined(separator: separator) + end }.joined()
    }
    let quotedRows = rows.map { "\($0.split),\"\($0.label)\",\"\($0.path)\",\"a \"\"b\"\"\nc\"" }
    let quoted = (["split,label,path,note"] + quotedRows)
      .joined(separator: "\r\n")
    try folder.write(lines(",", "\n"), to: "list.csv")
    try folder.write(lines("\t", "\r\n"), to: "list.tsv")
    try folder.write("\u{FEFF}" + quoted, to: "quoted.csv")
    try folder.write(
      rows.map { "{\"path\": \"\($0.path)\", \"label\": \"\($0.label)\", \"split\": \"\($0.split)\"}\n" }.joined(),
      to: "list.jsonl")
    let expected = try await accuracy(["--data", Workbench.pictures])
    for name in ["list.csv", "list.tsv", "quoted.csv", "list.jsonl"] {
      let found = try await accuracy(["--data", Workbench.pictures, "--data-list", folder.path(name)])
      #expect(found == expected, "\(name)")
    }
    // Without --data, paths are relative to the list; they may be absolute.
    try folder.write(
      "path,label,split\n" + rows.map { "\(Workbench.pictures)/\($0.path),\($0.label),\($0.split)\n" }.joined(),
      to: "absolute.csv")
    #expect(try await accuracy(["--data-list", folder.path("absolute.csv")]) == expected)
  }

  @Test func wrongListsAreRefusedByLine() async throws {
    let folder = try TemporaryFolder()
    let row = "train/red_circle/00.png,red circle"
    let cases: [(text: String, message: String)] = [
      ("", "expected a header with path, label and split, found an empty file"),
      ("a,b\n1,2\n", "list.csv:1: expected a header with path, label and split, found \"a\", \"b\""),
      ("path,label,split\n\(row),train\n\(row),test\n", "list.csv:3: expected each path once, found"),
      ("path,label,split\n\(row),training\n", "list.csv:2: expected split train, val or test, found \"training\""),
      ("path,label,split\n\(row)\n", "list.csv:2: expected 3 fields, found 2"),
      ("path,label,split\nno.png,x,train\n", "list.csv:2: expected an image file, found none at no.png"),
      ("path,label,split\n,x,train\n", "list.csv:2: expected a path, found none"),
      ("path,label,split\n\"\(row),train\n", "list.csv:2: expected a quote at the end of the field, found none"),
      ("path,label,split\n\(row),train\n", "expected images of split test or val, found none in the list"),
      ("path,label\n\(row)\n", "expected splits train and test, or how to draw them, found neither"),
      ("{\"path\": \"a\"}\n", "list.csv:1: expected an object with path, label and split, found something else"),
    ]
    let words = ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--data-list"]
    for (text, message) in cases {
      try folder.write(text, to: "list.csv")
      expectRefusal(try await runFrugal(words + [folder.path("list.csv")]), code: 1, [message])
    }
    expectRefusal(try await runFrugal(words + [folder.path("none.csv")]), code: 1, ["none.csv"])
  }

  /// Images of the test split count from the start, though they are not looked at before the end.
  @Test(arguments: [false, true]) func changedTestImagesAreNoticed(isListed: Bool) async throws {
    let folder = try Workbench.picturesCopy()
    var words = Workbench.quickRun(
      "linear", out: folder.url.appendingPathComponent("run"), data: folder.path("pictures"))
    if isListed {
      let images = try FileManager.default.subpathsOfDirectory(atPath: folder.path("pictures"))
        .filter { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }.sorted()
      let rows = images.map { path in
        let parts = path.split(separator: "/")
        return "\(path),\(parts[1]),\(parts[0])\n"
      }
      try folder.write("path,label,split\n" + rows.joined(), to: "list.csv")
      words += ["--data-list", folder.path("list.csv")]
    }
    try #require(try await runFrugal(words).code == 0)
    let before = try folder.bytes("run/result.json")
    let resume = ["tune", "--resume", folder.path("run")]
    if isListed {
      let list = String(decoding: try folder.bytes("list.csv"), as: UTF8.self)
      try folder.write(list.replacing(#/test/red_circle/00\.png.*\n/#, with: ""), to: "list.csv")
    } else {
      try FileManager.default.moveItem(
        atPath: folder.path("pictures/test/red_circle/00.png"), toPath: folder.path("00.png"))
    }
    expectRefusal(
      try await runFrugal(resume), code: 1,
      ["expected the files with which the run began, found others: test test/red_circle/00.png"])
    #expect(try folder.bytes("run/result.json") == before)
    guard !isListed else { return }
    try FileManager.default.moveItem(
      atPath: folder.path("00.png"), toPath: folder.path("pictures/test/red_circle/00.png"))
    #expect(try await runFrugal(resume).code == 0)
  }

  /// A run on drawn splits knows them without the flag.
  @Test func drawnSplitsAreResumed() async throws {
    let folder = try flat()
    let words = Workbench.quickRun(
      "linear", out: folder.url.appendingPathComponent("run"), data: folder.path("flat"))
    try #require(try await runFrugal(words + ["--split", "0.6,0.4"]).code == 0)
    let resume = ["tune", "--resume", folder.path("run")]
    #expect(try await runFrugal(resume).code == 0)
    expectRefusal(
      try await runFrugal(resume + ["--split", "0.6,0.4"]), code: 2, ["--split: cannot be combined with --resume"])
    let test = try #require(try parts(folder, "run/split.csv").first { $0.value == "test" }?.key)
    try FileManager.default.removeItem(atPath: folder.path("flat/\(test)"))
    expectRefusal(
      try await runFrugal(resume), code: 1,
      ["expected the files with which the run began, found others: test \(test) (missing)"])
  }
}
