import Checks
import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal trace --model`: the first steps of a training of one's own, by the settings of `frugal tune`.
struct TracedTraining {
  /// The flags of `frugal tune` that have a meaning here, and those of a trace.
  static let options: [Option] =
    TuneCommand.options.filter { !skipped.contains($0.flag) }
    + [
      Option("--batch", "N|FILE", "images per step, or one batch for every step: images and labels as safetensors"),
      Option("--draws", "FILE", "trace whose random draws, initial values and images are used"),
      Option("--only", "PATTERN", isRepeatable: true, "names to write, * standing for any text; repeatable"),
      Option("--float64", "calculate in double precision, by the plain loops of the papers where the build is single"),
    ]

  private static let skipped: Set<String> = [
    "--out", "--seed", "--resume", "--select", "--train-on", "--force", "--dry-run", "--json", "--batch",
  ]

  /// The flags that only a training of one's own reads.
  static func flags(_ arguments: Arguments) -> [String] {
    options.map(\.flag).filter { $0 != "--model" && arguments.has($0) }
  }

  let name: MethodName
  /// What determines the bits besides the code.
  let metadata: [String: String]
  private let method: Method
  private let recipe: Recipe
  private let stepsPerEpoch: Int
  private let take: (_ steps: Int, TraceRecorder) throws -> Void

  /// Whether `Reference` calculates, as double precision is asked for and the build has single.
  static func isByReference(_ arguments: Arguments) -> Bool { arguments.has("--float64") && !GradientCheck.isDouble }

  /// Takes steps, which a recorder sees.
  func record(_ steps: Int, _ recorder: TraceRecorder, byReference: Bool) throws {
    // Refused before the steps are taken.
    var double = byReference ? try DoubleTraining(method, recipe) : nil
    try take(steps, recorder)
    guard byReference else { return try recorder.checkPatterns() }
    let state = TrainingState(startOf: method, recipe, stepsPerEpoch: stepsPerEpoch, seed: 1)
    recorder.replacing { number, shown in
      guard number > 0 else {
        double?.start(from: shown)
        return [:]
      }
      let rates = state.rates(epoch: (number - 1) / stepsPerEpoch, step: number - 1)
      return double?.step(shown, rates: Dictionary(uniqueKeysWithValues: rates)) ?? [:]
    }
    try recorder.checkPatterns()
  }

  /// - recorder: of the draws that are made before the first step.
  /// - Throws: for flags, a model, data or a batch that do not fit; the same errors as `frugal tune`.
  init(_ arguments: Arguments, _ recorder: TraceRecorder) throws {
    let path = arguments.string("--batch").flatMap { Int($0) == nil ? $0 : nil }
    var named = arguments.setting("--out", to: arguments.string("--out") ?? "trace")
    if let path {
      for flag in ["--data", "--data-list", "--shots", "--split"] where arguments.has(flag) {
        throw UsageError(flag, expected: "no file for --batch with it", found: path)
      }
      named = named.removing(["--batch"]).setting("--data", to: path)
    }
    let request = try TuneFlags.request(named)
    guard request.budgets.count < 2 else {
      throw UsageError("--budget", expected: "one budget", found: "\(request.budgets.count)")
    }
    self = try path.map { try Self(batch: $0, request) } ?? Self(request, recorder)
  }

  private init(
    _ name: MethodName, _ sha256: String, _ method: Method, _ recipe: Recipe, stepsPerEpoch: Int,
    take: @escaping (Int, TraceRecorder) throws -> Void
  ) {
    (self.name, self.method, self.recipe, self.stepsPerEpoch) = (name, method, recipe, stepsPerEpoch)
    self.take = take
    metadata = ["method": "\(name)", "model": sha256]
  }

  /// The steps of a run.
  private init(_ request: RunRequest, _ recorder: TraceRecorder) throws {
    let draws = RunDraws { name, own in
      let drawn = recorder.drawn(name, own)
      try recorder.check()
      return drawn
    }
    let run = try namingSplitFlag { try Run(request, in: RunFolder(at: "trace"), draws) }
    for text in run.notes { note(text) }
    try Self.requireSteps(run.name)
    let method = try run.method(textFeatures: try run.textFeatures(), draws)
    let source = try TrainingSource(run.images, for: method, run.loader)
    let trainer = try run.trainer(method, on: source)
    self.init(
      run.name, run.pretrained.sha256, method, run.configuration.recipe, stepsPerEpoch: trainer.stepsPerEpoch
    ) { steps, recorder in
      try trainer.trace(steps: steps, recorder.observer, check: recorder.check)
    }
  }

  /// Steps on one batch.
  private init(batch path: String, _ request: RunRequest) throws {
    let batch = try TraceBatch(path)
    let classes = batch.text?.shape[0] ?? batch.classes
    let pretrained = try Pretrained.model(
      at: request.model, cleaning: request.cleaning, classes: classes,
      ImageRequest(normalization: request.normalization, resizing: request.resizing, exif: request.exif ?? .rotate),
      request.hints)
    let named = try Run.method(request.method)
    let name = pretrained.clip == nil ? named.withoutText : named
    try Self.requireSteps(name)
    try batch.check(for: name, pretrained)
    var recipe = name.recipe(PublishedSetting(benchmark: request.benchmark, shots: nil, fidelity: request.fidelity))
    if let budget = request.budgets.first { recipe = name.encoder.recipe(recipe, budget: budget) }
    try request.adjust(&recipe)
    if !name.head.isTrained { recipe.head = recipe.encoder }
    recipe = try name.encoder.completed(recipe, budgets: request.budgets, on: pretrained)
    try name.check(recipe)
    try name.encoder.check(pretrained.tower, recipe, request.fidelity)
    let seed = UInt64(request.seed ?? 1)
    var setting = MethodSetting(
      tower: pretrained.tower, text: nil, classes: classes, recipe: recipe, fidelity: request.fidelity,
      seed: seed)
    if let text = batch.text, let clip = pretrained.clip { setting.text = (text, clip.model.logitScale) }
    if name.head.needsExamples {
      setting.examples = HeadExamples(
        features: pretrained.tower(Variable(batch.images), Pass()).value, labels: batch.labels)
    }
    let method = try Method(name, setting)
    self.init(name, pretrained.sha256, method, recipe, stepsPerEpoch: 1) { [recipe] steps, recorder in
      guard steps <= recipe.epochs else {
        throw SettingError("steps", expected: "at most \(recipe.epochs) steps, one per epoch", found: "\(steps)")
      }
      let observer = recorder.observer
      var state = TrainingState(startOf: method, recipe, seed: seed, observer)
      try recorder.check()
      for step in 0..<steps {
        let input = observer.below("step \(step + 1)").shown(.images(batch.images), labels: batch.labels)
        state.step(method, input, labels: batch.labels, seed: seed, epoch: step, observer)
        try recorder.check()
      }
    }
  }

  /// Refuses a method whose head is fitted, or made of features, without steps.
  private static func requireSteps(_ name: MethodName) throws(UsageError) {
    guard name.head.isFitted else { return }
    throw UsageError("--method", expected: "a method that is trained step by step", found: "\(name)")
  }
}

/// A batch in a file: `images` [n, 3, height, width] as the model sees them, `labels` [n], and `text` [classes,
/// embedding], the text features of the classes, for a method that needs them.
struct TraceBatch {
  let images: Tensor
  let labels: [Int32]
  let text: Tensor?
  private let file: String

  /// The number of classes that the labels need.
  var classes: Int { Int(labels.max() ?? 0) + 1 }

  /// - Throws: `WeightFileError` and `FileError` for a file that holds no batch.
  init(_ path: String) throws {
    let file = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: path))
    self.file = file.file
    images = try file.tensor("images")
    text = file.contains("text") ? try file.tensor("text") : nil
    let labels = try file.integers("labels")
    guard images.shape.rank == 4, images.shape[0] > 0, images.shape[1] == 3 else {
      throw FileError(file: file.file, expected: "images of shape [n, 3, height, width]", found: "\(images.shape)")
    }
    guard labels.count == images.shape[0], try file.entry("labels").shape.rank == 1 else {
      throw FileError(
        file: file.file, expected: "\(images.shape[0]) labels", found: "\(try file.entry("labels").shape)")
    }
    guard text.map({ $0.shape.rank == 2 && $0.shape[0] > 0 }) ?? true else {
      throw FileError(file: file.file, expected: "text of shape [classes, embedding]", found: "\(text?.shape ?? [])")
    }
    let limit = text?.shape[0] ?? 1 << 16
    guard let odd = labels.first(where: { !(0..<Int64(limit)).contains($0) }) else {
      self.labels = labels.map { Int32($0) }
      guard (images.values + (text?.values ?? [])).allSatisfy(\.isFinite) else {
        throw FileError(file: file.file, expected: "finite numbers", found: "others")
      }
      return
    }
    throw FileError(file: file.file, expected: "labels from 0 to \(limit - 1)", found: "\(odd)")
  }

  /// Refuses images or texts of another model, and a method for which texts are missing.
  func check(for name: MethodName, _ model: any PretrainedModel) throws {
    let (height, width) = model.preprocessing.outputSize
    guard images.shape[2] == height, images.shape[3] == width else {
      throw FileError(
        file: file, expected: "images of \(height) × \(width) pixels, as the model has them",
        found: "\(images.shape[2]) × \(images.shape[3])")
    }
    guard name.head.needsText else { return }
    guard let clip = model.clip else {
      throw RunError("\(name): expected a model with a text encoder, found one without")
    }
    let embedding = clip.model.configuration.embedding
    guard text?.shape[1] == embedding else {
      throw FileError(
        file: file, expected: "text of shape [classes, \(embedding)], which \(name) needs",
        found: text.map { "\($0.shape)" } ?? "none")
    }
  }
}
