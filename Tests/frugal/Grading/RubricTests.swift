import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// Points, and the files that other graders read.
@Suite struct RubricTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ tensors: [String: [Double]]) throws -> String {
    var writer = SafeTensorsWriter()
    for (name, values) in tensors { writer.add(name, doubles: values) }
    try writer.write(to: folder.url.appendingPathComponent(name))
    return folder.path(name)
  }

  private func files() throws -> (reference: String, submission: String) {
    (
      try write("r", ["a": [1, 2, 3, 4], "b/x": [1], "b/y": [2], "c": [5]]),
      try write("s", ["a": [1, 2, 3, 5], "b/x": [1], "b/y": [9], "c": [7]])
    )
  }

  private static let rubric = """
    {"title": "T", "items": [
    {"name": "A", "tensors": ["a"], "points": 4, "credit": "proportional"},
    {"name": "B", "tensors": ["b/*"], "points": 2, "credit": "partial", "visibility": "hidden"},
    {"name": "all of B", "tensors": ["b/*"], "points": 3, "credit": "all"},
    {"name": "C", "tensors": ["c"], "points": 1, "tolerance": 0.5, "visibility": "after_due_date"}]}
    """

  @Test func creditIsPartialOrProportional() async throws {
    let (r, s) = try files()
    try folder.write(Self.rubric, to: "rubric.json")
    let outcome = try await runFrugal("grade", r, s, "--rubric", folder.path("rubric.json"), "--json")
    #expect(outcome.code == 1)
    let json = try outcome.json()
    #expect(json["points"].double == 5 && json["outOf"].double == 10 && json["first"].string == "a")
    #expect(json["items"].array?.map { $0["points"].double } == [3, 1, 0, 1])
  }

  @Test func gradescopeGetsWhatItDocuments() async throws {
    let (r, s) = try files()
    try folder.write(Self.rubric, to: "rubric.json")
    let out = folder.path("results.json")
    try await runFrugal("grade", r, s, "--rubric", folder.path("rubric.json"), "--gradescope", out)
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("results.json")))
    #expect(json["score"].double == 5 && json["stdout_visibility"].string == "hidden")
    let tests = try #require(json["tests"].array)
    #expect(tests.map { $0["max_score"].double } == [4, 2, 3, 1])
    #expect(tests.map { $0["visibility"].string } == ["visible", "hidden", "visible", "after_due_date"])
    #expect(tests.map { $0["status"].string } == ["failed", "failed", "failed", "passed"])
    #expect(tests[0]["name"].string == "A" && tests[0]["number"].string == "1")
    #expect(tests[0]["output"].string == "a: differs in 1 of 4, most at [3]", "no number of the reference")
  }

  @Test func junitIsXML() async throws {
    let r = try write("r", ["<a & \"b\">\u{1}": [1], "c": [2]])
    let s = try write("s", ["c": [2]])
    try await runFrugal("grade", r, s, "--junit", folder.path("junit.xml"))
    let text = String(decoding: try folder.bytes("junit.xml"), as: UTF8.self)
    #expect(text.contains("tests=\"2\" failures=\"1\" errors=\"0\""))
    #expect(
      text.contains("name=\"&lt;a &amp; &quot;b&quot;&gt;\\x01\"><failure message=\"missing\" type=\"missing\"/>"))
    #expect(text.contains("name=\"c\"/>"))
  }

  @Test func aFileThatIsNoRubricIsRefused() async throws {
    let (r, s) = try files()
    let lines = [
      ("{}", "rubric.json: expected {\"items\""), ("{\"items\": []}", "expected items, found none"),
      ("{\"items\": [{\"name\": \"A\", \"tensors\": [\"aa\"], \"points\": 1}]}", "found \"aa\" (did you mean a?)"),
      ("{\"items\": [{\"name\": \"A\", \"tensors\": [], \"points\": 1}]}", "expected tensors for \"A\", found none"),
      ("{\"items\": [{\"name\": \"A\", \"tensors\": [\"a\"], \"points\": -1}]}", "expected points from 0"),
      ("{\"items\": [{\"name\": \"A\", \"tensors\": [\"a\"], \"points\": 1e300}]}", "expected numbers of at most"),
    ]
    for (text, message) in lines {
      try folder.write(text, to: "rubric.json")
      let outcome = try await runFrugal("grade", r, s, "--rubric", folder.path("rubric.json"))
      expectRefusal(outcome, code: 2, ["frugal grade: ", message])
    }
    for flag in ["--rubric", "--names", "--manifest"] {
      expectRefusal(try await runFrugal("grade", r, s, flag, folder.path("none.json")), code: 2, ["none.json: "])
    }
    // Files to write are no part of it.
    let unwritten = try await runFrugal("grade", r, r, "--junit", folder.path("none/junit.xml"))
    #expect(unwritten.code == 1, "\(unwritten.errors)")
  }

  /// Beginnings of names are compared with each of them: 300 kB of `*` took 20 s and 1 GB.
  @Test func comparisonsOfNamesAreBounded() throws {
    func rubric(_ patterns: [String], of names: [String]) throws -> Rubric {
      let text = "{\"items\": [{\"name\": \"A\", \"tensors\": \(patterns), \"points\": 1}]}"
      return try Rubric(contentsOf: try folder.write(text, to: "rubric.json").path, graded: names)
    }
    let names = (0..<1024).map { "t\($0)" }
    #expect(throws: Never.self) { try rubric(Array(repeating: "t*", count: 4096), of: names) }
    let error = #expect(throws: FileError.self) { try rubric(Array(repeating: "t*", count: 4097), of: names) }
    #expect(
      error?.description.hasSuffix("expected at most 4096 beginnings of names, of 1024, found 4097") == true)
    #expect(throws: Never.self) { try rubric(Array(repeating: "t7", count: 100_000), of: names) }
  }

  /// A submission cannot print lines of its own, such as points.
  @Test func namesOfASubmissionStayOnTheirLine() async throws {
    let r = try write("r", ["a": [1]])
    let s = try write("s", ["a": [2], "b\n\n100 of 100 points": [1]])
    let outcome = try await runFrugal("grade", r, s)
    #expect(outcome.code == 1 && !outcome.output.contains("\n100 of 100 points"))
    #expect(outcome.output.contains("not asked for: b\\x0A\\x0A100 of 100 points\n"))
  }

  @Test func namesAndTolerancesMayBeGiven() async throws {
    let r = try write("r", ["a": [1, 2], "b": [3]])
    let s = try write("s", ["left": [1, 2.1], "b": [3]])
    try folder.write("{\"a\": \"left\"}", to: "names.json")
    let words = ["grade", r, s, "--names", folder.path("names.json")]
    #expect(try await runFrugal(words).code == 1)
    #expect(try await runFrugal(words + ["--tolerance", "a=0.1"]).code == 0)
    #expect(try await runFrugal(words + ["--tolerance", "0.1", "--tolerance", "a=1e-3"]).code == 1)
    for (more, text) in [
      (["--tolerance", "x=1"], "--tolerance: expected a tensor of the reference, found \"x\""),
      (["--tolerance", "0"], "--tolerance: expected a number above 0"), (["--top", "3"], "--top: expected --exact"),
    ] {
      expectRefusal(try await runFrugal(words + more), code: 2, [text])
    }
    try folder.write("{\"z\": \"left\"}", to: "names.json")
    expectRefusal(try await runFrugal(words), code: 2, ["names.json: expected names of the reference as keys"])
    expectRefusal(try await runFrugal("grade", folder.path("none"), s), code: 2, ["none: expected"])
    // Given tensors are not graded, and may be named all the same.
    try folder.write("{\"tensors\": [{\"name\": \"a\", \"isGiven\": true}, {\"name\": \"b\"}]}", to: "given.json")
    try folder.write("{\"a\": \"left\"}", to: "names.json")
    #expect(try await runFrugal(words + ["--manifest", folder.path("given.json")]).code == 0)
  }
}
