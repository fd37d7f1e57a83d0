import Methods

/// A flag of a training recipe, and the value that a recipe has for it.
struct RecipeFlag {
  /// What of a recipe it sets.
  enum Scope {
    /// The recipe as a whole; `nil` for a setting that it does not have.
    case recipe((Recipe) -> String?)
    /// The optimisers of both halves, or of the one that is trained; with a rate or a decay that of the encoder.
    case optimizer((OptimizerRecipe) -> String)
    /// The optimiser of a head that is trained with the encoder.
    case head((OptimizerRecipe) -> String)
  }

  let flag, valueName, help: String
  let scope: Scope
  /// What has to hold for the flag to mean something; `nil` for one that always does.
  let need: FlagNeed?

  init(_ flag: String, _ valueName: String, _ help: String, needs need: FlagNeed? = nil, _ scope: Scope) {
    (self.flag, self.valueName, self.help, self.need, self.scope) = (flag, valueName, help, need, scope)
  }

  /// The same flag of a head that is trained with the encoder; `nil` for one of the recipe as a whole.
  var twin: RecipeFlag? {
    guard case .optimizer(let value) = scope else { return nil }
    let head = RecipeFlags.twin(of: flag)
    return RecipeFlag(
      head, valueName, "as \(flag), for a head that is trained with the encoder", needs: need?.ofHead, .head(value))
  }

  /// The flag with its default in the help.
  func option(_ defaults: RecipeDefaults) -> Option {
    let text =
      switch scope {
      case .recipe(let value): defaults.text { value($0) ?? "none" }
      case .optimizer(let value): defaults.optimizerText(value)
      case .head(let value): defaults.headText(value)
      }
    var option =
      valueName.isEmpty ? Option(flag, "\(help) (\(text))") : Option(flag, valueName, "\(help) (\(text))")
    if case .head = scope { option.isListed = RecipeFlags.rates.contains(RecipeFlags.shared(flag)) }
    return option
  }
}

/// What another flag has to be for one to mean something: `--optimizer sgd` for `--momentum`.
struct FlagNeed: Sendable {
  /// The other flag.
  let flag: String
  /// Its values with which the one means something, in the order of messages.
  let words: [String]

  init(_ flag: String, _ words: String...) { (self.flag, self.words) = (flag, words) }

  private init(flag: String, words: [String]) { (self.flag, self.words) = (flag, words) }

  /// The same of the flags of a head that is trained with the encoder.
  var ofHead: FlagNeed { FlagNeed(flag: RecipeFlags.twin(of: flag), words: words) }

  /// `--warmup constant, linear or ramp with it`
  var expected: String {
    let others = words.dropLast().joined(separator: ", ")
    return "\(flag) \(others)\(others.isEmpty ? "" : " or ")\(words.last ?? "") with it"
  }

  /// The value that an optimiser has for the other flag; `nil` for a flag of something else.
  func value(of optimizer: OptimizerRecipe) -> String? {
    switch RecipeFlags.shared(flag) {
    case "--optimizer": optimizer.kind.rawValue
    case "--schedule": optimizer.course.rawValue
    case "--warmup": optimizer.warmup.rawValue
    default: nil
    }
  }

  /// Whether the one means something in an optimiser.
  func isMet(by optimizer: OptimizerRecipe) -> Bool { value(of: optimizer).map { words.contains($0) } ?? true }

  /// The Adam rules.
  static let adam = FlagNeed("--optimizer", "adam", "adamw", "sparse-adam")
  /// Adam on a few entries of every matrix.
  static let sparseAdam = FlagNeed("--optimizer", "sparse-adam")
  /// SGD.
  static let sgd = FlagNeed("--optimizer", "sgd")
  /// A cosine.
  static let cosine = FlagNeed("--schedule", "cosine")
  /// Any warm-up.
  static let warmup = FlagNeed("--warmup", "constant", "linear", "ramp")
}
