import Formats
import Foundation
import Methods
import Tensor

/// The entry point: finds the command, runs it, and turns errors into messages and exit codes.
@main
struct Frugal {
  static func main() {
    // Names of files need not be UTF-8.
    let words = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { word in
        FileName.string(UnsafeRawBufferPointer(start: word, count: strlen(word)))
      }
    }
    do {
      try run(words)
    } catch let error as UsageError {
      complain(error, words)
      exit(2)
    } catch let error as TraceError {
      complain(error, words)
      exit(2)
    } catch let error as SettingError {
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
    if command.calculates, !hasFusedMultiplyAdd {
      note("this build has no fused multiply-add: its last bits differ from those of builds that have it")
    }
    defer { reportIncompletePictures() }
    try command.run(arguments)
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

  private static func complain(_ error: any Error, _ words: [String]) {
    let name =
      words.first.flatMap { word in commands.first { $0.name == word } }.map { "frugal \($0.name)" } ?? "frugal"
    note("\(name): \(error)")
  }
}

/// A line on standard error.
func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
