import Checks
import Formats
import Foundation
import Methods
import Tensor

/// `frugal trace`: every named intermediate of operations, layers and training steps, in one file.
enum TraceCommand: Command {
  static let name = "trace"
  static let summary = "write the intermediates of operations, layers and training steps, for comparison by grade"
  static let operands = "[NAME…]"
  static let options =
    [
      Option("--out", "FILE", "safetensors file to write"),
      Option("--seed", "N", "seed of random rules (default that of --on, else 1)"),
      Option("--steps", "N", "training steps (default 3)"),
      Option("--list", "list what can be traced, and write nothing"),
      jsonOption,
    ] + TracedTraining.options

  /// The output of `--json`.
  struct Report: Encodable {
    let file: String
    let traces, tensors, numbers: Int
    let metadata: [String: String]
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    arguments.has("--list") ? [] : [["--out"]]
  }
  static let examples = [
    Example("frugal trace --out mine.safetensors", "every intermediate"),
    Example("frugal trace layers/linear --out linear.safetensors --seed 2", "those of one layer"),
    Example(
      "frugal trace --model clip --data photos --method r-amt --steps 1 --out mine.safetensors",
      "the first step of a training of your own"),
  ]

  static func run(_ arguments: Arguments) throws {
    let seed = try arguments.integer("--seed", in: 0...Int(Int32.max)) ?? 1
    let steps = try arguments.integer("--steps", in: 1...1000) ?? MethodTraces.stepCount
    if arguments.has("--model") { return try traceTraining(steps, seed, arguments) }
    if let flag = TracedTraining.flags(arguments).first {
      throw UsageError(flag, expected: "--model with it", found: "none")
    }
    let members = try selected(
      arguments.operands, from: TraceMember.all(seed: UInt64(seed), steps: steps), expected: "something that is traced")
    if arguments.has("--list") { return try list(members, isJSON: arguments.has("--json")) }
    let out = URL(fileURLWithPath: try arguments.required("--out"))
    let settings = metadata(seed: seed)
    var (writer, manifest) = (SafeTensorsWriter(), TraceManifest())
    var (tensors, numbers) = (0, 0)
    let line = ProgressLine()
    for (done, member) in members.enumerated() {
      for tensor in member.trace.tensors() {
        let name = "\(member.family)/\(tensor.name)"
        writer.add(name, tensor.value)
        manifest.add(name)
        (tensors, numbers) = (tensors + 1, numbers + tensor.value.count)
      }
      line.show("\(done + 1) of \(members.count)")
    }
    line.finish()
    let report = Report(
      file: out.shown, traces: members.count, tensors: tensors, numbers: numbers, metadata: settings)
    try write(writer, manifest, to: out, report, arguments)
  }

  /// The patterns of `--only` in the metadata of a file.
  static let onlyKey = "only"

  /// A training of one's own.
  private static func traceTraining(_ steps: Int, _ seed: Int, _ arguments: Arguments) throws {
    guard arguments.operands.isEmpty else {
      throw UsageError("\"\(arguments.operands[0])\": expected --only to select tensors with --model, found a name")
    }
    let draws = try arguments.string("--draws").map { try SafeTensorsFile(contentsOf: URL(fileURLWithPath: $0)) }
    let (patterns, byReference) = (arguments.strings("--only"), TracedTraining.isByReference(arguments))
    let recorder = TraceRecorder(only: patterns, draws: draws, keepsAll: byReference)
    let training = try TracedTraining(arguments, recorder)
    try training.record(steps, recorder, byReference: byReference)
    if arguments.has("--list") {
      if arguments.has("--json") { return try printJSON(["names": recorder.shapes.map(\.name)]) }
      return print(recorder.shapes.map { "\($0.name) \($0.shape)" }.joined(separator: "\n"))
    }
    let out = URL(fileURLWithPath: try arguments.required("--out"))
    var settings = metadata(seed: seed).merging(training.metadata) { $1 }
    if byReference { settings.merge(byReferenceMetadata) { $1 } }
    if !patterns.isEmpty { settings[onlyKey] = patterns.joined(separator: ", ") }
    let report = Report(
      file: out.shown, traces: 1, tensors: recorder.shapes.count,
      numbers: recorder.shapes.reduce(0) { $0 + $1.shape.count }, metadata: settings)
    try write(recorder.writer, recorder.manifest(of: training.name), to: out, report, arguments)
  }

  private static func write(
    _ writer: SafeTensorsWriter, _ manifest: TraceManifest, to out: URL, _ report: Report, _ arguments: Arguments
  ) throws {
    var writer = writer
    writer.metadata = report.metadata
    writer.metadata[Manifest.key] = try manifest.text()
    try writer.write(to: out)
    if arguments.has("--json") { return try printJSON(report) }
    print("\(report.file): \(grouped(report.tensors)) tensors, \(grouped(report.numbers)) numbers")
    for (key, value) in report.metadata.sorted(by: { $0.key < $1.key }) {
      print("  \(FileName.shown(key)): \(FileName.shown(value))")
    }
  }

  /// What is different where plain loops calculate: no product is fused with a sum, and no tile is used.
  private static let byReferenceMetadata = ["precision": "double", "fused multiply-add": "no", "tile": "none"]

  /// The names that select traces.
  private static func list(_ members: [TraceMember], isJSON: Bool) throws {
    let names = members.map { $0.name }
    if isJSON { try printJSON(["names": names]) } else { print(names.joined(separator: "\n")) }
  }

  /// Settings that determine the bits besides the code, and some that must not.
  static func metadata(seed: Int) -> [String: String] {
    [
      "frugal.trace": "1", "version": frugalVersion, "precision": GradientCheck.isDouble ? "double" : "single",
      "fused multiply-add": hasFusedMultiplyAdd ? "yes" : "no", "tile": "\(Tile.rows) × \(Tile.columns)",
      "seed": "\(seed)",
    ]
  }
}
