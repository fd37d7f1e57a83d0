import Methods

/// Flags of a file that have no place beside what was typed: what is typed comes first.
enum FlagConflicts {
  /// Whether typed flags exclude a flag of a file, all of whose values are given.
  static func excludes(_ typed: Arguments, _ flag: String, of file: [String: [String]]) -> Bool {
    if pairs.contains(where: { ($0 == flag && typed.has($1)) || ($1 == flag && typed.has($0)) }) { return true }
    let crop = typed.string("--crop")
    switch flag {
    case "--crop", "--smallest-crop": if typed.has("--shift") { return true }
    case "--shift": if crop == "random" { return true }
    default: break
    }
    if let need = needs[flag], !isMet(need, by: typed) { return true }
    return excludesHalf(typed, flag, of: file)
  }

  /// Pairs of flags that cannot be given together, whatever their values.
  private static let pairs: [(String, String)] =
    [("--epochs", "--max-steps"), ("--quiet", "--verbose")]
    + MethodList.options.compactMap { option in option.excludes.map { ("--\(option.name)", "--\($0)") } }

  /// What has to hold for a flag to mean something, by flag.
  private static let needs = RecipeFlags.needs.merging([
    "--unit-text": MethodFlags.textResidual, "--views": FlagNeed("--crop", "random"),
  ]) { $1 }

  /// False where what was typed is not what a flag needs.
  private static func isMet(_ need: FlagNeed, by typed: Arguments) -> Bool {
    let found = typed.string(need.flag) ?? typed.string(RecipeFlags.shared(need.flag))
    return found.map { need.words.contains($0) } ?? true
  }

  /// Whether typed flags of both halves exclude that of a head, or, where only a head is trained, the other way round.
  private static func excludesHalf(_ typed: Arguments, _ flag: String, of file: [String: [String]]) -> Bool {
    let (shared, twin) = (RecipeFlags.shared(flag), RecipeFlags.twin(of: flag))
    let name = (typed.string("--method") ?? file["--method"]?.first).flatMap { MethodName($0) }
    let trainsHeadOnly = name.map { !$0.encoder.isTrained } ?? false
    if RecipeFlags.ofHeads.contains(flag) {
      return typed.has(shared) && (trainsHeadOnly || !RecipeFlags.rates.contains(shared))
    }
    return trainsHeadOnly && RecipeFlags.ofHeads.contains(twin) && typed.has(twin)
  }
}
