import Methods

/// What flags change in the optimiser of one half of a method (`RecipeFlags`).
///
/// A flag of a head that is trained with the encoder comes before the flag of both halves, which the other half still
/// reads. A flag of both halves means something if it does in one of them.
struct OptimizerAdjustment {
  /// The flags of both halves that were read.
  private(set) var read: Set<String> = []
  /// The flags of both halves that mean nothing in this one, with the reasons.
  private(set) var unread: [String: UsageError] = [:]
  private let arguments: Arguments
  /// Whether flags of a head are read, and whether a rate and a decay that name no half are.
  private let readsHead, readsRates: Bool

  private enum Recount: String, CaseIterable { case yes, no, rest }
  private enum ScheduleUnit: String, CaseIterable { case epochs, steps }

  /// The flags of a half; a method that trains a head only has its optimiser in both.
  init(_ arguments: Arguments, _ method: MethodName, isHead: Bool) {
    self.arguments = arguments
    (readsHead, readsRates) = (isHead || !method.encoder.isTrained, !isHead || !method.encoder.isTrained)
  }

  /// The optimiser with what the flags change.
  ///
  /// - recipe: has epochs and steps already.
  /// - Throws: `UsageError` for a value that is none, and for a flag of a head that would change nothing.
  mutating func adjusted(_ published: OptimizerRecipe, of recipe: Recipe) throws(UsageError) -> OptimizerRecipe {
    var optimizer = published
    // What the other flags need comes first.
    if let kind = try choice("--optimizer", of: OptimizerRecipe.Kind.self, optimizer) { optimizer.kind = kind }
    if let course = try choice("--schedule", of: Schedule.Course.self, optimizer) { optimizer.course = course }
    if let warmup = try choice("--warmup", of: Schedule.Warmup.Kind.self, optimizer) { optimizer.warmup = warmup }
    try adjustRule(&optimizer)
    try adjustSchedule(&optimizer, of: recipe)
    return optimizer
  }

  private mutating func adjustRule(_ optimizer: inout OptimizerRecipe) throws(UsageError) {
    if let rate = try number("--lr", in: 0...1e3, optimizer) { optimizer.learningRate = rate }
    if let decay = try number("--weight-decay", in: 0...1e3, optimizer) { optimizer.weightDecay = decay }
    // What is as usual stays out of a run's settings, as in runs that could not have anything else.
    if let epsilon = try number("--epsilon", in: 1e-20...1, optimizer) {
      optimizer.epsilon = epsilon == 1e-8 ? nil : epsilon
    }
    let usual = OptimizerRecipe.usualBetas
    if let beta = try number("--beta1", in: 0...0.999999, optimizer) {
      optimizer.beta1 = beta == usual.first ? nil : beta
    }
    if let beta = try number("--beta2", in: 0...0.999999, optimizer) {
      optimizer.beta2 = beta == usual.second ? nil : beta
    }
    if let momentum = try number("--momentum", in: 0...0.9999, optimizer) { optimizer.momentum = momentum }
    let nesterov = flag("--nesterov")
    if let nesterov, try holds(nesterov, optimizer) { optimizer.nesterov = true }
    // A published value may be stated or left out.
    if let density = try number("--density", in: 1e-9...1, optimizer),
      density != optimizer.density ?? OptimizerRecipe.usualDensity
    {
      optimizer.density = density
    }
    if let refresh = try integer("--refresh", in: 1...1_000_000, optimizer),
      refresh != optimizer.refresh ?? OptimizerRecipe.usualRefresh
    {
      optimizer.refresh = refresh
    }
    guard !optimizer.nesterov || optimizer.momentum > 0 else {
      throw UsageError(
        nesterov ?? "--nesterov", expected: "a momentum above 0", found: "\(optimizer.momentum)")
    }
  }

  /// The course of the learning rate, and its warm-up.
  private mutating func adjustSchedule(
    _ optimizer: inout OptimizerRecipe, of recipe: Recipe
  ) throws(UsageError) {
    if let unit = try choice("--schedule-unit", of: ScheduleUnit.self, optimizer) {
      optimizer.isStepwise = unit == .steps ? true : nil
    }
    if let rate = try number("--min-lr", in: 0...1e3, optimizer) {
      optimizer.minimumLearningRate = rate > 0 ? rate : nil
    }
    let length = optimizer.isStepwise == true ? recipe.steps : recipe.epochs
    if let count = try warmupLength(of: length, optimizer) { optimizer.warmupEpochs = count }
    if let rate = try number("--warmup-lr", in: 0...1e3, optimizer) { optimizer.warmupLearningRate = rate }
    if let recount = try choice("--recount", of: Recount.self, optimizer) {
      (optimizer.recounts, optimizer.spansRest) = (recount != .no, recount == .rest ? true : nil)
    }
    if let lag = try integer("--schedule-lag", in: 0...100_000, optimizer) { optimizer.lag = lag == 0 ? nil : lag }
    if let count = try integer("--cooldown-epochs", in: 0...100_000, optimizer) {
      optimizer.cooldownEpochs = count == 0 ? nil : count
    }
  }

  /// Epochs of the warm-up, or steps where the schedule counts those: their number, or their share of a whole in
  /// percent, to the nearest; the whole is `nil` where the number of steps follows from that of the images.
  private mutating func warmupLength(
    of whole: Int?, _ optimizer: OptimizerRecipe
  ) throws(UsageError) -> Int? {
    guard let name = flag("--warmup-epochs") else { return nil }
    let count: Int?
    if let text = arguments.string(name), text.last == "%" {
      guard let percent = Int(text.dropLast()), (0...100).contains(percent) else {
        throw UsageError(name, expected: "a number of epochs, or a share from 0% to 100%", found: "\"\(text)\"")
      }
      guard let whole else {
        throw UsageError(name, expected: "a number, as the schedule counts steps of no fixed number", found: text)
      }
      count = (percent * whole + 50) / 100
    } else {
      count = try arguments.integer(name, in: 0...100_000)
    }
    return try holds(name, optimizer) ? count : nil
  }

  /// The flag of this half that was given: that of a head, else that of both.
  private func flag(_ shared: String) -> String? {
    let twin = RecipeFlags.twin(of: shared)
    if readsHead, arguments.has(twin) { return twin }
    return arguments.has(shared) && (readsRates || !RecipeFlags.rates.contains(shared)) ? shared : nil
  }

  /// Whether a flag that was given means something with this optimiser.
  private mutating func holds(_ name: String, _ optimizer: OptimizerRecipe) throws(UsageError) -> Bool {
    let isShared = RecipeFlags.shared(name) == name
    if let need = RecipeFlags.needs[name], let found = need.value(of: optimizer), !need.isMet(by: optimizer) {
      let error = UsageError(name, expected: need.expected, found: found)
      guard isShared else { throw error }
      unread[name] = error
      return false
    }
    if isShared { read.insert(name) }
    return true
  }

  private mutating func number(
    _ shared: String, in range: ClosedRange<Double>, _ optimizer: OptimizerRecipe
  ) throws(UsageError) -> Double? {
    guard let name = flag(shared), let value = try arguments.number(name, in: range) else { return nil }
    return try holds(name, optimizer) ? value : nil
  }

  private mutating func integer(
    _ shared: String, in range: ClosedRange<Int>, _ optimizer: OptimizerRecipe
  ) throws(UsageError) -> Int? {
    guard let name = flag(shared), let value = try arguments.integer(name, in: range) else { return nil }
    return try holds(name, optimizer) ? value : nil
  }

  private mutating func choice<Choice>(
    _ shared: String, of _: Choice.Type, _ optimizer: OptimizerRecipe
  ) throws(UsageError) -> Choice? where Choice: RawRepresentable<String> & CaseIterable {
    guard let name = flag(shared), let value = try arguments.choice(name, of: Choice.self) else { return nil }
    return try holds(name, optimizer) ? value : nil
  }
}
