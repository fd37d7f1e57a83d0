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

  /// A flag with a value.
  init(_ flag: String, _ value: String, isRepeatable: Bool = false, _ help: String) {
    (self.flag, self.value, self.isRepeatable, self.help) = (flag, value, isRepeatable, help)
  }

  /// A switch.
  init(_ flag: String, _ help: String) {
    (self.flag, value, isRepeatable, self.help) = (flag, nil, false, help)
  }
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
