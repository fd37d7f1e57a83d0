import Formats
import Foundation

/// `frugal exercise`: assignments that are graded by `frugal grade`.
enum ExerciseCommand: Command {
  static let name = "exercise"
  static let summary =
    "make an assignment: statement, inputs of one's own, starters, a public check, a rubric"
  static let operands = "NAME | pack NAME"
  static let calculates = false
  static let options = [
    Option("--list", "list the exercises in the order in which they build up"),
    Option("--student", "ID", "the student whose numbers are written"),
    Option("--students", "FILE", "a class: one id per line, one folder each below --out"),
    Option("--out", "DIR", "folder to write"),
    Option("--answers", "write the right answers too, as reference for grade"),
    Option("--gradescope", "FILE", "with pack: an autograder for Gradescope, as ZIP"),
    Option(
      "--binary", "FILE", "with --gradescope: the frugal to put in it, a static one for Linux"),
    Option(
      "--nbgrader", "FILE", "with pack: a source notebook of nbgrader, with its numbers beside it"),
    Option(
      "--otter", "FILE", "with pack: a source notebook of otter-grader, with its numbers beside it"),
    jsonOption,
  ]

  static let examples = [
    Example("frugal exercise --list", "what there is"),
    Example("frugal exercise layer-norm --student ada --out ada", "an assignment"),
    Example(
      "frugal exercise pack adam --student SECRET --gradescope adam.zip --binary frugal",
      "an autograder"),
    Example(
      "frugal exercise layer-norm --students ids.txt --answers --out class",
      "those of a class, for the grader"),
  ]

  /// The output of `--json`.
  private struct Report: Encodable {
    struct Entry: Encodable {
      let name, title: String
      let tensors: [String]
    }

    var exercises: [Entry] = []
    var exercise: String?
    var folders: [String] = []
    var files: [String] = []
  }

  static func run(_ arguments: Arguments) throws {
    if arguments.has("--list") {
      guard arguments.operands.isEmpty else {
        throw UsageError("--list: cannot be combined with a name")
      }
      return try list(isJSON: arguments.has("--json"))
    }
    if arguments.operands.first == "pack" { return try pack(arguments) }
    guard arguments.operands.count == 1 else {
      throw UsageError("expected the name of an exercise, found \(arguments.operands.count) words")
    }
    if let flag = packFlags.first(where: arguments.has) {
      throw UsageError(flag, expected: "frugal exercise pack", found: "frugal exercise")
    }
    let exercise = try Exercise.named(arguments.operands[0])
    let out = URL(fileURLWithPath: try arguments.required("--out"))
    var report = Report(exercise: exercise.name)
    if let path = arguments.string("--students") {
      guard !arguments.has("--student") else {
        throw UsageError("--student: cannot be combined with --students")
      }
      let ids = try students(path)
      let folder = try AtomicFolder(out)
      for id in ids {
        let name = Exercise.folderName(id)
        try exercise.write(
          student: id, answers: arguments.has("--answers"),
          to: folder.url.appendingPathComponent(name))
        report.folders.append(out.appendingPathComponent(name).shown)
      }
      try folder.commit()
    } else {
      let student = try arguments.required("--student")
      try exercise.write(student: student, answers: arguments.has("--answers"), to: out)
      report.folders.append(out.shown)
    }
    if arguments.has("--json") { return try printJSON(report) }
    let count = report.folders.count
    print(
      "\(out.shown): \(exercise.title), \(grouped(count)) \(count == 1 ? "student" : "students")")
  }

  private static let packFlags = ["--gradescope", "--binary", "--nbgrader", "--otter"]

  /// Writes what other graders read, with the hidden numbers of `--student`.
  private static func pack(_ arguments: Arguments) throws {
    guard arguments.operands.count == 2 else {
      throw UsageError(
        "pack: expected the name of an exercise, found \(arguments.operands.count - 1) words")
    }
    let exercise = try Exercise.named(arguments.operands[1])
    if let flag = ["--students", "--out", "--answers"].first(where: arguments.has) {
      throw UsageError("\(flag): cannot be combined with pack")
    }
    guard packFlags.contains(where: { $0 != "--binary" && arguments.has($0) }) else {
      throw UsageError("--gradescope, --nbgrader or --otter: missing required flag")
    }
    let hidden = try arguments.required("--student")
    var report = Report(exercise: exercise.name)
    func url(_ flag: String) -> URL? { arguments.string(flag).map { URL(fileURLWithPath: $0) } }
    if let zip = url("--gradescope") {
      let binary = URL(fileURLWithPath: try arguments.required("--binary"))
      try exercise.writeGradescopePack(hidden: hidden, binary: binary, to: zip)
      report.files.append(zip.shown)
    }
    for (flag, tool) in [("--nbgrader", ExerciseNotebook.Tool.nbgrader), ("--otter", .otter)] {
      guard let file = url(flag) else { continue }
      try ExerciseNotebook.writeCheck(of: exercise, to: file.deletingLastPathComponent())
      try ExerciseNotebook(exercise, for: tool, hidden: hidden).write(to: file)
      report.files.append(file.shown)
    }
    if arguments.has("--json") { return try printJSON(report) }
    for file in report.files { print("\(file): \(exercise.title)") }
  }

  /// The ids of a class: lines that are not empty, each once.
  private static func students(_ path: String) throws -> [String] {
    let url = URL(fileURLWithPath: path)
    let lines = String(decoding: try MappedFile.text(of: url), as: UTF8.self).split(
      whereSeparator: \.isNewline)
    let ids = lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard !ids.isEmpty else {
      throw FileError(file: url.shown, expected: "one id per line", found: "none")
    }
    // Names of folders may differ in case only, which some file systems do not tell apart.
    var folders: Set<String> = []
    for id in ids where !folders.insert(Exercise.folderName(id).lowercased()).inserted {
      throw FileError(
        file: url.shown, expected: "every id once", found: "\"\(FileName.shown(id))\" twice")
    }
    return ids
  }

  private static func list(isJSON: Bool) throws {
    if isJSON {
      let entries = Exercise.all.map { exercise in
        Report.Entry(
          name: exercise.name, title: exercise.title, tensors: exercise.steps.map(\.name))
      }
      return try printJSON(Report(exercises: entries))
    }
    let rows = Exercise.all.enumerated().map { index, exercise in
      ["\(index + 1)", exercise.name, exercise.title, "\(exercise.steps.count) tensors"]
    }
    print(aligned(rows))
  }
}
