import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// `frugal exercise`, and what students hand in.
@Suite struct ExerciseCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func anAssignmentHasWhatAStudentNeeds() async throws {
    let outcome = try await runFrugal(
      "exercise", "attention", "--student", "Ada Lovelace", "--out", folder.path("ada"), "--answers"
    )
    #expect(outcome.code == 0, "\(outcome.errors)")
    let files = folder.contents.filter { $0.contains(".") }
    #expect(
      files == [
        "ada/Solution.swift", "ada/answers.safetensors", "ada/inputs/k.npy", "ada/inputs/q.npy",
        "ada/inputs/v.npy",
        "ada/public/check.safetensors", "ada/public/inputs/k.npy", "ada/public/inputs/q.npy",
        "ada/public/inputs/v.npy",
        "ada/rubric.json", "ada/solution.py", "ada/statement.md",
      ])
    let statement = String(decoding: try folder.bytes("ada/statement.md"), as: UTF8.self)
    #expect(
      statement.contains("For: Ada Lovelace")
        && statement.contains("| 1 | `s` | [8, 4] | S = Q Kᵀ / √d"))
    let python = String(decoding: try folder.bytes("ada/solution.py"), as: UTF8.self)
    #expect(
      python.contains("def s(q, k):") && python.components(separatedBy: "YOUR CODE HERE").count == 4
    )
    // The answers are right, and earn what the rubric gives.
    let words = [
      "grade", folder.path("ada/answers.safetensors"), folder.path("ada/answers.safetensors"),
    ]
    let graded = try await runFrugal(words + ["--rubric", folder.path("ada/rubric.json")])
    #expect(
      graded.code == 0 && graded.output.contains("3 of 3 points"),
      "\(graded.output)\(graded.errors)")
    // Nothing is overwritten.
    let again = try await runFrugal(
      "exercise", "attention", "--student", "b", "--out", folder.path("ada"))
    expectRefusal(again, code: 1, ["expected a folder that can be renamed to this"])
  }

  /// Public answers have the shapes of the public numbers, and earn nothing with one's own.
  @Test func publicAnswersHandedInEarnNothing() async throws {
    try await runFrugal(
      "exercise", "adam", "--student", "a", "--out", folder.path("a"), "--answers")
    let words = [
      "grade", folder.path("a/answers.safetensors"), folder.path("a/public/check.safetensors"),
      "--json",
    ]
    let json = try await runFrugal(words).json()
    #expect(json["points"].double == 0 && json["right"].bool == false)
    #expect(
      json["grading"]["tensors"].array?.allSatisfy { $0["verdict"].string == "shape" } == true)
  }

  @Test func aMistakeIsNamedByItsFormula() async throws {
    let check = "public/check.safetensors"
    try await runFrugal("exercise", "layer-norm", "--student", "a", "--out", folder.path("a"))
    let submission = ExerciseTests.fixtures.appendingPathComponent("layer-norm/no-epsilon.npz").path
    let outcome = try await runFrugal("grade", folder.path("a/\(check)"), submission, "--follow")
    #expect(
      outcome.code == 1 && outcome.output.contains("cause: ε is missing"), "\(outcome.output)")
    #expect(outcome.output.contains("first: x_hat, x̂ = (x − mean x) / √(var x + ε)"))
    #expect(outcome.output.contains("6 of 7 points"))
    // Without the own values of the submission, what is made of x̂ is said to follow.
    let strict = try await runFrugal("grade", folder.path("a/\(check)"), submission)
    #expect(strict.output.contains("y: differs, which follows from x_hat"))
  }

  @Test func aClassIsWrittenAtOnce() async throws {
    try folder.write("ada\n  bob \n\nJürgen/../x\n", to: "ids.txt")
    let words = ["exercise", "allocation", "--students", folder.path("ids.txt")]
    let json = try await runFrugal(words + ["--out", folder.path("class"), "--json"]).json()
    #expect(json["folders"].array?.count == 3)
    for name in ["ada", "bob", "J%C3%BCrgen%2F..%2Fx"] {
      #expect(folder.contents.contains("class/\(name)/statement.md"), "\(folder.contents)")
    }
    try folder.write("ada\nADA\n", to: "ids.txt")
    let twice = try await runFrugal(words + ["--out", folder.path("other")])
    expectRefusal(twice, code: 1, ["ids.txt: expected every id once, found \"ADA\" twice"])
  }

  @Test func badRequestsAreRefused() async throws {
    let lines: [([String], String)] = [
      ([], "expected the name of an exercise, found 0 words"), (["adm"], "(did you mean adam?)"),
      (["adam"], "--out: missing required flag"),
      (["adam", "--out", folder.path("a")], "--student: missing"),
      (["adam", "--list"], "--list: cannot be combined"),
    ]
    for (words, text) in lines {
      expectRefusal(try await runFrugal(["exercise"] + words), code: 2, [text])
    }
    #expect(folder.contents.isEmpty)
  }

  /// A manifest that names an exercise whose shapes it does not have is graded without it.
  @Test func aForgedReferenceIsNoExercise() async throws {
    let r = try folder.write("", to: "x").deletingLastPathComponent()
    try await runFrugal(
      "exercise", "adam", "--student", "a", "--out", folder.path("a"), "--answers")
    try folder.write(
      "{\"exercise\": \"lora\", \"tensors\": [{\"name\": \"m1\"}, {\"name\": \"theta2\", \"from\": [\"m1\"]}]}",
      to: "m.json")
    let answers = r.appendingPathComponent("a/answers.safetensors").path
    let outcome = try await runFrugal(
      "grade", answers, answers, "--manifest", folder.path("m.json"), "--follow")
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
