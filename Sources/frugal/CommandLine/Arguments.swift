import Formats

/// The words of a command line, sorted into flags and operands and checked against what the command understands.
struct Arguments: Sendable {
  /// Words that belong to no flag.
  private(set) var operands: [String]
  private var values: [String: [String]]
  /// Flags that a file has given.
  private(set) var fromFile: Set<String> = []

  /// No words at all.
  static let none = Arguments()

  private init() { (operands, values) = ([], [:]) }

  /// Sorts the words after the command's name. `--flag value` and `--flag=value` mean the same; `--` ends the flags.
  init(_ words: some Sequence<String>, options: [Option]) throws(UsageError) {
    var (operands, values): ([String], [String: [String]]) = ([], [:])
    var words = Array(words)[...]
    while let word = words.popFirst() {
      if word == "--" {
        operands += words
        break
      }
      guard word.hasPrefix("-"), word.count > 1 else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let option = options.first(where: { $0.flag == parts[0] || $0.short == parts[0] }) else {
        throw UsageError("\(parts[0]): unknown flag\(suggestion(for: parts[0], among: options.map(\.flag)))")
      }
      if option.value == nil {
        guard parts.count == 1 else { throw UsageError(option.flag, expected: "no value", found: "\"\(parts[1])\"") }
        values[option.flag] = [""]
        continue
      }
      let value: String
      if parts.count == 2 {
        value = parts[1]
      } else if let next = words.first {
        // A forgotten value would otherwise swallow the flag after it. Values that look like flags are given after "=".
        guard !options.contains(where: { $0.flag == next }) else {
          throw UsageError(option.flag, expected: option.value ?? "", found: "the flag \(next)")
        }
        value = words.removeFirst()
      } else {
        throw UsageError(option.flag, expected: option.value ?? "", found: "the end of the command line")
      }
      guard option.isRepeatable || values[option.flag] == nil else {
        throw UsageError(option.flag, expected: "one value", found: "a second one, \"\(value)\"")
      }
      values[option.flag, default: []].append(value)
    }
    // Only what is read as an image may have a name in other bytes.
    for (flag, given) in values where !["--data", "--data-list"].contains(flag) {
      guard let odd = given.first(where: { FileName.text($0) != $0 }) else { continue }
      throw UsageError(flag, expected: "text in UTF-8", found: "\"\(FileName.shown(odd))\"")
    }
    (self.operands, self.values) = (operands, values)
  }

  /// The same with the flags of a file, where neither they were given themselves nor one that they do not go with.
  func completed(by file: ConfigFile) -> Arguments {
    let found = file.values.filter { flag, _ in !has(flag) && !FlagConflicts.excludes(self, flag, of: file.values) }
    var arguments = self
    arguments.fromFile = Set(found.keys)
    arguments.values.merge(found) { own, _ in own }
    return arguments
  }

  /// An error with the file and the key in place of each flag that a file has given: `own.json: lr: expected …`.
  ///
  /// A message about flags begins with them.
  func located(_ error: UsageError) -> UsageError {
    let text = error.description
    guard let end = text.firstRange(of: ": ")?.lowerBound, let file = string("--config") else { return error }
    let subjects = text[..<end].split(separator: ", ", omittingEmptySubsequences: false).map { flag in
      fromFile.contains(String(flag)) ? "\(FileName.shown(file)): \(flag.dropFirst(2))" : String(flag)
    }
    return UsageError(subjects.joined(separator: ", ") + text[end...])
  }

  /// The same with another value of a flag, and without some of the first operands.
  func setting(_ flag: String, to value: String, droppingOperands count: Int = 0) -> Arguments {
    var arguments = self
    arguments.values[flag] = [value]
    arguments.operands.removeFirst(count)
    return arguments
  }

  /// The same without some flags.
  func removing(_ flags: [String]) -> Arguments {
    var arguments = self
    for flag in flags { arguments.values[flag] = nil }
    return arguments
  }

  /// The words of the flags that were given, in the order of a table of flags, without some.
  func words(_ options: [Option], without skipped: Set<String> = []) -> [String] {
    options.filter { !skipped.contains($0.flag) }.flatMap { option in
      (values[option.flag] ?? []).flatMap { option.value == nil ? [option.flag] : [option.flag, $0] }
    }
  }

  /// Returns whether a flag was given.
  func has(_ flag: String) -> Bool { values[flag] != nil }

  /// The flags given.
  var flags: Set<String> { Set(values.keys) }

  /// The value of a flag.
  func string(_ flag: String) -> String? { values[flag]?.first }

  /// The values of a flag that may be given several times.
  func strings(_ flag: String) -> [String] { values[flag] ?? [] }

  /// The value of a required flag.
  func required(_ flag: String) throws(UsageError) -> String {
    guard let value = string(flag), !value.isEmpty else {
      throw UsageError("\(flag): missing required flag")
    }
    return value
  }

  /// A whole number within bounds.
  func integer(_ flag: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = string(flag) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        flag, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)", found: "\"\(text)\"")
    }
    return number
  }

  /// A whole number within bounds; `nil` if absent or the given word.
  func integer(_ flag: String, in range: ClosedRange<Int>, or word: String) throws(UsageError) -> Int? {
    string(flag) == word ? nil : try integer(flag, in: range)
  }

  /// A number within bounds.
  func number(_ flag: String, in range: ClosedRange<Double>) throws(UsageError) -> Double? {
    guard let text = string(flag) else { return nil }
    guard let number = Double(text), range.contains(number) else {
      throw UsageError(flag, expected: "a number from \(range.lowerBound) to \(range.upperBound)", found: "\"\(text)\"")
    }
    return number
  }

  /// One of a fixed set of words.
  func choice<Choice>(
    _ flag: String, of _: Choice.Type = Choice.self
  ) throws(UsageError) -> Choice? where Choice: RawRepresentable<String> & CaseIterable {
    guard let text = string(flag) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue)
    throw UsageError(
      "\(flag): expected \(known.joined(separator: ", ")), found \"\(text)\"\(suggestion(for: text, among: known))")
  }
}

/// ` (did you mean …?)` if there is a similar known word, else nothing.
func suggestion(for word: String, among known: [String]) -> String {
  // Words of files may be of any length; a distance takes the product of two.
  guard word.utf8.count <= 200 else { return "" }
  let most = max(2, word.count / 3)
  let nearest = known.lazy.filter { abs($0.utf8.count - word.utf8.count) <= 4 * most }
    .map { (word: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
  guard let nearest, !nearest.word.isEmpty, nearest.distance <= most else { return "" }
  return " (did you mean \(nearest.word)?)"
}

/// The fewest insertions, deletions and replacements that turn one word into another (Levenshtein 1966).
func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var previous = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var row = [i + 1]
    for j in b.indices {
      row.append(min(previous[j] + (letter == b[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1))
    }
    previous = row
  }
  return previous[b.count]
}
