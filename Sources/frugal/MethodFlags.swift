import Methods

/// The flags of the methods' own settings, one per option of the library.
enum MethodFlags {
  /// The flags of all methods; each names those that read it.
  static let all: [Option] = flags(of: MethodList.options)

  /// The flags of some options, each once: both halves of a method may have the same one.
  static func flags(of options: [MethodOption]) -> [Option] {
    var seen: Set<String> = []
    return options.filter { seen.insert($0.name).inserted }.map(flag)
  }

  /// What `--unit-text` needs: the length of text features says nothing where nothing is added to them.
  static let textResidual = FlagNeed("--residual", "text", "both")

  private static func flag(_ option: MethodOption) -> Option {
    let help = "\(MethodList.readers(of: option.name).joined(separator: ", ")): \(option.help)"
    return option.valueName.isEmpty
      ? Option("--\(option.name)", help) : Option("--\(option.name)", option.valueName, help)
  }

  /// Refuses flags that the method would not read, and pairs that exclude each other.
  static func check(_ arguments: Arguments, _ method: MethodName) throws(UsageError) {
    for option in MethodList.options where arguments.has("--\(option.name)") {
      guard method.options.contains(where: { $0.name == option.name }) else {
        let readers = MethodList.readers(of: option.name)
        throw UsageError(
          "--\(option.name)", expected: "\(readers.joined(separator: ", ")) to read it", found: "--method \(method)")
      }
    }
    try checkExclusions(arguments, method)
    if arguments.has("--unit-text"), let form = arguments.string("--residual"), form == "image" {
      throw UsageError("--unit-text", expected: textResidual.expected, found: form)
    }
  }

  /// Refuses two flags that exclude each other.
  static func checkExclusions(_ arguments: Arguments, _ method: MethodName) throws(UsageError) {
    for option in method.options where arguments.has("--\(option.name)") {
      guard let other = option.excludes, arguments.has("--\(other)") else { continue }
      throw UsageError("--\(option.name)", expected: "no --\(other) with it", found: "both")
    }
  }

  /// Changes what the flags of the given options name; a list is left to the search that it asks for.
  ///
  /// - Throws: `SettingError` for a value that is none, and for a flag that the others leave without effect.
  static func apply(_ options: [MethodOption], _ arguments: Arguments, to recipe: inout Recipe) throws {
    for option in options where !option.isList {
      if let text = arguments.string("--\(option.name)") { try option.apply(text, to: &recipe) }
    }
    for option in options where arguments.has("--\(option.name)") { try option.checkEffect(in: recipe) }
  }

  /// The values of the method's list, ascending; none where its flag was not given.
  static func list(_ arguments: Arguments, _ method: MethodName) throws -> [Int] {
    guard let option = method.options.first(where: \.isList), let text = arguments.string("--\(option.name)") else {
      return []
    }
    return try option.integers(text)
  }
}
