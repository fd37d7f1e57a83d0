import Formats
import Foundation

/// `frugal grade`: a submission compared with a reference, within tolerances or by its bits.
enum GradeCommand: Command {
  static let name = "grade"
  static let summary = "grade tensors against a reference: verdicts, the first that differs, its cause, points"
  static let operands = "REFERENCE SUBMISSION"
  static let calculates = false
  static let options = [
    Option("--exact", "compare two traces by their bits"),
    Option("--top", "N", "with --exact: how many differing tensors to list, largest difference first (default 10)"),
    Option("--names", "FILE", "JSON object: names of tensors in the reference, and what the submission calls them"),
    Option("--manifest", "FILE", "order, formulas and dependences of the reference, if the file itself has none"),
    Option(
      "--tolerance", "T|NAME=T", isRepeatable: true,
      "relative error that is accepted, of all tensors or of one (default: from types and numbers of terms)"),
    Option("--rubric", "FILE", "JSON with the points of tensors or groups (default: one point each)"),
    Option("--follow", "judge later tensors of an exercise by the submission's own earlier ones"),
    Option("--junit", "FILE", "write the verdicts as JUnit XML"),
    Option("--gradescope", "FILE", "write a results.json for Gradescope"),
    Option("--note", "TEXT", "with --gradescope: a sentence for the student before the verdicts"),
    jsonOption,
  ]

  static let examples = [
    Example("frugal grade reference.safetensors answers", "a folder of .npy files"),
    Example("frugal grade check.safetensors answers.npz --rubric rubric.json --gradescope results.json", "points"),
    Example("frugal grade a.safetensors b.safetensors --exact", "two traces: the same bits, or where they diverge"),
  ]

  /// The output of `--json`.
  private struct Report: Encodable {
    let right: Bool
    let first: String?
    let points, outOf: Double
    let items: [Score.Item]
    let grading: Grading
  }

  static func run(_ arguments: Arguments) throws {
    guard arguments.operands.count == 2 else {
      throw UsageError("expected a reference and a submission, found \(arguments.operands.count) words")
    }
    let (a, b) = (arguments.operands[0], arguments.operands[1])
    if arguments.has("--exact") { return try compareBits(a, b, arguments) }
    if arguments.has("--top") { throw UsageError("--top", expected: "--exact with it", found: "none") }
    if arguments.has("--note"), !arguments.has("--gradescope") {
      throw UsageError("--note", expected: "--gradescope with it", found: "none")
    }
    let (grading, score) = try graded(a, b, arguments)
    if let path = arguments.string("--junit") {
      try AtomicFile.write(Array(JUnitReport.text(grading).utf8), to: URL(fileURLWithPath: path))
    }
    if let path = arguments.string("--gradescope") {
      try GradescopeResults(grading, score, note: arguments.string("--note")).write(to: URL(fileURLWithPath: path))
    }
    if arguments.has("--json") {
      try printJSON(
        Report(
          right: grading.isRight, first: grading.first?.tensor, points: score.points, outOf: score.outOf,
          items: score.items, grading: grading))
    } else {
      print(TerminalText.escaped(grading.text(score)))
    }
    guard grading.isRight else { throw DifferentTraces(description: "\(b): expected \(grading.shortfall)") }
  }

  /// The verdicts and points.
  ///
  /// - Throws: `UsageError`; `TraceError` for whatever is wrong with the reference or with what to grade it by, as
  ///   nothing of it is the fault of the submission.
  private static func graded(
    _ reference: String, _ submission: String, _ arguments: Arguments
  ) throws -> (Grading, Score) {
    do { return try grade(GradedFiles(reference), submission, arguments) } catch let error as UsageError {
      throw error
    } catch { throw TraceError.basis("\(error)") }
  }

  private static func grade(
    _ reference: GradedFiles, _ submission: String, _ arguments: Arguments
  ) throws -> (Grading, Score) {
    let manifest = try arguments.string("--manifest").map { try Manifest(contentsOf: $0) } ?? Manifest(in: reference)
    let given = Set((manifest?.tensors ?? []).filter { $0.isGiven == true }.map(\.name))
    let names = reference.names.filter { !given.contains($0) }
    guard !names.isEmpty else { throw TraceError.empty(file: reference.label) }
    let rubric = try arguments.string("--rubric").map { try Rubric(contentsOf: $0, graded: names) }
    var options = Grading.Options()
    if let path = arguments.string("--names") { options.names = try nameMap(path, reference.names) }
    options.tolerances = rubric?.tolerances(of: names) ?? [:]
    for text in arguments.strings("--tolerance") { try set(text, names, &options) }
    options.follows = arguments.has("--follow") || rubric?.follow == true
    let exercise = manifest?.exercise.flatMap { name in Exercise.all.first { $0.name == name } }
    options.recalculation = exercise?.recalculation(of: reference)
    let grading = try Grading(reference, manifest, submission: submission, options: options)
    return (grading, Score(grading, by: rubric ?? .plain(grading.tensors.map(\.tensor))))
  }

  private static func compareBits(_ a: String, _ b: String, _ arguments: Arguments) throws {
    let others = arguments.flags.subtracting(["--exact", "--top", "--json"])
    if let flag = options.first(where: { others.contains($0.flag) })?.flag {
      throw UsageError("\(flag): cannot be combined with --exact")
    }
    let top = try arguments.integer("--top", in: 0...1_000_000) ?? 10
    let comparison = try TraceComparison(a, b)
    if arguments.has("--json") { try printJSON(comparison) } else { print(comparison.text(a, b, top: top)) }
    guard comparison.identical else {
      throw DifferentTraces(description: "\(a) and \(b): expected the same bits, found \(comparison.summary)")
    }
  }

  /// `1e-6`, or `NAME=1e-6`.
  private static func set(_ text: String, _ names: [String], _ options: inout Grading.Options) throws(UsageError) {
    let cut = text.lastIndex(of: "=")
    let number = cut.map { text[text.index(after: $0)...] } ?? text[...]
    guard let t = Double(number), t > 0, t <= 1 else {
      throw UsageError("--tolerance", expected: "a number above 0, up to 1", found: "\"\(number)\"")
    }
    guard let cut else {
      options.tolerance = t
      return
    }
    let name = String(text[..<cut])
    guard names.contains(name) else {
      throw UsageError(
        "--tolerance", expected: "a tensor of the reference", found: "\"\(name)\"\(suggestion(for: name, among: names))"
      )
    }
    options.tolerances[name] = t
  }

  private static func nameMap(_ path: String, _ names: [String]) throws -> [String: String] {
    let url = URL(fileURLWithPath: path)
    let bytes = try MappedFile.bytes(of: url)
    guard let map = try? JSON.decoded([String: String].self, from: bytes) else {
      throw FileError(file: url.shown, expected: "a JSON object of names", found: "something else")
    }
    if let stranger = map.keys.sorted().first(where: { !names.contains($0) }) {
      throw FileError(
        file: url.shown, expected: "names of the reference as keys",
        found: "\"\(stranger)\"\(suggestion(for: stranger, among: names))")
    }
    return map
  }
}
