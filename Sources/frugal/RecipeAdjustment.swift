import Methods

/// What flags change in a published recipe (`RecipeFlags`).
struct RecipeAdjustment {
  private let arguments: Arguments
  private let method: MethodName

  init(_ arguments: Arguments, _ method: MethodName) { (self.arguments, self.method) = (arguments, method) }

  private enum Crop: String, CaseIterable { case random, center }
  private enum LastBatch: String, CaseIterable { case keep, drop }

  /// Changes the recipe.
  ///
  /// - Throws: `UsageError` for a value that is none, and for a flag that would change nothing.
  func adjust(_ recipe: inout Recipe) throws {
    try adjustSteps(&recipe)
    try adjustImages(&recipe)
    try MethodFlags.apply(method.options, arguments, to: &recipe)
    try adjustOptimizers(&recipe)
  }

  /// How many steps, of how many images.
  private func adjustSteps(_ recipe: inout Recipe) throws(UsageError) {
    let (epochs, steps) = try (
      arguments.integer("--epochs", in: 1...100_000), arguments.integer("--max-steps", in: 1...100_000_000)
    )
    guard epochs == nil || steps == nil else {
      throw UsageError("--max-steps", expected: "no --epochs with it", found: "both")
    }
    if let epochs { (recipe.epochs, recipe.steps) = (epochs, nil) }
    if let steps { recipe.steps = steps }
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

  /// The optimisers of both halves.
  private func adjustOptimizers(_ recipe: inout Recipe) throws(UsageError) {
    for flag in RecipeFlags.ofOptimizers where !method.encoder.isTrained && arguments.has(flag) {
      let twin = RecipeFlags.twin(of: flag)
      guard !arguments.has(twin) else {
        throw UsageError(twin, expected: "no \(flag) with it, as \(method) trains a head only", found: "both")
      }
    }
    var (encoder, head) = (
      OptimizerAdjustment(arguments, method, isHead: false), OptimizerAdjustment(arguments, method, isHead: true)
    )
    recipe.encoder = try encoder.adjusted(recipe.encoder, of: recipe)
    recipe.head = try head.adjusted(recipe.head, of: recipe)
    for flag in RecipeFlags.ofOptimizers where !head.read.contains(flag) {
      if let error = encoder.unread[flag] { throw error }
    }
  }
}
