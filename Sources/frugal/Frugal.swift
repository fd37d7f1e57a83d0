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
    StandardStreams.prepare()
    // The standard library reads them from the process file system.
    guard CommandLine.argc > 0 else {
      failure("frugal: expected the words of the command line in /proc/self/cmdline, found none: is /proc mounted?")
      exit(1)
    }
    // Names of files need not be UTF-8.
    let words = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { word in
        FileName.string(UnsafeRawBufferPointer(start: word, count: strlen(word)))
      }
    }
    explainTraps(in: (["frugal"] + words.prefix(1)).joined(separator: " "))
    ShortenedFile.explain()
    do {
      try run(words)
      try StandardStreams.finishOutput()
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
    } catch let error as ImageError where takesSkipping(words) {
      complain(RunError("\(error) (\(skipOption.flag) goes on without it)"), words)
      exit(1)
    } catch is Interrupted {
      exit(130)
    } catch {
      complain(error, words)
      exit(1)
    }
  }

  /// True for a command that can be told to go on without an image.
  private static func takesSkipping(_ words: [String]) -> Bool {
    let command = commands.first { $0.name == words.first }
    return !words.contains("--resume") && command?.options.contains { $0.flag == skipOption.flag } ?? false
  }

  static func run(_ words: [String]) throws {
    guard let word = words.first, word != "--help", word != "-h" else { return print(overview) }
    if word == "--version" || word == "-V" { return print("frugal \(frugalVersion)") }
    if word == "help" { return try help(Array(words.dropFirst())) }
    guard let command = commands.first(where: { $0.name == word }) else {
      let near = suggestion(for: word, among: commands.map { $0.name })
      throw UsageError("\(word): unknown command\(near); frugal --help lists them")
    }
    if words.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }) {
      return try help(words)
    }
    let options = command.options + commonOptions
    var arguments = try Arguments(words.dropFirst(), options: options)
    if let file = arguments.string("--config") {
      arguments = arguments.completed(by: try ConfigFile(file, options: options))
    }
    do { try run(command, arguments) } catch let error as UsageError {
      throw arguments.located(error)
    } catch let error as SettingError where arguments.fromFile.contains("--\(error.setting)") {
      throw arguments.located(UsageError(error))
    }
  }

  private static func run(_ command: any Command.Type, _ arguments: Arguments) throws {
    try setVerbosity(arguments)
    try setThreads(arguments)
    try setLimits(arguments)
    if command.calculates, !hasFusedMultiplyAdd {
      note("this build has no fused multiply-add: its last bits differ from those of builds that have it")
    }
    if command.operands.isEmpty { try arguments.requireNoOperands() }
    try command.requireFlags(arguments)
    let started = Date()
    defer {
      if Verbosity.current == .verbose {
        note("\(String(format: "%.1f", Date().timeIntervalSince(started))) seconds in all")
      }
    }
    if Verbosity.current == .verbose { note(Build.summary) }
    defer {
      reportRotatedPictures()
      reportIncompletePictures()
    }
    try command.run(arguments)
  }

  /// Prints the help of a command, or the list of commands.
  ///
  /// - Throws: `RunError` for an unknown command.
  private static func help(_ words: [String]) throws {
    guard let word = words.first else { return print(overview) }
    guard let command = commands.first(where: { $0.name == word }) else {
      let near = suggestion(for: word, among: commands.map { $0.name })
      throw RunError("help: expected a command, found \"\(word)\"\(near); frugal --help lists them")
    }
    // Of our own making, so that nothing needs to be escaped.
    Swift.print(HelpPage(command: command, words: words, columns: Terminal.columns(.output)).text)
  }

  private static func setVerbosity(_ arguments: Arguments) throws(UsageError) {
    guard !arguments.has("--quiet") || !arguments.has("--verbose") else {
      throw UsageError("--verbose", expected: "no --quiet with it", found: "both")
    }
    if arguments.has("--quiet") { Verbosity.current = .quiet }
    if arguments.has("--verbose") { Verbosity.current = .verbose }
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
    let shown = Verbosity.current == .verbose ? found.count : min(10, found.count)
    for (name, lack) in found.prefix(shown) { note("  \(name): \(lack)") }
    if found.count > shown { note("  … and \(found.count - shown) more (-v lists them)") }
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
    // On one line, as names in it may come from files.
    let text = TerminalText.line("\(error)")
    writeLine("\(Terminal.styled("\(name):", .error, on: .errors)) \(text)")
  }
}

/// A line on standard error, unless `-q` asks for none; what a terminal would obey is escaped, as parts of messages
/// come from files.
func note(_ text: String) {
  guard Verbosity.current != .quiet else { return }
  let text = TerminalText.escaped(text)
  let mark = "warning:"
  writeLine(
    text.hasPrefix(mark) ? Terminal.styled(mark, .warning, on: .errors) + String(text.dropFirst(mark.count)) : text)
}

/// A line on standard error about something that failed, which `-q` does not leave out.
func failure(_ text: String) { writeLine(TerminalText.escaped(text)) }

/// A line on standard error, as it is.
///
/// Where it cannot be written there is nobody to tell.
func writeLine(_ text: String, terminator: String = "\n") {
  try? FileHandle.standardError.write(contentsOf: Data("\(text)\(terminator)".utf8))
}

/// A line on standard output, escaped likewise. It stands before Swift's own, so that no output is forgotten.
func print(_ text: String) { Swift.print(TerminalText.escaped(text)) }
