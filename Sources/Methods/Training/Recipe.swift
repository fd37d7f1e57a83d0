/// Every number that a run depends on besides model, data and seed.
public struct Recipe: Sendable, Equatable {
  /// Passes over the training images.
  public var epochs: Int
  /// Images per step; the last, smaller batch of an epoch is dropped if there is a full one, unless `keepsLastBatch`.
  public var batchSize: Int
  /// Optimisation of the encoder's tensors.
  public var encoder: OptimizerRecipe
  /// Optimisation of the head's tensors.
  public var head: OptimizerRecipe
  /// Whether images are cropped and flipped at random; if not, they are prepared as for evaluation.
  public var augments: Bool
  /// The smallest share of an image's area that a random crop keeps.
  public var smallestCrop: Double
  // Settings that runs of the first versions lack are `nil` there: absent from their `config.json` and from what their
  // fingerprint.

  /// The largest random shift in pixels of images that are not cropped and flipped; `nil` for none.
  public var shift: Int?
  /// True if the last, smaller batch of an epoch is also a step; `nil` for no.
  public var keepsLastBatch: Bool?
  /// The probability that a sample skips a residual branch of the last block, ascending from 0 in proportion to the
  /// depth; `nil` for 0.
  public var stochasticDepth: Double?
  /// The number of passes over the training images, each with crops of its own, of whose features a head is made;
  /// `nil` for 1.
  public var views: Int?
  /// Steps of the run, whose last epoch may end with them; `nil` for those of its epochs.
  public var steps: Int?
  /// The share of the steps that train the encoder alone, before the others train the head alone on the result; `nil`
  /// where every step trains both.
  public var encoderShare: Double?
  /// The mean training loss of an epoch below which the run ends with it; `nil` for none.
  public var stopLoss: Double?
  /// The batch size of steps on all images at once.
  package static let allImages = 1_000_000

  /// The settings of the method's halves.
  private var own: [any MethodSettings] = []

  /// A recipe without settings of a method.
  public init(
    epochs: Int, batchSize: Int, optimizer: OptimizerRecipe, augments: Bool = false, smallestCrop: Double = 0.08
  ) {
    (self.epochs, self.batchSize, encoder, head) = (epochs, batchSize, optimizer, optimizer)
    (self.augments, self.smallestCrop) = (augments, smallestCrop)
  }

  /// The steps of an epoch, as `batchSize` has it.
  func stepsPerEpoch(images: Int) -> Int {
    let (full, rest) = images.quotientAndRemainder(dividingBy: batchSize)
    return full + (rest > 0 && (full == 0 || keepsLastBatch == true) ? 1 : 0)
  }

  /// The steps of a run whose epochs have as many.
  func totalSteps(stepsPerEpoch: Int) -> Int { min(steps ?? .max, epochs * stepsPerEpoch) }

  /// The steps of the encoder alone, ⌊share · steps⌋ of all; `nil` where every step trains both halves.
  func encoderSteps(of steps: Int) -> Int? { encoderShare.map { Int($0 * Double(steps)) } }

  /// The epochs that `steps` take.
  func epochs(images: Int) -> Int {
    let each = max(1, stepsPerEpoch(images: images))
    return steps.map { ($0 + each - 1) / each } ?? epochs
  }

  /// The settings of one method; `nil` where the recipe is that of others.
  public subscript<Settings: MethodSettings>(_: Settings.Type) -> Settings? {
    get { own.lazy.compactMap { $0 as? Settings }.first }
    set {
      own.removeAll { $0 is Settings }
      if let newValue { own.append(newValue) }
    }
  }

  /// Takes over the optimiser of a head and the settings that belong to it.
  mutating func adoptHead(of recipe: Recipe) {
    (head, views) = (recipe.head, recipe.views ?? views)
    own += recipe.own
  }

  /// Whether two recipes have the same values.
  public static func == (a: Recipe, b: Recipe) -> Bool {
    (a.epochs, a.batchSize, a.encoder, a.head) == (b.epochs, b.batchSize, b.encoder, b.head)
      && (a.augments, a.smallestCrop, a.shift) == (b.augments, b.smallestCrop, b.shift)
      && (a.keepsLastBatch, a.stochasticDepth, a.views, a.steps, a.encoderShare)
        == (b.keepsLastBatch, b.stochasticDepth, b.views, b.steps, b.encoderShare)
      && a.stopLoss == b.stopLoss
      && a.own.count == b.own.count
      && a.own.allSatisfy { settings in b.own.contains { settings.isEqual(to: $0) } }
  }

  /// A value that no run can have: key, expected and found.
  var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "recipe.\(key): expected \(expected), found \(found)"
    }
    if epochs < 1 || epochs > 1_000_000 { return wrong("epochs", "1 to 1000000", epochs) }
    if batchSize < 1 || batchSize > Self.allImages { return wrong("batchSize", "1 to 1000000", batchSize) }
    if !(smallestCrop > 0 && smallestCrop <= 1) { return wrong("smallestCrop", "above 0, at most 1", smallestCrop) }
    if let shift, !(1...64).contains(shift) { return wrong("shift", "1 to 64", shift) }
    if shift != nil, augments { return wrong("shift", "none where images are cropped and flipped", shift ?? 0) }
    if let stochasticDepth, !(0...1).contains(stochasticDepth) {
      return wrong("stochasticDepth", "0 to 1", stochasticDepth)
    }
    if let steps, !(1...100_000_000).contains(steps) { return wrong("steps", "1 to 100000000", steps) }
    if let encoderShare {
      guard 0...1 ~= encoderShare else { return wrong("encoderShare", "0 to 1", encoderShare) }
      // An epoch may belong to both stages.
      guard encoder.isStepwise == true, head.isStepwise == true else {
        return wrong("encoderShare", "none where schedules advance by epochs", encoderShare)
      }
    }
    if let stopLoss, !(stopLoss > 0) { return wrong("stopLoss", "above 0", stopLoss) }
    if let views, !(1...1000).contains(views) { return wrong("views", "1 to 1000", views) }
    if let problem = own.lazy.compactMap(\.problem).first { return "recipe.\(problem)" }
    return encoder.problem.map { "recipe.encoder.\($0)" } ?? head.problem.map { "recipe.head.\($0)" }
  }
}

extension Recipe: Codable {
  private enum Key: String, CodingKey {
    case epochs, batchSize, encoder, head, augments, smallestCrop, shift, keepsLastBatch, stochasticDepth, views, steps
    case encoderShare, stopLoss
  }

  /// Decodes a recipe with the settings of every method that its keys name.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    epochs = try values.decode(Int.self, forKey: .epochs)
    batchSize = try values.decode(Int.self, forKey: .batchSize)
    encoder = try values.decode(OptimizerRecipe.self, forKey: .encoder)
    head = try values.decode(OptimizerRecipe.self, forKey: .head)
    augments = try values.decode(Bool.self, forKey: .augments)
    smallestCrop = try values.decode(Double.self, forKey: .smallestCrop)
    shift = try values.decodeIfPresent(Int.self, forKey: .shift)
    keepsLastBatch = try values.decodeIfPresent(Bool.self, forKey: .keepsLastBatch)
    stochasticDepth = try values.decodeIfPresent(Double.self, forKey: .stochasticDepth)
    views = try values.decodeIfPresent(Int.self, forKey: .views)
    steps = try values.decodeIfPresent(Int.self, forKey: .steps)
    encoderShare = try values.decodeIfPresent(Double.self, forKey: .encoderShare)
    stopLoss = try values.decodeIfPresent(Double.self, forKey: .stopLoss)
    own = try MethodList.settings.compactMap { try $0.decodedIfPresent(from: decoder) }
  }

  /// Encodes the recipe; the settings of its methods are keys beside its own.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(epochs, forKey: .epochs)
    try values.encode(batchSize, forKey: .batchSize)
    try values.encode(self.encoder, forKey: .encoder)
    try values.encode(head, forKey: .head)
    try values.encode(augments, forKey: .augments)
    try values.encode(smallestCrop, forKey: .smallestCrop)
    try values.encodeIfPresent(shift, forKey: .shift)
    try values.encodeIfPresent(keepsLastBatch, forKey: .keepsLastBatch)
    try values.encodeIfPresent(stochasticDepth, forKey: .stochasticDepth)
    try values.encodeIfPresent(views, forKey: .views)
    try values.encodeIfPresent(steps, forKey: .steps)
    try values.encodeIfPresent(encoderShare, forKey: .encoderShare)
    try values.encodeIfPresent(stopLoss, forKey: .stopLoss)
    for settings in own { try settings.encode(to: encoder) }
  }
}
