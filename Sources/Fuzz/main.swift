import Checks
import Foundation

/// Writes a line immediately, also if the output is a file.
func show(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// Calls `body` with an empty folder, in memory where there is such a file system.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let memory = URL(fileURLWithPath: "/dev/shm")
  let root = access(memory.path, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory
  let folder = root.appendingPathComponent("frugal-fuzz-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// A worker's whole life.
func work(_ request: Request) throws -> Worker.Verdict {
  Limits.guardMachine()
  let kind = request.kinds[0]
  return try withFolder { folder in
    let record = try Record(request.record ?? folder.appendingPathExtension("record"))
    defer { if request.record == nil { unlink(folder.path + ".record") } }
    let reading = try Reading(kind, in: folder)
    let worker = Worker(kind: kind, reading: reading, record: record, limits: Limits(seconds: request.limit))
    guard let file = request.file else {
      let end = Date(timeIntervalSinceNow: request.seconds ?? 1e9)
      return try worker.run(request.range ?? 0..<1, seed: request.seed, until: end)
    }
    let seeds = try Seed.all(of: kind)
    let seed = seeds.first { $0.identifier == request.origin } ?? seeds[0]
    return worker.check(Input(seed, Array(try Data(contentsOf: file))), base: ProcessMemory.peak)
  }
}

do {
  let arguments = Array(CommandLine.arguments.dropFirst())
  if arguments.contains("--help") {
    show(Request.usage)
    exit(0)
  }
  let request = try Request(arguments)
  if request.isWorker { exit(try work(request).rawValue) }
  if let options = request.guided { exit(try CoverageGuided.run(request.kinds[0], options)) }
  var isFailed = false
  for kind in request.kinds {
    if let index = request.only {
      let input = Input(kind, try Seed.all(of: kind), run: request.seed, index: index)
      let file = request.out.appendingPathComponent("\(kind.rawValue)-\(request.seed)-\(index)")
      try FileManager.default.createDirectory(at: request.out, withIntermediateDirectories: true)
      try Data(input.bytes).write(to: file)
      show("\(file.path): \(input.bytes.count) bytes of \(input.seed.name)")
      try withFolder { folder in
        do {
          try Reading(kind, in: folder).read(kind, input.seed, input.bytes)
          show("read")
        } catch { show("refused: \(error)") }
      }
      continue
    }
    let supervisor = Supervisor(kind: kind, seed: request.seed, out: request.out)
    let seconds = request.seconds ?? (request.runs == nil ? 60 : 1e9)
    let summary = try supervisor.run(0..<(request.runs ?? Int.max), seconds: seconds, report: show)
    show(summary.line)
    isFailed = isFailed || !summary.failures.isEmpty
  }
  exit(isFailed ? 1 : 0)
} catch {
  FileHandle.standardError.write(Data("Fuzz: \(error)\n".utf8))
  exit(2)
}
