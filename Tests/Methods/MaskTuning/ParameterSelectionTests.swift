import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// R-AMT (i).
@Suite struct ParameterSelectionTests {
  let model: CLIP
  let parameters: [Parameter]
  let head: ZeroShot

  init() throws {
    model = try TinyCLIP.model()
    head = ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale)
    parameters = MaskSites.all.groups(of: model.vision, .official).flatMap(\.self)
  }

  /// Σ |∂L_ce/∂W| through masks: all masks on, ∂L/∂M = ∂L/∂W ⊙ W.
  func maskGradients(_ images: Tensor, _ labels: [Int32]) -> [Tensor] {
    let tape = Tape()
    let leaves = parameters.map { tape.leaf(Tensor($0.value.shape, repeating: 1)) }
    let pass = Pass(
      tunings: Dictionary(
        uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .masked(by: .init($1, above: 0.5))) }))
    let logits = model.logits(model.vision(Variable(images), pass), classifier: head.classifier([]), pass)
    return tape.gradients(of: logits.crossEntropy(labels: labels), for: leaves)
  }

  @Test func theLargestGradientsOfTheTaskLossAreChosen() throws {
    var selection = ParameterSelection(among: parameters, of: model.vision, head: head)
    let batches = [
      (TinyCLIP.images(4, seed: 1), TinyCLIP.labels(4)), (TinyCLIP.images(3, seed: 2), TinyCLIP.labels(3)),
    ]
    for (images, labels) in batches { selection.add(images, labels: labels) }
    #expect(selection.batches == 2)
    let gradients = batches.map { maskGradients($0.0, $0.1) }
    // |∂L/∂W| from |∂L/∂M| / |W|, in double precision and sorted.
    var scores: [(score: Double, tensor: Int, index: Int)] = []
    for (tensor, parameter) in parameters.enumerated() {
      for (index, weight) in parameter.value.values.enumerated() {
        let sum = gradients.reduce(0.0) { $0 + abs(Double($1[tensor].values[index]) / Double(weight)) }
        scores.append((sum, tensor, index))
      }
    }
    scores.sort { $0.score > $1.score }
    for count in [0, 1, 50, scores.count / 3, scores.count] {
      let masks = selection.largest(count)
      #expect(masks.map(\.count) == parameters.map(\.value.count))
      #expect(masks.reduce(0) { $0 + $1.keptCount } == count)
      // Rounding may exchange weights whose scores are equal to six digits.
      for (rank, entry) in scores.enumerated() {
        let isKept = masks[entry.tensor][entry.index]
        guard 0 < count, count < scores.count else { continue }
        let border = scores[count - 1].score
        if abs(entry.score - border) > 1e-4 * border { #expect(isKept == (rank < count), "rank \(rank) of \(count)") }
      }
    }
  }

  @Test func batchesAddUpInAnyOrder() {
    func masks(_ seeds: [UInt64]) -> [BitMask] {
      var selection = ParameterSelection(among: parameters, of: model.vision, head: head)
      for seed in seeds { selection.add(TinyCLIP.images(3, seed: seed), labels: TinyCLIP.labels(3)) }
      return selection.largest(100)
    }
    #expect(masks([1, 2]) == masks([2, 1]))
    #expect(masks([1, 2]) != masks([1, 1]))
  }

  /// A head that is trained too counts as it starts.
  @Test func theClassifierIsThatOfTheStart() {
    func masks(_ head: any Head) -> [BitMask] {
      var selection = ParameterSelection(among: parameters, of: model.vision, head: head)
      selection.add(TinyCLIP.images(3), labels: TinyCLIP.labels(3))
      return selection.largest(100)
    }
    #expect(
      masks(TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5, logitScale: model.logitScale)) == masks(head))
    #expect(
      masks(ZeroShot(textFeatures: TinyCLIP.textFeatures.map { -$0 }, logitScale: model.logitScale)) != masks(head))
  }

  @Test func withoutAPictureTheFirstWeightsAreTaken() {
    let masks = ParameterSelection(among: parameters, of: model.vision, head: head).largest(10)
    #expect((0..<10).allSatisfy { masks[0][$0] })
    #expect(masks.reduce(0) { $0 + $1.keptCount } == 10)
  }

  @Test func byDefaultAsManyWeightsAsForRAMT() {
    let groups = MaskSites.all.groups(of: model.vision, .official)
    func count(_ share: Double?, _ fidelity: Fidelity = .official) -> Int {
      ParameterSelection.count(share: share, among: groups, of: model.vision.parameters, fidelity)
    }
    let (width, hidden, blocks) = (8, 12, 2)
    let attention = blocks * 4 * width * width
    let all = width * 3 * 16 + attention + blocks * 2 * width * hidden
    #expect(count(nil) == width * 3 * 16 + attention)
    #expect(count(nil, .paper) == attention)
    #expect(count(0) == 0 && count(1) == all && count(0.25) == Int((Double(all) / 4).rounded()))
    #expect(count(2) == all && count(-1) == 0)
  }

  /// Masks that are not tuned stay where they started, bit for bit; tuned ones move.
  @Test func onlyTheChosenMasksMove() throws {
    var selection = ParameterSelection(among: parameters, of: model.vision, head: head)
    selection.add(TinyCLIP.images(4), labels: TinyCLIP.labels(4))
    let tuned = selection.largest(200)
    let tuning = MaskTuning(
      groups: MaskSites.all.groups(of: model.vision, .official), dropout: GradientDropout(lambda: 0.3), tuned: tuned)
    let method = Method(encoder: tuning, head: head, tower: model.vision)
    var values = method.trainables.map(\.initial)
    var adam = Adam(method.trainables.map { ParameterSlot($0.name, $0.initial.shape) })
    for step in 0..<3 {
      let found = method.step(
        .images(TinyCLIP.images(4)), labels: TinyCLIP.labels(4), values: values, seed: 1, step: step)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: 1e-3)
    }
    for (value, mask) in zip(values, tuned) {
      for (index, number) in value.values.enumerated() { #expect((number == MaskTuning.initialMask) != mask[index]) }
    }
  }
}
