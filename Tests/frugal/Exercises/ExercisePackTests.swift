import Foundation
import FrugalTestSupport
import Testing

@testable import Formats
@testable import frugal

/// What `frugal exercise pack` makes for other graders.
@Suite struct ExercisePackTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The archive, unpacked as Gradescope does, runs a solution and grades it. In place of Python stands a script that
  /// writes prepared answers, as tests need no Python.
  @Test(arguments: [("right", 6.0), ("linked", 0), ("absent", 0), ("stopping", 6)])
  func theAutograderRunsAndGrades(_ kind: String, _ points: Double) async throws {
    let zip = folder.path("adam.zip")
    let words = ["exercise", "pack", "adam", "--student", "secret", "--gradescope", zip]
    let packed = try await runFrugal(words + ["--binary", FrugalProcess.executable.path])
    #expect(packed.code == 0, "\(packed.errors)")
    for path in ["source/inputs", "submission", "results", "answers", "bin"] { _ = try folder.file("\(path)/x") }
    let archive = try ZipArchive(try MappedFile(contentsOf: URL(fileURLWithPath: zip)))
    for (name, entry) in archive.entries {
      let bytes = try archive.withContents(of: entry) { Array($0) }
      if name != "frugal" { try folder.write(bytes, to: "source/\(name)") }
    }
    let command = folder.url.appendingPathComponent("source/frugal")
    try FileManager.default.createSymbolicLink(at: command, withDestinationURL: FrugalProcess.executable)
    let exercise = try Exercise.named("adam")
    let values = exercise.instance(.own, student: "secret")
    for step in exercise.steps {
      let bytes = NumPyWriter.bytes(values[step.name].values, shape: .init(exercise.shape(step.name, values)))
      try folder.write(bytes, to: "answers/\(step.name).npy")
    }
    let ending = kind == "stopping" ? "; echo secret; exit 3" : ""
    let script =
      kind == "linked"
      ? "rm -r \"$3\"; ln -s \(folder.path("source/reference.safetensors")) \"$3\""
      : "cp \(folder.path("answers"))/*.npy \"$3\"\(ending)"
    let python = try folder.write("#!/bin/sh\n\(script)\n", to: "bin/python3")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python.path)
    if kind != "absent" { try folder.write("print()\n", to: "submission/solution.py") }

    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [folder.path("source/run_autograder")]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "AUTOGRADER": folder.url.path, "PATH": "\(folder.path("bin")):/usr/bin:/bin",
    ]) { $1 }
    let said = Pipe()
    (process.standardOutput, process.standardError) = (said, FileHandle.nullDevice)
    try process.run()
    let log = String(decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("results/results.json")))
    #expect(json["score"].double == points)
    // The student reads a sentence, the teacher what was printed.
    let note = "solution.py ended with exit code 3; does it run on the public inputs?"
    #expect((json["output"].string == note) == (kind == "stopping") && log.contains("secret") == (kind == "stopping"))
    #expect(!String(decoding: try folder.bytes("results/results.json"), as: UTF8.self).contains("secret"))
  }

  @Test func notebooksHaveABlankAndATestForEveryTensor() async throws {
    let words = ["exercise", "pack", "layer-norm", "--student", "secret", "--nbgrader", folder.path("n/a.ipynb")]
    #expect(try await runFrugal(words + ["--otter", folder.path("o/a.ipynb")]).code == 0)
    for path in ["n/public/check.safetensors", "o/public/check.safetensors"] {
      #expect(folder.contents.contains(path))
    }
    #expect(!folder.contents.contains { $0.contains("hidden") })
    let steps = try Exercise.named("layer-norm").steps.map(\.name)
    let notebook = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("n/a.ipynb")))
    let cells = try #require(notebook["cells"].array)
    let metadata = cells.map { $0["metadata"]["nbgrader"] }
    #expect(metadata.filter { $0["solution"].bool == true }.compactMap { $0["grade_id"].string } == steps)
    #expect(metadata.filter { $0["grade"].bool == true }.map { $0["points"].int } == steps.map { _ in 1 })
    #expect(cells.count { $0["source"].string?.contains("### BEGIN SOLUTION") == true } == steps.count)
    #expect(Set(cells.compactMap { $0["id"].string }).count == cells.count)
    let otter = String(decoding: try folder.bytes("o/a.ipynb"), as: UTF8.self)
    #expect(otter.components(separatedBy: "# BEGIN QUESTION").count == steps.count + 1)
    #expect(otter.components(separatedBy: "hidden: true").count == steps.count + 1)
    // The hidden numbers are in what the tools remove, and nowhere else.
    for cell in cells {
      let parts = (cell["source"].string ?? "").components(separatedBy: "### BEGIN HIDDEN TESTS")
      #expect(parts.count <= 2 && !parts[0].contains("np.reshape"))
    }
  }

  @Test func badRequestsAreRefused() async throws {
    let start = ["exercise", "pack"]
    let lines: [([String], Int32, String)] = [
      ([], 2, "pack: expected the name of an exercise, found 0 words"),
      (["adam", "--student", "s"], 2, "--gradescope, --nbgrader or --otter: missing required flag"),
      (["adam", "--gradescope", folder.path("z"), "--binary", "b"], 2, "--student: missing required flag"),
      (["adam", "--student", "s", "--gradescope", folder.path("z")], 2, "--binary: missing required flag"),
      (["adam", "--student", "s", "--gradescope", folder.path("z"), "--binary", "/etc/passwd"], 1, "(ELF)"),
      (["adam", "--student", "s", "--out", "o", "--otter", "n"], 2, "--out: cannot be combined with pack"),
    ]
    for (words, code, text) in lines { expectRefusal(try await runFrugal(start + words), code: code, [text]) }
    let single = try await runFrugal("exercise", "adam", "--student", "s", "--out", "o", "--otter", "n")
    expectRefusal(single, code: 2, ["--otter: expected frugal exercise pack"])
    #expect(folder.contents.isEmpty)
  }
}
