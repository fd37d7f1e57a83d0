import Methods
import Models
import Tensor

// A method, a small model and a batch of pictures, for all checks.

extension MethodChecks {
  /// A method with its published settings on a small model, some pictures, and values on both sides of the threshold.
  struct Batch: Sendable {
    static let classes = 4
    let model: CLIP
    let method: Method
    /// The method whose losses are differentiable and equal those of `method` at `values`.
    let relaxed: Method
    let images: Tensor
    let labels: [Int32]
    let values: [Tensor]
    /// [classes, embedding]
    let textFeatures: Tensor

    /// A vision transformer of two blocks.
    static let transformer = ImageConfiguration.visionTransformer(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5), imageSize: 6,
        patchSize: 3))
    /// A ResNet of two bottlenecks.
    static let resNet = ImageConfiguration.resNet(
      ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))

    init(
      _ name: MethodName, count: Int = 3, vision: ImageConfiguration = Self.transformer,
      _ fidelity: Fidelity = .official
    ) {
      let text = TransformerConfiguration(
        width: 2, hiddenWidth: 2, blocks: 0, heads: 1, activation: .quickGELU, epsilon: 1e-5)
      model = CLIP.random(
        CLIPConfiguration(
          vision: vision,
          text: TextConfiguration(transformer: text, vocabulary: 3, contextLength: 2), embedding: 5), seed: 11)
      var numbers = CheckNumbers(seed: 42)
      images = numbers.next([count, 3, vision.imageSize, vision.imageSize], scale: 1.5)
      labels = (0..<count).map { Int32($0 * 3 % Self.classes) }
      let recipe = Recipe.published(name, benchmark: nil, shots: 16, as: fidelity)
      textFeatures = numbers.next([Self.classes, 5], scale: 2)
      // Numbers of its own: R-PMT is checked at the masks of R-MT.
      var choice = CheckNumbers(seed: 43)
      let setting = MethodSetting(
        tower: model.vision, text: (textFeatures, model.logitScale), classes: Self.classes, recipe: recipe,
        fidelity: fidelity, seed: 5)
      let (images, labels) = (images, labels)
      method = Method(name, setting) { groups, _ in
        groups.joined().map { BitMask(thresholding: choice.next($0.value.shape), above: 0) }
      } allocating: { head in
        Self.adaptations(setting, head, images, labels)
      }
      var encoder = method.encoder
      var masks: [Tensor] = []
      if let tuning = encoder as? MaskTuning {
        encoder = RelaxedMasks(tuning: tuning)
        // About a sixth of the weights are off.
        masks = tuning.parameters.map {
          BitMask(thresholding: numbers.next($0.value.shape), above: -0.7).real.reshaped(to: $0.value.shape)
        }
      }
      relaxed = Method(encoder: encoder, head: method.head, tower: model.vision)
      let sites = encoder is SiteTuning ? encoder.trainables.map { Self.moved($0.initial, &numbers) } : []
      values = masks + sites + method.head.trainables.map { numbers.next($0.initial.shape, scale: 0.5) }
    }

    /// A tensor on its way: near where it starts, and nowhere zero.
    private static func moved(_ tensor: Tensor, _ numbers: inout CheckNumbers) -> Tensor {
      let moves = numbers.next(tensor.shape, scale: 0.3)
      return Tensor(tensor.shape, zip(tensor.values, moves.values).map { $0 + $1 })
    }

    /// SPT's choice on the batch itself: a third of the entries, so that modules, whole vectors and single entries occur.
    private static func adaptations(
      _ setting: MethodSetting, _ head: any Head, _ images: Tensor, _ labels: [Int32]
    ) -> [Adaptation] {
      let sites = SensitivitySite.all(of: setting.tower)
      var sensitivity = Sensitivity(of: sites.map(\.parameter), in: setting.tower, head: head, seed: 1)
      sensitivity.add(images, labels: labels)
      let threshold = sites.reduce(0) { $0 + $1.count } / 3
      let ranking = Ranking(of: sensitivity.scores, largest: threshold)
      var rules = setting.recipe.budget?.rules ?? Allocation.Rules(form: .lora)
      (rules.rank, rules.alpha, rules.beta) = (2, 1.5, 1.5)
      let counts = ranking.places(first: threshold, of: sites.count).map(\.count)
      let allocation = Allocation(
        threshold: threshold, counts: counts, kinds: sites.map(\.kind), classToken: 0, rules)
      return SensitivityTuning(rules, setting.fidelity, branch: setting.recipe.branch ?? Recipe.Branch())
        .adaptations(of: setting.tower, sites, allocation, ranking)
    }

    /// One, or two with gradient dropout.
    var lossCount: Int { losses(values.map { Variable($0) }).count }

    /// The losses of the method, by the values of its tensors; those of a step of training where there are draws.
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

  /// Mask tuning without a threshold: W ⊙ M, whose derivative by M is what the straight-through estimator takes for that
  /// of W ⊙ 1[M > α] (R-AMT, spec section 3).
  private struct RelaxedMasks: EncoderTuning {
    let tuning: MaskTuning

    var trainables: [Trainable] { tuning.trainables }
    var needsTeacher: Bool { tuning.needsTeacher }

    func tunings(_ values: [Variable]) -> [Site: Tuning] {
      Dictionary(
        uniqueKeysWithValues: zip(tuning.parameters, values).map { parameter, mask in
          (parameter.site, .replaced(Variable(product(parameter.value, mask.value))))
        })
    }

    func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective {
      tuning.objective(logits: logits, teacher: teacher, labels: labels, values: values)
    }

    func write(_ values: [Tensor], to delta: inout Delta) { tuning.write(values, to: &delta) }
  }

  /// a ⊙ b
  static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor.read(a, b) { a0, b0 in
      Tensor(a.shape) { into in for index in 0..<a.count { into[index] = a0[index] * b0[index] } }
    }
  }
}
