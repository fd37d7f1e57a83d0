import Models
import Tensor

/// The checks of all methods: the losses of each through a whole CLIP by every tensor it trains, and the equations its
/// gradients must obey where they are no derivatives.
///
/// The image tower has two blocks, the text features are given. Where masks are learned, all the code of the method runs
/// for the analytic gradient; differences are taken of the relaxation W ⊙ M with a real M, at masks of zeros and ones.
public enum MethodChecks {
  /// All checks: encoder tunings, heads, and every pair of the two.
  public static var all: [any Check] {
    MethodName.Encoder.allCases.flatMap(checks) + MethodName.Head.allCases.flatMap(checks) + joint
  }

  /// The checks of one encoder tuning, with the zero-shot classifier; their names begin with that of the tuning.
  public static func checks(of encoder: MethodName.Encoder) -> [any Check] {
    let name = MethodName(encoder, .zeroShot)
    return switch encoder {
    case .frozen: frozen
    case .ramt: maskChecks(name) + resNet(name)
    case .rmmt, .rmt, .maskTuning: maskChecks(name)
    case .rpmt: maskChecks(name) + [untunedEntries(name)]
    case .sptLoRA, .sptAdapter: siteChecks(name) + sensitivityChecks(name)
    case .lora, .adapter, .bitfit, .full, .partial: siteChecks(name)
    }
  }

  /// The checks of one head, on given image features; their names begin with that of the head.
  public static func checks(of head: MethodName.Head) -> [any Check] {
    switch head {
    case .zeroShot: zeroShot
    case .taskRes: taskRes
    case .linear: linear
    }
  }

  /// The checks of every trained encoder tuning with every trained head.
  public static var joint: [any Check] {
    MethodName.Encoder.allCases.filter { $0 != .frozen }.flatMap { encoder in
      MethodName.Head.allCases.filter { $0 != .zeroShot }.flatMap { losses(MethodName(encoder, $0)) }
    }
  }
}

// MARK: A method and a batch

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
    static let transformer = ImageConfiguration.transformer(
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

// MARK: Differences

extension MethodChecks {
  /// Each loss of a method by all the tensors it trains.
  static func losses(_ name: MethodName, _ variant: String = "", _ batch: Batch? = nil) -> [any Check] {
    let batch = batch ?? Batch(name)
    return (0..<batch.lossCount).map { loss -> GradientCheck in
      let relaxed: @Sendable ([Tensor]) -> Tensor = { batch.relaxedLosses($0)[loss] }
      let title = loss == 0 ? "L_ce + L_reg" : "L_kl"
      return GradientCheck(
        "\(name)/\(title)\(variant)", batch.inputs, scope: .network,
        relaxed: batch.method.encoder is MaskTuning ? relaxed : nil
      ) { batch.losses($0)[loss] }
    }
  }

  /// Logits and loss by image features, classifier and scale: what the encoder hands on.
  private static var frozen: [any Check] {
    [1, 3].map { count in
      let batch = Batch(MethodName(.frozen, .zeroShot), count: count)
      let (model, method) = (batch.model, batch.method)
      let features = model.vision(Variable(batch.images), Pass()).value
      let inputs = [
        ("features", features), ("classifier", batch.textFeatures),
        ("logitScale", model.logitScale.value),
      ]
      return GradientCheck("frozen/L_ce, \(count) pictures", inputs, scope: .network) { values in
        let logits = model.logits(
          values[0], classifier: values[1], Pass(tunings: [model.logitScale.site: .replaced(values[2])]))
        return method.encoder.objective(logits: logits, teacher: nil, labels: batch.labels, values: []).losses[0]
      }
    }
  }

  /// A classifier that is not trained still passes gradients to the encoder: by the weights of the tower.
  private static var zeroShot: [any Check] {
    let batch = Batch(MethodName(.frozen, .zeroShot))
    let parameters = batch.model.vision.parameters
    return [
      GradientCheck(
        "zero-shot/L_ce by the tower", parameters.map { (name: $0.site.name, value: $0.value) }, scope: .network
      ) { values in
        let sites = zip(parameters, values).map { ($0.site, Tuning.replaced($1)) }
        let pass = Pass(tunings: Dictionary(uniqueKeysWithValues: sites))
        return batch.method.head.logits(batch.model.vision(Variable(batch.images), pass), [], pass)
          .crossEntropy(labels: batch.labels)
      }
    ]
  }

  /// The residual where it starts and where it has grown, for several α.
  private static var taskRes: [any Check] {
    let batch = Batch(MethodName(.frozen, .taskRes))
    let model = batch.model
    let features = model.vision(Variable(batch.images), Pass()).value
    let start = TaskRes(textFeatures: batch.textFeatures, alpha: 0.5, logitScale: model.logitScale)
    let text = start.classifier([Variable(batch.values[0])]).value
    return [0.1, 0.5, 1].flatMap { (alpha: Real) in
      let head = TaskRes(textFeatures: text, alpha: alpha, logitScale: model.logitScale)
      let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
      return [("zero", method.trainables[0].initial), ("grown", batch.values[0])].map { state, residual in
        GradientCheck("task-res/alpha \(alpha), residual \(state)", [(Delta.residual, residual)], scope: .network) {
          method.objective(.features(features), labels: batch.labels, values: $0).objective.losses[0]
        }
      }
    }
  }

  /// The head on given features.
  private static var linear: [any Check] {
    [1, 3].map { count in
      let batch = Batch(MethodName(.frozen, .linear), count: count)
      let features = batch.model.vision(Variable(batch.images), Pass()).value
      let inputs = [(name: "features", value: features)] + batch.inputs
      return GradientCheck("linear/L_ce, \(count) pictures", inputs, scope: .network) { values in
        batch.method.head.logits(values[0], Array(values.dropFirst()), Pass()).crossEntropy(labels: batch.labels)
      }
    }
  }

  /// The loss of evaluation, and that of a step of training with its dropout and drop paths held.
  private static func siteChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name)
    let draws = TrainingDraws(seed: 3, step: 1, stochasticDepth: 0.3)
    return losses(name, "", batch) + [
      GradientCheck("\(name)/L_ce in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }

  /// SPT as its paper has it, whose branches and entries differ.
  private static func sensitivityChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name, .paper)
    let draws = TrainingDraws(seed: 3, step: 2)
    return losses(name, " as paper", batch) + [
      GradientCheck("\(name)/L_ce as paper in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }

  /// w M / ‖M‖ is the gradient of the regulariser.
  ///
  /// One norm at a time and with a weight of 1: what is added to it would drown it in rounding.
  private static func norms(_ name: MethodName, _ tuning: MaskTuning) -> [any Check] {
    var numbers = CheckNumbers(seed: 4)
    return tuning.groups.map { group in
      let norm = MaskTuning(groups: [group], dropout: nil, normWeight: 1)
      let inputs = norm.trainables.map { (name: $0.name, value: numbers.next($0.initial.shape, in: 0.04...0.16)) }
      return GradientCheck("\(name)/L_reg of \(group[0].site)", inputs) { masks in
        norm.objective(logits: Variable(.zeros([1, 1])), teacher: nil, labels: [0], values: masks).losses[0]
      }
    }
  }
}

// MARK: Equations

extension MethodChecks {
  private static func maskChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    return losses(name) + norms(name, tuning) + straightThrough(name, "", batch, tuning)
      + gradientDropout(name, tuning)
  }

  /// Masks on the convolutions and the attention pool of a ResNet.
  private static func resNet(_ name: MethodName) -> [any Check] {
    let batch = Batch(name, vision: Batch.resNet)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    let variant = " of a ResNet"
    return losses(name, variant, batch) + straightThrough(name, variant, batch, tuning)
  }

  /// ∂L/∂M = ∂L/∂W' ⊙ W with W' = W ⊙ B, for weights that are on and for those that are off.
  private static func straightThrough(
    _ name: MethodName, _ variant: String, _ batch: Batch, _ tuning: MaskTuning
  ) -> [any Check] {
    let plain = MaskTuning(groups: tuning.groups, dropout: tuning.dropout, normWeight: 0)
    let method = Method(encoder: plain, head: batch.method.head, tower: batch.model.vision)
    return (0..<batch.lossCount).map { loss in
      let title = "\(loss == 0 ? "L_ce" : "L_kl")\(variant)"
      return IdentityCheck("\(name)/\(title) by masks = by masked weights ⊙ weights") {
        let tape = Tape()
        let masks = batch.values.map { tape.leaf($0) }
        let objective = method.objective(.images(batch.images), labels: batch.labels, values: masks).objective
        let byMask = tape.gradients(of: objective.losses[loss], for: masks)

        let weightTape = Tape()
        let weights = zip(plain.masks(batch.values), plain.parameters).map { weightTape.leaf($0.applied(to: $1.value)) }
        let replaced = zip(plain.parameters, weights).map { ($0.site, Tuning.replaced($1)) }
        let pass = Pass(tunings: Dictionary(uniqueKeysWithValues: replaced))
        func logits(_ pass: Pass) -> Variable {
          method.head.logits(method.tower(Variable(batch.images), pass), [], pass)
        }
        let byWeights = weightTape.gradients(
          of: plain.objective(logits: logits(pass), teacher: logits(Pass()), labels: batch.labels, values: [])
            .losses[loss], for: weights)
        return zip(plain.parameters, zip(byMask, byWeights)).map { parameter, gradients in
          .init("\(parameter.site).mask", gradients.0, equals: product(gradients.1, parameter.value))
        }
      }
    }
  }

  /// R-PMT: entries that were not chosen get no gradient, the others that of R-MT.
  private static func untunedEntries(_ name: MethodName) -> any Check {
    let batch = Batch(name)
    return IdentityCheck("\(name)/no gradient where not tuned") {
      guard let tuning = batch.method.encoder as? MaskTuning, let tuned = tuning.tuned else { return [] }
      let all = MaskTuning(groups: tuning.groups, dropout: tuning.dropout, normWeight: tuning.normWeight)
      func step(_ encoder: MaskTuning) -> [Tensor] {
        Method(encoder: encoder, head: batch.method.head, tower: batch.model.vision)
          .step(.images(batch.images), labels: batch.labels, values: batch.values, seed: 1, step: 2).gradients
      }
      let (found, expected) = (step(tuning), step(all))
      return tuning.trainables.indices.map { index in
        let mask = tuned[index].real.reshaped(to: found[index].shape)
        return .init(tuning.trainables[index].name, found[index], equals: product(expected[index], mask))
      }
    }
  }
}
