import Foundation
import Processor
import Tensor

/// Writes a line immediately, also if the output is a file.
func show(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

Processor.requireInstructions(of: "Bench")
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") {
  show(usage)
  exit(0)
}
do {
  if arguments.first == "accuracy" {
    try AccuracyReport(Array(arguments.dropFirst())).run()
    exit(0)
  }
  let request = try Request(arguments)
  if request.isPeerWorker {
    PeerWorker(items: request.cases[0].items(images: request.images)).serve()
    exit(0)
  }
  if request.isTuning {
    Tuning(threads: request.threads[0], repeats: request.repeats).run()
    exit(0)
  }
  let earlier = try request.earlier.map { file in
    try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
  }
  if !request.isJSON { show("\(Parallel.cores) cores, \(Real.self), \(targetDescription)") }
  var rows: [Row] = []
  for name in request.cases {
    let items = request.items(of: name)
    if !request.isJSON && !items.isEmpty { show("\n\(name.rawValue)") }
    let rotation = Rotation(case: name, items: items, threads: request.threads, repeats: request.repeats)
    try rotation.run { row in
      rows.append(row)
      show(request.isJSON ? String(decoding: try JSONEncoder().encode(row), as: UTF8.self) : row.line)
    }
  }
  guard !rows.isEmpty else {
    throw Request.Mistake(description: "--items: expected a prefix of an item's name, found none")
  }
  if !request.isJSON { for line in gains(rows) { show(line) } }
  if let earlier { show(comparison(rows, with: earlier).joined(separator: "\n")) }
} catch {
  FileHandle.standardError.write(Data("Bench: \(error)\n".utf8))
  exit(2)
}
