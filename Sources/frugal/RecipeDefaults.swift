import Datasets
import Methods

/// The defaults that help prints, read from the recipes of the methods themselves.
struct RecipeDefaults {
  /// The methods that help speaks of.
  let methods: [MethodName]

  /// Those of every method that takes steps.
  static let all = RecipeDefaults(
    methods: MethodList.names.compactMap { MethodName($0) }.filter { !$0.head.isFitted })

  /// `default: linear 200 (100 by dataset or shots); others 100`, or `default 100` where all agree.
  func text(_ value: (Recipe) -> String) -> String {
    text(methods.map { (name: "\($0)", value: phrase($0, value)) })
  }

  /// The default of a setting that each half has of its own: the encoder's, or the head's where only that is trained.
  func optimizerText(_ value: (OptimizerRecipe) -> String) -> String {
    text(
      methods.map { method in
        (name: "\(method)", value: phrase(method) { value(method.encoder.isTrained ? $0.encoder : $0.head) })
      })
  }

  /// The default of a setting of the heads.
  func headText(_ value: (OptimizerRecipe) -> String) -> String {
    let own = methods.filter(\.head.isTrained)
    // A model without text gives any method a linear head.
    let trained = MethodList.heads.filter { $0.isTrained && !$0.isFitted }
    let heads = own.isEmpty ? trained.compactMap { MethodName($0.name) } : own
    return text(heads.map { method in (name: method.head.name, value: phrase(method) { value($0.head) }) })
  }

  /// The most common value last, without the names of its methods.
  private func text(_ found: [(name: String, value: String)]) -> String {
    var groups: [(value: String, names: [String])] = []
    for (name, value) in found {
      if let index = groups.firstIndex(where: { $0.value == value }) {
        groups[index].names.append(name)
      } else {
        groups.append((value, [name]))
      }
    }
    guard groups.count > 1 else { return "default \(groups.first?.value ?? "none")" }
    let largest = groups.map(\.names.count).max() ?? 0
    let last = largest > 2 ? groups.firstIndex { $0.names.count == largest } : nil
    var parts = groups.indices.filter { $0 != last }.map {
      "\(groups[$0].names.joined(separator: ", ")) \(groups[$0].value)"
    }
    if let last { parts.append("others \(groups[last].value)") }
    return "default: \(parts.joined(separator: "; "))"
  }

  /// The value on data of the usual kind, and any others that published settings have.
  private func phrase(_ method: MethodName, _ value: (Recipe) -> String) -> String {
    func found(_ benchmark: Benchmark?, _ shots: Int?) -> String {
      value(method.recipe(PublishedSetting(benchmark: benchmark, shots: shots, fidelity: .official)))
    }
    let usual = found(nil, method.trainingProtocol == .allImages ? nil : 16)
    let all = ([nil] + Benchmark.allCases.map(Optional.some)).flatMap { benchmark in
      [1, 4, 16, nil].map { found(benchmark, $0) }
    }
    let others = all.unique.filter { $0 != usual }
    return others.isEmpty ? usual : "\(usual) (\(others.joined(separator: ", ")) by dataset or shots)"
  }

  /// 8e-05 → "8e-5", 0.001 → "0.001", 0.0 → "0"
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)".replacing("e-0", with: "e-")
  }
}

/// The flags of a training recipe, with the defaults of some methods.
enum RecipeFlags {
  /// The flags that a head without steps reads too.
  static let withoutSteps: Set<String> = ["--crop"]

  static func all(_ defaults: RecipeDefaults) -> [Option] {
    let number = RecipeDefaults.number
    return [
      Option("--epochs", "N", "passes over the training images (\(defaults.text { "\($0.epochs)" }))"),
      Option("--batch", "N", "images per step (\(defaults.text { "\($0.batchSize)" }))"),
      Option(
        "--lr", "X",
        "peak learning rate of the encoder tuning, or of the head where only that is trained "
          + "(\(defaults.optimizerText { number($0.learningRate) }))"),
      Option(
        "--head-lr", "X",
        "peak learning rate of a head trained with the encoder (\(defaults.headText { number($0.learningRate) }))"),
      Option("--optimizer", "adam|adamw|sgd", "update rule (\(defaults.optimizerText { $0.kind.rawValue }))"),
      Option(
        "--weight-decay", "X",
        "weight decay of the encoder tuning, or of the head where only that is trained "
          + "(\(defaults.optimizerText { number($0.weightDecay) }))"),
      Option(
        "--head-weight-decay", "X",
        "weight decay of a head trained with the encoder (\(defaults.headText { number($0.weightDecay) }))"),
      Option("--momentum", "X", "momentum of sgd (\(defaults.optimizerText { number($0.momentum) }))"),
      Option("--nesterov", "Nesterov momentum with sgd"),
      Option(
        "--schedule", "cosine|constant",
        "learning-rate schedule over the epochs (\(defaults.optimizerText { $0.course.rawValue }))"),
      Option(
        "--schedule-lag", "N",
        "epochs by which the schedule lags, so that the first rate lasts longer "
          + "(\(defaults.optimizerText { "\($0.lag ?? 0)" }))"),
      Option(
        "--warmup", "none|constant|linear|ramp", "warm-up (\(defaults.optimizerText { $0.warmup.rawValue }))"),
      Option(
        "--warmup-epochs", "N|P%",
        "epochs of the warm-up, or their share of all epochs (\(defaults.optimizerText { "\($0.warmupEpochs)" }))"),
      Option(
        "--warmup-lr", "X",
        "rate of a constant warm-up, and of the first epoch of a linear one or a ramp "
          + "(\(defaults.optimizerText { number($0.warmupLearningRate) }))"),
      Option(
        "--recount", "yes|no|rest",
        "start the cosine after the warm-up instead of with it, for as many epochs as the run has or for the rest of it "
          + "(\(defaults.optimizerText { $0.recounts ? $0.spansRest == true ? "rest" : "yes" : "no" }))"),
      Option(
        "--crop", "random|center",
        "random crops and flips, or the test transform, whose features can be cached "
          + "(\(defaults.text { $0.augments ? "random" : "center" }))"),
      Option("--shift", "N", "the test transform with random shifts of up to N pixels, instead of crops and flips"),
      Option(
        "--stochastic-depth", "X",
        "share of samples that skip a residual branch of the last block "
          + "(\(defaults.text { number($0.stochasticDepth ?? 0) }))"),
    ]
  }
}
