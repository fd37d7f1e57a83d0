import Datasets
import Models
import Tensor

/// GPS by its name.
///
///     source    the authors' scripts on VTAB-1k, ViT-B/16, with the rate, batch and depth that most tasks have
///     expected  VTAB-1k, mean of the three groups: 77.5 %, the best epoch on test; users report much less
///     command   frugal tune --model VIT --data DATA --method gps --out RUN
struct NeuronSelectionMethod: EncoderMethod {
  let name = "gps"

  let card = MethodCard(
    "Zhang et al., Gradient-based Parameter Selection for Efficient Fine-Tuning", 2024,
    tunes: "the inputs of every neuron with the largest gradients, and all biases of maps",
    count: "167,424 (1 input per neuron)", defaults: "authors' scripts on VTAB-1k, ViT-B/16")

  var trainingProtocol: TrainingProtocol { .allImages }

  var equations: [String: String] {
    [
      "draw/choice": "GPS (c)", "draw/dropPath": "GPS (a)", "gradient/entries": "GPS (e)", "initial/entries": "GPS (e)",
      "rate": "GPS (f)", "value": "GPS (e)", "state": "GPS (e)",
    ]
  }

  let options = [
    MethodOption(
      "per-neuron", "K", .integer(1...65_536), "inputs of every neuron that are tuned (default 1)"
    ) { $0[NeuronSelectionSettings.self]?.neuronChoice.count = $1.integer },
    MethodOption(
      "selection-loss", "contrastive|cross-entropy", .choice(NeuronSelectionSettings.Loss.allCases.map(\.rawValue)),
      "loss whose gradients select: that of features, without a head, or that of training (default contrastive)"
    ) { $0[NeuronSelectionSettings.self]?.neuronChoice.loss = .init(rawValue: $1.word) ?? .contrastive },
    MethodOption(
      "selection-images", "N", .integer(1...100_000_000), "images that the gradients are summed over (default all)"
    ) { $0[NeuronSelectionSettings.self]?.neuronChoice.samples = $1.integer },
    MethodOption(
      "selection-batch", "N", .integer(1...65_536),
      "images of a batch there, with two views of each for the contrastive loss (default that of training)"
    ) { $0[NeuronSelectionSettings.self]?.neuronChoice.batchSize = $1.integer },
  ]

  /// Adam without decay at 2e-3, batches of 16, 100 epochs with a ramp of ten, and ten more at the end of the cosine
  /// (GPS (f)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-3)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.ramp, 10, 1e-7)
    (optimizer.minimumLearningRate, optimizer.recounts, optimizer.cooldownEpochs) = (1e-8, false, 10)
    var recipe = Recipe(epochs: 110, batchSize: 16, optimizer: optimizer)
    recipe[NeuronSelectionSettings.self] = NeuronSelectionSettings(.init())
    return recipe
  }

  func survey(_ recipe: Recipe) -> (images: Int, batch: Int)? {
    recipe[NeuronSelectionSettings.self].map {
      ($0.neuronChoice.samples ?? .max, $0.neuronChoice.batchSize ?? recipe.batchSize)
    }
  }

  func recipe(_ recipe: Recipe, surveying images: Int, batch: Int) -> Recipe {
    var recipe = recipe
    recipe[NeuronSelectionSettings.self]?.neuronChoice.samples = images
    recipe[NeuronSelectionSettings.self]?.neuronChoice.batchSize = batch
    return recipe
  }

  /// Gradients are summed over the images that are trained on, in random order, and select entries; biases are trained
  /// whole (GPS (d)).
  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let choice = setting.recipe[NeuronSelectionSettings.self]?.neuronChoice ?? .init()
    let choosing = try choosing.required(by: name)
    let selection = try selection(setting, choice, head, choosing)
    var chosen: [Site: SparseIndices] = [:]
    for (weight, own) in zip(selection.weights, selection.largest(choice.count)) {
      chosen[weight.site] = try choosing.draws?.entries(own, at: weight.site) ?? own
    }
    return SiteTuning(NeuronSelection.designs(of: setting.tower, chosen), seed: setting.seed)
  }

  private func selection(
    _ setting: MethodSetting, _ choice: NeuronSelectionSettings.Choice, _ head: any Head, _ choosing: ChoiceData
  ) throws -> NeuronSelection {
    let (set, own, recipe) = (choosing.training.images, choosing.training.loader, setting.recipe)
    let loader = choice.loss == .contrastive ? Self.viewLoader(own.preprocessing, seed: setting.seed) : own
    var stream = RandomStream(seed: setting.seed, purpose: .shuffle, step: Self.shuffleStep)
    let order = Array(stream.permutation(of: set.count).prefix(choice.samples ?? .max))
    var batches = order.batches(of: choice.batchSize ?? recipe.batchSize)
    // As in training: without a last batch that is not full.
    if batches.count > 1, recipe.keepsLastBatch != true, batches[0].count > batches[batches.count - 1].count {
      batches.removeLast()
    }
    var selection = NeuronSelection(
      of: setting.tower, seed: setting.seed, stochasticDepth: Real(recipe.stochasticDepth ?? 0))
    for (number, batch) in batches.enumerated() {
      let files = batch.map { (url: set.items[$0].url, number: $0) }
      let labels = batch.map { Int32(set.items[$0].label) }
      let first = try loader.loadAll(files, epoch: 0)
      let loss =
        choice.loss == .contrastive
        ? selection.add((first, try loader.loadAll(files, epoch: 1)), labels: labels)
        : selection.add(first, labels: labels, head: head)
      guard loss.isFinite else {
        throw RunError(
          "\(name): batch \(number + 1) of the selection: expected a finite loss, found \(loss): the model gives no "
            + "finite features for these images")
      }
      try choosing.progress(batch.endIndex, batches.last?.endIndex ?? order.count)
    }
    return selection
  }

  /// After the orders of all epochs.
  private static let shuffleStep = 1 << 24

  /// Views with crops of 8 % of an image or more.
  private static func viewLoader(_ preprocessing: Preprocessing, seed: UInt64) -> ImageLoader {
    let (height, width) = preprocessing.outputSize
    let crop = RandomResizedCrop(height: height, width: width, resample: preprocessing.resample)
    return ImageLoader(preprocessing: preprocessing, transform: .contrastive(ContrastiveView(crop: crop), seed: seed))
  }
}

extension RunDraws {
  /// The entries that are used: `draw/choice/SITE`, 1 for these and 0 for others.
  ///
  /// - Throws: `RunError` for other numbers.
  fileprivate func entries(_ own: SparseIndices, at site: Site) throws -> SparseIndices {
    var chosen = [Int](repeating: 0, count: own.shape.count)
    for position in own.positions { chosen[Int(position)] = 1 }
    let drawn = try integers("choice/\(site.name)", chosen, shape: own.shape, in: 0..<2)
    return SparseIndices(drawn.indices.filter { drawn[$0] == 1 }.map { Int32($0) }, in: own.shape)
  }
}

/// The settings of GPS in a recipe.
public struct NeuronSelectionSettings: MethodSettings {
  /// The choice of what is tuned.
  public var neuronChoice: Choice

  /// A choice.
  public init(_ neuronChoice: Choice) { self.neuronChoice = neuronChoice }

  /// The choice's own.
  public static let keys = ["neuronChoice"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    let own = neuronChoice
    if !(1...65_536 ~= own.count) { return "neuronChoice.count: expected 1 to 65536, found \(own.count)" }
    if let samples = own.samples, samples < 1 { return "neuronChoice.samples: expected 1 or more, found \(samples)" }
    if let size = own.batchSize, !(1...65_536 ~= size) {
      return "neuronChoice.batchSize: expected 1 to 65536, found \(size)"
    }
    return nil
  }

  /// The loss whose gradients select.
  public enum Loss: String, Sendable, Codable, CaseIterable {
    /// That of features without a head (GPS (b)).
    case contrastive
    /// That of training, with the head at its start.
    case crossEntropy = "cross-entropy"
  }

  /// Number of inputs, and the pass over images that selects them.
  public struct Choice: Sendable, Codable, Equatable {
    /// k, the inputs of every neuron that are tuned.
    public var count = 1
    /// The loss whose gradients select.
    public var loss = Loss.contrastive
    /// The images of the pass; `nil` for all.
    public var samples: Int?
    /// The images of a batch; `nil` for as many as in training.
    public var batchSize: Int?

    /// The published choice.
    public init() {}
  }
}
