import Datasets
import Formats
import Foundation
import Methods
import Processor
import Tensor

/// The entry point: finds the command, runs it, and turns errors into messages and exit codes.
@main
struct Frugal {
  static func main() {
    Processor.requireInstructions(of: "frugal")
    start()
  }

  /// Not inlined: its first instruction may be one that an older processor lacks.
  @inline(never)
  private static func start() {
    // Names of files need not be UTF-8.
    let words = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { word in
        FileName.string(UnsafeRawBufferPointer(start: word, count: strlen(word)))
      }
    }
    explainTraps(in: (["frugal"] + words.prefix(1)).joined(separator: " "))
    do {
      try run(words)
    } catch let error as UsageError {
      complain(error, words)
      exit(2)
    } catch let error as TraceError {
      complain(error, words)
      exit(2)
    } catch let error as SettingError {
      if let file = fileOfSettings(words, without: "--\(error.setting)") {
        complain(RunError("\(file): \(error)"), words)
        exit(1)
      }
      complain(UsageError(error), words)
      exit(2)
    } catch is Interrupted {
      exit(130)
    } catch {
      complain(error, words)
      exit(1)
    }
  }

  static func run(_ words: [String]) throws {
    guard let word = words.first, word != "--help", word != "-h", word != "help" else {
      print(overview)
      return
    }
    if word == "--version" {
      print("frugal \(frugalVersion)")
      return
    }
    guard let command = commands.first(where: { $0.name == word }) else {
      let near = suggestion(for: word, among: commands.map { $0.name })
      throw UsageError("\(word): unknown command\(near); frugal --help lists them")
    }
    if words.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }) {
      print(command.help(Array(words.dropFirst())))
      return
    }
    let arguments = try Arguments(words.dropFirst(), options: command.options + commonOptions)
    try setThreads(arguments)
    try setLimits(arguments)
    if command.calculates, !hasFusedMultiplyAdd {
      note("this build has no fused multiply-add: its last bits differ from those of builds that have it")
    }
    defer {
      reportRotatedPictures()
      reportIncompletePictures()
    }
    try command.run(arguments)
  }

  /// Says how many photos were rotated.
  private static func reportRotatedPictures() {
    let count = RotatedPictures.take()
    if count > 0 { note("note: \(plural(count, "photo")) \(count == 1 ? "was" : "were") rotated (EXIF)") }
  }

  /// Lists the pictures that were read although the files lack some of their data.
  private static func reportIncompletePictures() {
    let found = IncompletePictures.take()
    guard !found.isEmpty else { return }
    let files = found.count == 1 ? "the file lacks" : "the files lack"
    note("warning: \(plural(found.count, "image")) read without data that \(files):")
    for (name, lack) in found.prefix(10) { note("  \(name): \(lack)") }
    if found.count > 10 { note("  … and \(found.count - 10) more") }
  }

  /// The file whose settings hold where no flag was typed: that of a run that is resumed, or a delta.
  static func fileOfSettings(_ words: [String], without flag: String) -> String? {
    func value(_ flag: String) -> String? {
      if let word = words.first(where: { $0.hasPrefix("\(flag)=") }) { return String(word.dropFirst(flag.count + 1)) }
      return words.firstIndex(of: flag).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    }
    guard value(flag) == nil else { return nil }
    if let run = value("--resume") {
      return FileName.shown("\(run)/\(words.first == PretrainCommand.name ? "pretraining" : "config").json")
    }
    return value("--delta").map { FileName.shown($0) }
  }

  private static func setThreads(_ arguments: Arguments) throws(UsageError) {
    let range = 1...1024
    if let threads = try arguments.integer("--threads", in: range) {
      Parallel.threads = threads
    } else if let text = ProcessInfo.processInfo.environment["FRUGAL_THREADS"] {
      guard let threads = Int(text), range.contains(threads) else {
        throw UsageError("FRUGAL_THREADS", expected: "a whole number from 1 to 1024", found: "\"\(text)\"")
      }
      Parallel.threads = threads
    }
  }

  private static func setLimits(_ arguments: Arguments) throws(UsageError) {
    let range = 1...Int(Int32.max)
    if let pixels = try arguments.integer("--max-pixels", in: range) {
      Image.maximumPixels = pixels
    } else if let text = ProcessInfo.processInfo.environment["FRUGAL_MAX_PIXELS"] {
      guard let pixels = Int(text), range.contains(pixels) else {
        throw UsageError(
          "FRUGAL_MAX_PIXELS", expected: "a whole number from 1 to \(range.upperBound)", found: "\"\(text)\"")
      }
      Image.maximumPixels = pixels
    }
  }

  private static func complain(_ error: any Error, _ words: [String]) {
    let name =
      words.first.flatMap { word in commands.first { $0.name == word } }.map { "frugal \($0.name)" } ?? "frugal"
    note("\(name): \(error)")
  }
}

/// A line on standard error; what a terminal would obey is escaped, as parts of messages come from files.
func note(_ text: String) { FileHandle.standardError.write(Data("\(TerminalText.escaped(text))\n".utf8)) }

/// A line on standard output, escaped likewise. It stands before Swift's own, so that no output is forgotten.
func print(_ text: String) { Swift.print(TerminalText.escaped(text)) }
