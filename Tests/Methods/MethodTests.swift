import Checks
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct MethodTests {
  let model: CLIP
  let images = TinyCLIP.images(6)
  let labels = TinyCLIP.labels(6)

  init() throws { model = try TinyCLIP.model() }

  func tuning(
    _ sites: MaskSites = .all, lambda: Real? = 1, normWeight: Real = 1e-4
  ) -> MaskTuning {
    MaskTuning(
      groups: sites.groups(of: model.vision, .official), dropout: lambda.map { GradientDropout(lambda: $0) },
      normWeight: normWeight)
  }

  var zeroShot: ZeroShot { ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale) }
  var taskRes: TaskRes { TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5, logitScale: model.logitScale) }
  var untouched: Tensor {
    Method(encoder: FrozenEncoder(), head: zeroShot, tower: model.vision).logits(.images(images), values: [])
  }

  @Test(arguments: MaskSites.allCases) func aMethodAtItsStartIsTheZeroShotModelBitForBit(_ sites: MaskSites) {
    for head in [zeroShot as any Head, taskRes] {
      let method = Method(encoder: tuning(sites), head: head, tower: model.vision)
      let logits = method.logits(.images(images), values: method.trainables.map(\.initial))
      #expect(logits.values.map(\.bitPattern) == untouched.values.map(\.bitPattern))
    }
  }

  @Test func masksThatAreOffChangeTheLogits() {
    let method = Method(encoder: tuning(), head: zeroShot, tower: model.vision)
    for index in method.trainables.indices {
      var values = method.trainables.map(\.initial)
      values[index] = values[index].scaled(by: 0.5)
      #expect(method.logits(.images(images), values: values) != untouched, "\(method.trainables[index].name)")
    }
  }

  /// m ≤ α is off: the initial value halved is the threshold itself.
  @Test func anEntryAtTheThresholdIsOff() throws {
    let tuning = tuning()
    var values = tuning.trainables.map(\.initial)
    values[0] = Tensor(values[0].shape, repeating: MaskTuning.threshold)
    #expect(tuning.masks(values)[0].keptCount == 0)
    values[0] = Tensor(values[0].shape, repeating: MaskTuning.threshold.nextUp)
    #expect(tuning.masks(values)[0].prunedCount == 0)
  }

  /// The bits that all operations on a weight share are those that are saved.
  @Test func everySiteIsTunedByTheMaskThatIsSaved() throws {
    let tuning = tuning()
    var numbers = CheckNumbers(seed: 4)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 6e-3).shifted(by: 9e-3) }
    let tunings = tuning.tunings(values.map { Variable($0) })
    #expect(tunings.count == values.count)
    for (parameter, saved) in zip(tuning.parameters, tuning.masks(values)) {
      guard case .masked(let mask) = try #require(tunings[parameter.site]) else {
        Issue.record("\(parameter.site) is not masked")
        continue
      }
      #expect(mask.bits == saved && mask.shape == parameter.value.shape)
      #expect(saved.keptCount > 0 && saved.prunedCount > 0)
    }
  }

  /// Tunings formed once serve every batch.
  @Test func batchesDoNotDependOnEachOther() {
    let method = Method(encoder: tuning(), head: taskRes, tower: model.vision)
    var numbers = CheckNumbers(seed: 5)
    var values = tuning().trainables.map { numbers.next($0.initial.shape, scale: 6e-3).shifted(by: 9e-3) }
    values.append(numbers.next(TinyCLIP.textFeatures.shape, scale: 0.3))
    let logits = method.logits(values: values)
    for count in [6, 1, 6] {
      let images = TinyCLIP.images(count)
      #expect(logits(.images(images)) == method.logits(.images(images), values: values))
    }
  }

  /// Where student and teacher are one, the divergence is stationary; rounding is all that is left of its gradient.
  @Test func atTheStartTheDivergenceHasNoGradient() {
    let tuning = tuning(normWeight: 0)
    let tape = Tape()
    let masks = tuning.trainables.map { tape.leaf($0.initial) }
    let pass = Pass(tunings: tuning.tunings(masks))
    let logits = model.logits(model.vision(Variable(images), pass), classifier: zeroShot.classifier([]), pass)
    let objective = tuning.objective(logits: logits, teacher: Variable(untouched), labels: labels, values: masks)
    let gradients = tape.gradients(of: objective.losses, for: masks)
    func largest(_ tensors: [Tensor]) -> Double { tensors.flatMap(\.values).reduce(0) { max($0, abs(Double($1))) } }
    #expect(largest(gradients[0]) > 1e-3)
    #expect(largest(gradients[1]) < 1e-5 * largest(gradients[0]))
  }

  /// The step of the method is forward, two gradients, the rule: spelled out, bit for bit.
  @Test(arguments: [nil, 0, 0.3, 1] as [Real?]) func aStepIsWhatOneDoesByHand(_ lambda: Real?) {
    let tuning = tuning(lambda: lambda)
    let method = Method(encoder: tuning, head: taskRes, tower: model.vision)
    var numbers = CheckNumbers(seed: 12)
    var values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 6e-3).shifted(by: 9e-3) }
    values.append(numbers.next(TinyCLIP.textFeatures.shape, scale: 0.3))
    let found = method.step(.images(images), labels: labels, values: values, seed: 3, step: 17)

    let tape = Tape()
    let leaves = values.map { tape.leaf($0) }
    let masks = Array(leaves.dropLast())
    let pass = Pass(tunings: tuning.tunings(masks))
    let classifier = Variable(TinyCLIP.textFeatures).adding(leaves[leaves.count - 1], scale: 0.5)
    let logits = model.logits(model.vision(Variable(images), pass), classifier: classifier, pass)
    var loss = logits.crossEntropy(labels: labels)
    var rest = masks[...]
    for group in tuning.groups {
      loss = loss.adding(Variable.l2Norm(Array(rest.prefix(group.count))), scale: 1e-4)
      rest = rest.dropFirst(group.count)
    }
    let first = tape.gradients(of: loss, for: leaves)
    var wanted = Array(first.dropLast())
    if let lambda {
      let second = tape.gradients(of: logits.distillation(teacher: untouched), for: leaves)
      let random = Random(seed: 3, purpose: .gradientDropout, step: 17)
      var offset: UInt64 = 0
      for index in wanted.indices {
        wanted[index] = GradientDropout(lambda: lambda).combined(
          wanted[index], second[index], random: random, from: offset)
        offset += UInt64(wanted[index].count)
      }
    }
    #expect(found.gradients == wanted + [first[first.count - 1]])
    #expect(found.gradients.map(\.shape) == method.trainables.map(\.initial.shape))
    #expect(found.correct == zip(logits.value.rowMaxima(), labels).count { $0 == Int($1) })
  }

  /// The teacher of the joint method is the untouched model: residual zero, all masks on.
  @Test func theTeacherDoesNotMoveWithTheStudent() throws {
    let method = Method(encoder: tuning(), head: taskRes, tower: model.vision)
    var values = method.trainables.map(\.initial)
    values[values.count - 1] = CheckNumbers(seed: 1).tensor(TinyCLIP.textFeatures.shape)
    let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: 0)
    let student = Variable(method.logits(.images(images), values: values))
    let wanted = student.distillation(teacher: untouched).value.scalar
    #expect(try #require(found.terms.first { $0.name == "kl" }).value == Double(wanted))
  }

  @Test func featuresOfAFrozenEncoderStandForItsImages() {
    let method = Method(encoder: FrozenEncoder(), head: taskRes, tower: model.vision)
    let features = model.vision(Variable(images), Pass()).value
    let values = [CheckNumbers(seed: 1).tensor(TinyCLIP.textFeatures.shape)]
    let byImages = method.step(.images(images), labels: labels, values: values, seed: 1, step: 0)
    let byFeatures = method.step(.features(features), labels: labels, values: values, seed: 1, step: 0)
    #expect(byImages.gradients == byFeatures.gradients)
    let units = Variable(features).l2Normalized().value
    let byUnits = method.step(.prepared(units), labels: labels, values: values, seed: 1, step: 0)
    #expect(byImages.gradients == byUnits.gradients)
    #expect(method.logits(.images(images), values: values) == method.logits(.features(features), values: values))
    #expect(method.hasFrozenEncoder)
    #expect(!Method(encoder: tuning(), head: taskRes, tower: model.vision).hasFrozenEncoder)
  }

  /// Tuning reads the weights and the text features, and writes neither.
  @Test func nothingFrozenIsTouched() {
    let before = (model.parameters.map { $0.value.copied() }, TinyCLIP.textFeatures)
    let head = ZeroShot(textFeatures: before.1.copied(), logitScale: model.logitScale)
    let method = Method(encoder: tuning(), head: head, tower: model.vision)
    var values = method.trainables.map(\.initial)
    var adam = Adam(method.trainables.map { ParameterSlot($0.name, $0.initial.shape) })
    for step in 0..<4 {
      let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: 2e-3)
    }
    #expect(values != method.trainables.map(\.initial))
    #expect(model.parameters.map(\.value) == before.0)
    #expect(head.textFeatures == before.1)
  }
}

/// Which weights carry masks, and how they are grouped.
///
/// R-AMT (a) and (e).
@Suite struct MaskSitesTests {
  static let attention = ["attention.query", "attention.key", "attention.value"]

  static func names(_ sites: MaskSites, _ fidelity: Fidelity) throws -> [[String]] {
    try sites.groups(of: TinyCLIP.model().vision, fidelity).map { $0.map(\.site.name) }
  }

  static func block(_ index: Int, _ names: [String]) -> [String] { names.map { "vision.blocks.\(index).\($0)" } }

  @Test func attentionIsItsFourMapsAndOfficiallyThePatchEmbedding() throws {
    let blocks = (0..<2).flatMap { [Self.block($0, Self.attention), Self.block($0, ["attention.output"])] }
    #expect(try Self.names(.attention, .paper) == blocks)
    #expect(try Self.names(.attention, .official) == [["vision.patchEmbedding"]] + blocks)
  }

  @Test func theMLPIsItsTwoMaps() throws {
    let blocks = (0..<2).flatMap { [Self.block($0, ["mlp.up"]), Self.block($0, ["mlp.down"])] }
    for fidelity in Fidelity.allCases { #expect(try Self.names(.mlp, fidelity) == blocks) }
  }

  @Test func allIsBothBlockByBlock() throws {
    let blocks = (0..<2).flatMap { index in
      [Self.block(index, Self.attention)]
        + ["attention.output", "mlp.up", "mlp.down"].map { Self.block(index, [$0]) }
    }
    #expect(try Self.names(.all, .official) == [["vision.patchEmbedding"]] + blocks)
  }

  /// Shares count every masked entry once: all first, then the patch embedding and each block.
  @Test func sharesAddUp() throws {
    let tuning = MaskTuning(groups: try MaskSites.all.groups(of: TinyCLIP.model().vision, .official), dropout: nil)
    var numbers = CheckNumbers(seed: 2)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 6e-3).shifted(by: 9e-3) }
    let shares = tuning.shares(values)
    #expect(shares.map(\.name) == ["all", "vision.patchEmbedding", "vision.blocks.0", "vision.blocks.1"])
    #expect(shares[0].whole == values.reduce(0) { $0 + $1.count })
    #expect(shares[0].part == values.joinedCount { $0 <= MaskTuning.threshold })
    #expect(shares.dropFirst().reduce(0) { $0 + $1.part } == shares[0].part)
    #expect(shares.dropFirst().reduce(0) { $0 + $1.whole } == shares[0].whole)
    #expect(tuning.shares(tuning.trainables.map(\.initial)).allSatisfy { $0.part == 0 && $0.percent == 0 })
  }
}

@Suite struct ShareTests {
  @Test func aShareOfNothingIsNothing() {
    #expect(Share("x", part: 0, whole: 0).percent == 0)
    #expect(Share("x", part: 1, whole: 1).percent == 100)
    #expect(Share("x", part: 1, whole: 4).percent == 25)
  }
}

extension [Tensor] {
  fileprivate func joinedCount(_ isCounted: (Real) -> Bool) -> Int {
    reduce(0) { $0 + $1.values.count(where: isCounted) }
  }
}
