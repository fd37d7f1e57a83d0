import Methods
import Models
import Tensor

/// A method with its published settings on a small model, some images, and values on both sides of the threshold.
struct MethodBatch: Sendable {
  static let classes = 4
  let model: CLIP
  let method: Method
  /// The method whose losses are differentiable and equal those of `method` at `values`.
  let relaxed: Method
  /// Whether that is another one than the method itself.
  let isRelaxed: Bool
  let images: Tensor
  let labels: [Int32]
  let values: [Tensor]
  /// [classes, embedding]
  let textFeatures: Tensor

  /// A vision transformer of two blocks, and one whose MLPs are twice as wide as its tokens.
  static let (transformer, doubled) = (transformer(hiddenWidth: 7), transformer(hiddenWidth: 12))
  /// A ResNet of two bottlenecks.
  static let resNet = ImageConfiguration.resNet(
    ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))

  private static func transformer(hiddenWidth: Int) -> ImageConfiguration {
    .visionTransformer(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: hiddenWidth, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5), imageSize: 6,
        patchSize: 3))
  }

  init(
    _ name: MethodName, count: Int = 3, vision: ImageConfiguration? = nil, _ fidelity: Fidelity = .official,
    change: (inout Recipe) -> Void = { _ in }
  ) {
    let vision = vision ?? MethodChecks.encoderCase(name.encoder).vision
    let text = TransformerConfiguration(
      width: 4, hiddenWidth: 5, blocks: 1, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    model = CLIP.random(
      CLIPConfiguration(
        vision: vision,
        text: TextConfiguration(transformer: text, vocabulary: 8, contextLength: 24), embedding: 5), seed: 11)
    var numbers = CheckNumbers(seed: 42)
    images = numbers.next([count, 3, vision.imageSize, vision.imageSize], scale: 1.5)
    labels = (0..<count).map { Int32($0 * 3 % Self.classes) }
    var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: 16, fidelity: fidelity))
    change(&recipe)
    textFeatures = numbers.next([Self.classes, 5], scale: 2)
    var setting = MethodSetting(
      tower: model.vision, text: (textFeatures, model.logitScale), classes: Self.classes, recipe: recipe,
      fidelity: fidelity, seed: 5)
    setting.prompts = Self.prompts(of: model)
    setting.texts = Self.texts(of: model)
    if name.head.needsExamples { setting.examples = Self.examples }
    let head: any Head
    do { head = try name.head(setting) } catch { trap("MethodBatch: \(name): \(error)") }
    let tuning = MethodChecks.encoderCase(name.encoder).tuning(setting, head, images, labels)
    method = Method(
      encoder: tuning, head: head, tower: model.vision, stochasticDepth: Real(recipe.stochasticDepth ?? 0))
    let own = MethodChecks.encoderCase(name.encoder)
    relaxed = Method(encoder: own.relaxed(tuning), head: method.head, tower: model.vision)
    isRelaxed = own.isRelaxed
    values = Self.opened(
      own.values(tuning, &numbers) + method.head.trainables.map { numbers.next($0.initial.shape, scale: 0.5) },
      of: method, images)
  }

  /// The values, those of a bottleneck of ReLUs such that all of these are open on the images: beside a kink
  /// differences say nothing, and what is closed has no gradient.
  static func opened(_ values: [Tensor], of method: Method, _ images: Tensor) -> [Tensor] {
    if let bias = method.trainables.firstIndex(where: { $0.name == DeltaEntry.context(part: "down.bias").name }) {
      // The same with every encoder: with most others a difference in single precision says little, as norms of short
      // vectors that are moved together are strongly curved. Features have length 1, elements of D are 1/2 at most.
      var (opened, own) = (values, CheckNumbers(seed: 27))
      for index in bias - 2...bias + 2 {
        opened[index] = own.next(values[index].shape, scale: index == bias - 2 ? 1 : 0.5)
      }
      opened[bias] = opened[bias].mapLanes { $0 + 2 }
      return opened
    }
    guard method.head.trainables.map(\.name).contains(where: { $0.hasSuffix("adapter.down") }) else { return values }
    let features = method.features(values: values)(images)
    let (down, up) = (values[values.count - 2], values[values.count - 1])
    let width = features.shape.width
    let rows = (0..<features.shape.rows).map { features.values[$0 * width..<($0 + 1) * width] }
    // D f of 1/2 or more for every image, by projections on D f = 1 one after another (Kaczmarz): a small D.
    var row = [Real](repeating: 0, count: width)
    for _ in 0..<2000 {
      for feature in rows {
        var (product, square): (Real, Real) = (0, 0)
        for (own, element) in zip(row, feature) {
          product += own * element
          square += element * element
        }
        let share = product < 0.5 ? (1 - product) / square : 0
        for (index, element) in feature.enumerated() { row[index] += share * element }
      }
    }
    let opened = [
      Tensor(down.shape, (0..<down.shape[0]).flatMap { _ in row }),
      Tensor(up.shape, up.values.map { 0.25 * abs($0) + 0.1 }),
    ]
    return values.dropLast(2) + opened
  }

  /// Classes with names of one to four tokens.
  static func prompts(of model: CLIP) -> PromptEncoder {
    PromptEncoder(
      classes: (1...classes).map { String(repeating: "a", count: $0) }, tower: model.text, startOfText: 6, endOfText: 7
    ) { text in text.indices.enumerated().map { text[$1] == "." ? 5 : Int32($0 % 5) } }
  }

  /// The same classes as prompts.
  static func texts(of model: CLIP) -> ClassTexts {
    let rows = (1...classes).map { count in
      [6] + (0..<classes).map { $0 < count ? Int32($0) : 7 } + [7]
    }
    return ClassTexts(model.text, rows: rows, ends: (1...classes).map { $0 + 1 })
  }

  /// Features of two views of two images of each class.
  static let examples: HeadExamples = {
    var numbers = CheckNumbers(seed: 43)
    return HeadExamples(
      features: numbers.next([4 * classes, 5]), labels: (0..<4 * classes).map { Int32($0 % classes) }, views: 2)
  }()

  /// The number of its losses.
  var lossCount: Int { losses(values.map { Variable($0) }).count }

  /// The losses of the method, by the values of its tensors; those of a training step if there are draws.
  func losses(_ values: [Variable], _ draws: TrainingDraws? = nil) -> [Variable] {
    method.objective(.images(images), labels: labels, values: values, draws).objective.losses
  }

  /// The same losses of the relaxed method.
  func relaxedLosses(_ values: [Tensor]) -> [Tensor] {
    relaxed.objective(.images(images), labels: labels, values: values.map { Variable($0) }).objective.losses
      .map(\.value)
  }

  /// Names and values of the trained tensors.
  var inputs: [(name: String, value: Tensor)] {
    zip(method.trainables, values).map { (name: $0.name, value: $1) }
  }
}
