import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The losses of every method through a whole image tower, against finite differences.
///
/// A mask has no derivative to compare with; what its straight-through gradient claims is that of the loss with respect
/// to the masked weight W', times W. So differences are taken at W', at some pruned state, and the product is exact.
@Suite struct MethodGradientTests {
  /// In double precision that of a single operation; in single, a whole network adds to its rounding.
  static var tolerance: Double { MemoryLayout<Real>.size == 8 ? GradientCheck.tolerance : 5e-3 }

  /// A batch on a model some of whose weights are off.
  struct Case: Sendable {
    let model: CLIP
    let tuning: MaskTuning
    let masks: [Tensor]
    let images = TinyCLIP.images(3)
    let labels = TinyCLIP.labels(3)

    init(_ sites: MaskSites = .all) throws {
      model = try TinyCLIP.model()
      tuning = MaskTuning(groups: sites.groups(of: model.vision, .official), dropout: GradientDropout(lambda: 0.3))
      // Real masks on both sides of the threshold, about a sixth off.
      var numbers = CheckNumbers(seed: 42)
      masks = tuning.parameters.map { numbers.next($0.value.shape, scale: 6e-3).shifted(by: 9e-3) }
    }

    var weights: [Tensor] { zip(tuning.masks(masks), tuning.parameters).map { $0.applied(to: $1.value) } }

    func logits(_ tunings: [Site: Tuning], classifier: Variable = Variable(TinyCLIP.textFeatures)) -> Variable {
      let pass = Pass(tunings: tunings)
      return model.logits(model.vision(Variable(images), pass), classifier: classifier, pass)
    }

    func replaced(_ weights: [Variable]) -> [Site: Tuning] {
      Dictionary(uniqueKeysWithValues: zip(tuning.parameters, weights).map { ($0.site, .replaced($1)) })
    }

    /// The losses of the method as functions of the masked weights; the regulariser reads the real masks.
    func objective(_ weights: [Variable], _ masks: [Variable]) -> Objective {
      tuning.objective(logits: logits(replaced(weights)), teacher: logits([:]), labels: labels, values: masks)
    }
  }

  static func expect(_ check: GradientCheck) {
    for finding in check.findings() {
      #expect(
        finding.relativeError <= tolerance,
        "\(check.name), \(finding.input) \(finding.shape): element \(finding.index) is off by \(finding.absoluteError)")
    }
  }

  @Test(arguments: [0, 1]) func bothLossesOfMaskTuningByTheMaskedWeights(_ loss: Int) throws {
    let item = try Case()
    let inputs = zip(item.tuning.parameters, item.weights).map { (name: $0.site.name, value: $1) }
    let masks = item.masks
    Self.expect(
      GradientCheck(loss == 0 ? "L_ce + L_reg" : "L_kl", inputs) { weights in
        item.objective(weights, masks.map { Variable($0) }).losses[loss]
      })
  }

  /// w M / ‖M‖ is the gradient of the regulariser.
  @Test func theNormRegulariserByTheRealMasks() throws {
    let item = try Case()
    // One norm at a time and with a weight of 1: what is added to it would drown it in rounding.
    for group in item.tuning.groups {
      let tuning = MaskTuning(groups: [group], dropout: nil, normWeight: 1)
      var numbers = CheckNumbers(seed: 4)
      let inputs = group.map { (name: $0.site.name, value: numbers.next($0.value.shape, scale: 0.06).shifted(by: 0.1)) }
      Self.expect(
        GradientCheck("L_reg", inputs) { masks in
          tuning.objective(logits: Variable(.zeros([1, 1])), teacher: nil, labels: [0], values: masks).losses[0]
        })
    }
  }

  /// ∂L/∂M = ∂L/∂W' ⊙ W, bit for bit, for weights that are on and for those that are off.
  @Test(arguments: MaskSites.allCases) func maskGradientsAreWeightGradientsTimesTheWeights(_ sites: MaskSites) throws {
    let item = try Case(sites)
    let plain = MaskTuning(groups: item.tuning.groups, dropout: item.tuning.dropout, normWeight: 0)
    let maskTape = Tape()
    let masks = item.masks.map { maskTape.leaf($0) }
    let byMask = maskTape.gradients(
      of: plain.objective(
        logits: item.logits(plain.tunings(masks)), teacher: item.logits([:]), labels: item.labels, values: masks
      ).losses, for: masks)
    let weightTape = Tape()
    let weights = item.weights.map { weightTape.leaf($0) }
    let byWeight = weightTape.gradients(
      of: plain.objective(
        logits: item.logits(item.replaced(weights)), teacher: item.logits([:]), labels: item.labels, values: []
      ).losses, for: weights)
    for loss in 0..<2 {
      for (index, parameter) in plain.parameters.enumerated() {
        let product = byWeight[loss][index].zipped(parameter.value) { $0 * $1 }
        #expect(byMask[loss][index] == product, "loss \(loss), \(parameter.site)")
      }
    }
    let off = zip(item.masks, byMask[0]).flatMap { zip($0.values, $1.values) }.filter { $0.0 <= MaskTuning.threshold }
    #expect(off.count > 50 && off.contains { $0.1 != 0 }, "weights that are off must be able to come back")
  }

  @Test(arguments: [0.1, 0.5, 1] as [Real]) func theLossOfTaskResByItsResidual(_ alpha: Real) throws {
    let item = try Case()
    let head = TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: alpha)
    let features = item.model.vision(Variable(item.images), Pass()).value
    let residual = CheckNumbers(seed: 8).tensor([TinyCLIP.classes, TinyCLIP.embedding], scale: 0.5)
    for (name, value) in [("zero", Tensor.zeros(residual.shape)), ("grown", residual)] {
      Self.expect(
        GradientCheck("TaskRes, residual \(name)", [("residual", value)]) { values in
          let logits = item.model.logits(Variable(features), classifier: head.classifier(values), Pass())
          return FrozenEncoder().objective(logits: logits, teacher: nil, labels: item.labels, values: []).losses[0]
        })
    }
  }

  /// ∂L/∂x_c = (α / ‖t'_c‖) (I − u_c u_cᵀ) ∂L/∂u_c has no part along t'_c (TaskRes, spec section 1).
  @Test func theGradientOfTheResidualIsAcrossTheClassifier() throws {
    let item = try Case()
    let head = TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5)
    let method = Method(encoder: FrozenEncoder(), head: head, model: item.model)
    let found = method.step(
      .images(item.images), labels: item.labels, values: method.trainables.map(\.initial), seed: 1, step: 0)
    let (gradient, text) = (found.gradients[0].values, TinyCLIP.textFeatures.values)
    for row in 0..<TinyCLIP.classes {
      let range = row * TinyCLIP.embedding..<(row + 1) * TinyCLIP.embedding
      let along = range.reduce(0.0) { $0 + Double(gradient[$1]) * Double(text[$1]) }
      let length = range.reduce(0.0) { $0 + abs(Double(gradient[$1]) * Double(text[$1])) }
      #expect(length > 0 && abs(along) < 1e-5 * length)
    }
  }

  /// Both halves at once: every masked weight and the residual.
  @Test func theJointLossByWeightsAndResidual() throws {
    let item = try Case(.attention)
    let head = TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5)
    let residual = CheckNumbers(seed: 8).tensor([TinyCLIP.classes, TinyCLIP.embedding], scale: 0.5)
    var inputs = zip(item.tuning.parameters, item.weights).map { (name: $0.site.name, value: $1) }
    inputs.append(("residual", residual))
    let count = inputs.count - 1
    let masks = item.masks
    for loss in 0..<2 {
      Self.expect(
        GradientCheck("r-amt+task-res, loss \(loss)", inputs) { values in
          let logits = item.logits(
            item.replaced(Array(values.prefix(count))), classifier: head.classifier([values[count]]))
          let teacher = item.logits([:])
          return item.tuning.objective(
            logits: logits, teacher: teacher, labels: item.labels, values: masks.map { Variable($0) }
          ).losses[loss]
        })
    }
  }
}
