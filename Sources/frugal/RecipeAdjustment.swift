import Methods

/// What flags change in a published recipe (`RecipeFlags`).
struct RecipeAdjustment {
  private let arguments: Arguments
  private let method: MethodName

  init(_ arguments: Arguments, _ method: MethodName) { (self.arguments, self.method) = (arguments, method) }

  private enum Crop: String, CaseIterable { case random, center }
  private enum LastBatch: String, CaseIterable { case keep, drop }
  private enum Recount: String, CaseIterable { case yes, no, rest }
  private enum ScheduleUnit: String, CaseIterable { case epochs, steps }

  /// Changes the recipe.
  ///
  /// - Throws: `UsageError` for a value that is none, and for a flag that would change nothing.
  func adjust(_ recipe: inout Recipe) throws {
    try adjustSteps(&recipe)
    try adjustImages(&recipe)
    try MethodFlags.apply(method.options, arguments, to: &recipe)
    recipe.encoder = try optimizer(recipe.encoder, of: recipe)
    recipe.head = try optimizer(recipe.head, of: recipe)
    try adjustRates(&recipe)
  }

  /// How many steps, of how many images.
  private func adjustSteps(_ recipe: inout Recipe) throws(UsageError) {
    let (epochs, steps) = try (
      arguments.integer("--epochs", in: 1...100_000), arguments.integer("--max-steps", in: 1...100_000_000)
    )
    let fromFile = ["--epochs", "--max-steps"].map(arguments.fromFile.contains)
    guard epochs == nil || steps == nil || fromFile[0] != fromFile[1] else {
      throw UsageError("--max-steps", expected: "no --epochs with it", found: "both")
    }
    // Of one in a file and one that was typed, the latter holds.
    if let epochs, steps == nil || fromFile[1] { (recipe.epochs, recipe.steps) = (epochs, nil) }
    if let steps, epochs == nil || fromFile[0] { recipe.steps = steps }
    if let loss = try arguments.number("--stop-loss", in: 0...1e6) { recipe.stopLoss = loss == 0 ? nil : loss }
    if let batch = try arguments.integer("--batch", in: 1...65_536, or: "all") { recipe.batchSize = batch }
    if arguments.string("--batch") == "all" { recipe.batchSize = Recipe.allImages }
    if let last = try arguments.choice("--last-batch", of: LastBatch.self) {
      recipe.keepsLastBatch = last == .keep ? true : recipe.keepsLastBatch.map { _ in false }
    }
  }

  /// How images are prepared, and what they pass.
  private func adjustImages(_ recipe: inout Recipe) throws(UsageError) {
    if arguments.has("--shift"), arguments.string("--crop") == Crop.random.rawValue {
      throw UsageError("--shift", expected: "no random crops with it", found: "--crop random")
    }
    if let crop = try arguments.choice("--crop", of: Crop.self) { recipe.augments = crop == .random }
    if let shift = try arguments.integer("--shift", in: 1...64) { (recipe.shift, recipe.augments) = (shift, false) }
    if let share = try arguments.number("--smallest-crop", in: 0.001...1) {
      guard recipe.augments else {
        throw UsageError("--smallest-crop", expected: "random crops with it", found: "none")
      }
      recipe.smallestCrop = share
    }
    if let share = try arguments.number("--stochastic-depth", in: 0...0.99) { recipe.stochasticDepth = share }
  }

  /// Learning rate and weight decay, which each half has of its own.
  private func adjustRates(_ recipe: inout Recipe) throws(UsageError) {
    for (flag, other) in [("--lr", "--head-lr"), ("--weight-decay", "--head-weight-decay")]
    where !method.encoder.isTrained && arguments.has(flag) && arguments.has(other) {
      throw UsageError(other, expected: "no \(flag) with it, as \(method) trains a head only", found: "both")
    }
    if let rate = try arguments.number("--lr", in: 0...1e3) {
      method.changeOptimizer(of: &recipe) { $0.learningRate = rate }
    }
    if let decay = try arguments.number("--weight-decay", in: 0...1e3) {
      method.changeOptimizer(of: &recipe) { $0.weightDecay = decay }
    }
    if let rate = try arguments.number("--head-lr", in: 0...1e3) { recipe.head.learningRate = rate }
    if let decay = try arguments.number("--head-weight-decay", in: 0...1e3) { recipe.head.weightDecay = decay }
  }

  private func optimizer(_ published: OptimizerRecipe, of recipe: Recipe) throws(UsageError) -> OptimizerRecipe {
    var optimizer = published
    if let kind = try arguments.choice("--optimizer", of: OptimizerRecipe.Kind.self) { optimizer.kind = kind }
    if let epsilon = try arguments.number("--epsilon", in: 1e-20...1) {
      guard optimizer.kind != .sgd else {
        throw UsageError("--epsilon", expected: "--optimizer adam, adamw or sparse-adam with it", found: "sgd")
      }
      optimizer.epsilon = epsilon == 1e-8 ? nil : epsilon
    }
    if let momentum = try arguments.number("--momentum", in: 0...0.9999) { optimizer.momentum = momentum }
    if arguments.has("--nesterov") { optimizer.nesterov = true }
    if let density = try arguments.number("--density", in: 1e-9...1) { optimizer.density = density }
    if let refresh = try arguments.integer("--refresh", in: 1...1_000_000) { optimizer.refresh = refresh }
    for flag in ["--density", "--refresh"] where optimizer.kind != .sparseAdam && arguments.has(flag) {
      throw UsageError(flag, expected: "--optimizer sparse-adam with it", found: optimizer.kind.rawValue)
    }
    guard optimizer.kind == .sgd || (!arguments.has("--momentum") && !arguments.has("--nesterov")) else {
      throw UsageError("--momentum, --nesterov", expected: "--optimizer sgd with them", found: optimizer.kind.rawValue)
    }
    guard !optimizer.nesterov || optimizer.momentum > 0 else {
      throw UsageError("--nesterov", expected: "a momentum above 0", found: "\(optimizer.momentum)")
    }
    try adjustSchedule(&optimizer, of: recipe)
    return optimizer
  }

  /// The course of the learning rate, and its warm-up.
  private func adjustSchedule(_ optimizer: inout OptimizerRecipe, of recipe: Recipe) throws(UsageError) {
    if let course = try arguments.choice("--schedule", of: Schedule.Course.self) { optimizer.course = course }
    if let unit = try arguments.choice("--schedule-unit", of: ScheduleUnit.self) {
      optimizer.isStepwise = unit == .steps ? true : nil
    }
    if let rate = try arguments.number("--min-lr", in: 0...1e3) {
      guard optimizer.course == .cosine else {
        throw UsageError("--min-lr", expected: "--schedule cosine with it", found: optimizer.course.rawValue)
      }
      optimizer.minimumLearningRate = rate > 0 ? rate : nil
    }
    if let warmup = try arguments.choice("--warmup", of: Schedule.Warmup.Kind.self) { optimizer.warmup = warmup }
    let length = optimizer.isStepwise == true ? recipe.steps : recipe.epochs
    if let count = try warmupLength(of: length) { optimizer.warmupEpochs = count }
    for flag in ["--warmup-epochs", "--warmup-lr", "--recount"] where optimizer.warmup == .none && arguments.has(flag) {
      throw UsageError(flag, expected: "--warmup constant, linear or ramp with it", found: "none")
    }
    if let rate = try arguments.number("--warmup-lr", in: 0...1e3) { optimizer.warmupLearningRate = rate }
    if let recount = try arguments.choice("--recount", of: Recount.self) {
      (optimizer.recounts, optimizer.spansRest) = (recount != .no, recount == .rest ? true : nil)
    }
    if let lag = try arguments.integer("--schedule-lag", in: 0...100_000) { optimizer.lag = lag == 0 ? nil : lag }
    if let count = try arguments.integer("--cooldown-epochs", in: 0...100_000) {
      optimizer.cooldownEpochs = count == 0 ? nil : count
    }
  }

  /// Epochs of the warm-up, or steps where the schedule counts those: their number, or their share of a whole in
  /// percent, to the nearest; the whole is `nil` where the number of steps follows from that of the images.
  private func warmupLength(of whole: Int?) throws(UsageError) -> Int? {
    let flag = "--warmup-epochs"
    guard let text = arguments.string(flag), text.last == "%" else {
      return try arguments.integer(flag, in: 0...100_000)
    }
    guard let percent = Int(text.dropLast()), (0...100).contains(percent) else {
      throw UsageError(flag, expected: "a number of epochs, or a share from 0% to 100%", found: "\"\(text)\"")
    }
    guard let whole else {
      throw UsageError(flag, expected: "a number, as the schedule counts steps of no fixed number", found: text)
    }
    return (percent * whole + 50) / 100
  }
}
