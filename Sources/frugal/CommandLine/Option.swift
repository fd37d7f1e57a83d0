import Methods

/// A flag of a command.
struct Option: Sendable {
  /// With its dashes: `--shots`.
  let flag: String
  /// The name of its value in the help; `nil` for a switch.
  let value: String?
  /// True if it may be repeated.
  let isRepeatable: Bool
  /// One line of help, with the default.
  let help: String
  /// A letter with the same meaning: `-q`.
  var short: String?
  /// False for one that help names in one line with others of its kind.
  var isListed = true

  /// A flag with a value.
  init(_ flag: String, _ value: String, isRepeatable: Bool = false, _ help: String) {
    (self.flag, self.value, self.isRepeatable, self.help) = (flag, value, isRepeatable, help)
  }

  /// A switch.
  init(_ flag: String, short: String? = nil, _ help: String) {
    (self.flag, value, isRepeatable, self.help, self.short) = (flag, nil, false, help, short)
  }

  /// As help shows it: `-q, --quiet`, `--shots N|all`.
  var shown: String { (short.map { "\($0), " } ?? "") + flag + (value.map { " \($0)" } ?? "") }
}

/// A command line that cannot be understood: exit code 2.
struct UsageError: Error, CustomStringConvertible, Equatable {
  let description: String

  init(_ description: String) { self.description = description }

  /// A flag with a value it does not accept.
  init(_ flag: String, expected: String, found: String) {
    description = "\(flag): expected \(expected), found \(found)"
  }

  /// A setting that a run cannot have, as the flag of that name.
  init(_ error: SettingError) {
    let near =
      error.found.hasPrefix("\"") ? suggestion(for: String(error.found.dropFirst().dropLast()), among: error.known) : ""
    description = "--\(error.setting): expected \(error.expected), found \(error.found)\(near)"
  }
}

extension Option {
  /// True if its value can be a number, as `N`, `X` and `N|all` say.
  var isNumeric: Bool {
    let numbers: Set<Substring> = ["N", "X", "K", "N[,N…]"]
    return (value ?? "").split(separator: "|").contains { numbers.contains($0) }
  }

  /// The words its value can be, where these are few: `adam|adamw|sgd`, the methods, the published datasets.
  var choices: [String] {
    switch (flag, value) {
    case ("--method", _): return MethodList.names
    case ("--dataset", _): return Benchmark.allCases.map(\.rawValue)
    default: break
    }
    let words = (value ?? "").split(separator: "|").map(String.init)
    // `N|all` and `A,B,…|FILE` name values of other kinds too; what can be completed is the rest.
    return words.count < 2 ? [] : words.filter { $0.allSatisfy { !$0.isUppercase && $0 != "," && $0 != "…" } }
  }
}
