import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Three training steps of R-AMT, by the library and by `Reference`.
///
/// R-AMT (a), (c) to (g) and eq. 7. In single precision `Reference` starts every step where the library is, so that
/// errors of one step are seen by themselves; in double precision both go on by themselves.
@Suite struct MaskTuningReferenceTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    let lambda: Real
    let sites: MaskSites
    let fidelity: Fidelity
    /// w; `nil` for the published one, which is left out of both calls.
    let normWeight: Double?

    var testDescription: String { "λ \(lambda), \(sites), \(fidelity), w \(normWeight ?? 1e-4)" }

    static let all = [
      Setting(lambda: 0, sites: .attention, fidelity: .official, normWeight: nil),
      Setting(lambda: 0.3, sites: .all, fidelity: .paper, normWeight: 0.5),
      Setting(lambda: 1, sites: .attention, fidelity: .official, normWeight: 0.25),
      Setting(lambda: 1, sites: .mlp, fidelity: .official, normWeight: nil),
    ]
  }

  @Test(arguments: ReferenceTwin.contrastive, Setting.all)
  func threeStepsAgree(_ twin: ReferenceTwin, _ setting: Setting) throws {
    let tower = twin.tower
    var numbers = CheckNumbers(seed: twin.seed &+ 200)
    let text = numbers.next([twin.classes, twin.embedding ?? twin.width], scale: 2)
    let dropout = GradientDropout(lambda: setting.lambda)
    let sites = setting.sites.groups(of: tower, setting.fidelity)
    let tuning =
      setting.normWeight.map { MaskTuning(groups: sites, dropout: dropout, normWeight: Real($0)) }
      ?? MaskTuning(groups: sites, dropout: dropout)
    let method = Method(
      encoder: tuning, head: ZeroShot(textFeatures: text, logitScale: ReferenceTwin.logitScaleParameter), tower: tower)
    let names = tuning.parameters.map(\.site.name)
    let groups = maskedGroups(
      blocks: twin.blocks, patchEmbedding: setting.fidelity == .official && setting.sites != .mlp,
      attention: setting.sites != .mlp, mlp: setting.sites != .attention)
    #expect(sites.map { $0.map(\.site.name) } == groups)
    #expect(method.trainables.allSatisfy { $0.initial.values.allSatisfy { $0 == Real(initialMask) } })

    // Around the threshold; every seventh entry lies on it, where it is dropped.
    var values = method.trainables.map { trainable in
      let values = numbers.next(trainable.initial.shape, in: 3e-3...15e-3).values
      return Tensor(
        trainable.initial.shape, values.enumerated().map { $0 % 7 == 3 ? MaskTuning.threshold : $1 })
    }
    let run = Run(twin: twin, setting: setting, method: method, tuning: tuning, names: names, text: text)
    var adam = Adam(method.slots)
    var masks = Parameters(names, values)
    var moments: [String: Moments] = [:]
    for step in 0..<3 {
      let found = try run.step(step, values: values, masks: masks, network: twin.network(tower), groups: groups)
      let learningRate = 4e-3
      adam.step(parameters: &values, gradients: found.gradients, learningRate: learningRate)
      updateMasks(&masks, &moments, step: found.wanted, learningRate: learningRate)
      let update = UpdateTwin(learningRate: learningRate, gradientError: found.error, step: step + 1)
      for (name, value) in zip(names, values) {
        update.compare("\(name).mask", value: value, adam, with: masks[name], moments[name])
        if !ReferenceTwin.isDouble {
          masks[name] = Matrix(value)
          moments[name] = UpdateTwin.moments("\(name).mask", adam)
        }
      }
    }
  }

  /// What does not change from step to step.
  struct Run {
    let twin: ReferenceTwin
    let setting: Setting
    let method: Method
    let tuning: MaskTuning
    let names: [String]
    let text: Tensor

    private let seed: UInt64 = 3

    /// Compares losses and gradients of one step; returns what the optimisers go on with and the error of g.
    func step(
      _ step: Int, values: [Tensor], masks: Parameters, network: Network, groups: [[String]]
    ) throws -> (gradients: [Tensor], wanted: MaskStep, error: Double) {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let uniform = draws(step, values)
      var wanted = wantedStep(network, masks, groups, images, labels, uniform)
      let found = method.step(.images(images), labels: labels, values: values, seed: seed, step: step)
      compareTerms(found.terms, wanted)

      let tape = Tape()
      let leaves = values.map { tape.leaf($0) }
      let losses = method.objective(.images(images), labels: labels, values: leaves).objective.losses
      let both = tape.gradients(of: losses, for: leaves)
      let cancelled = (
        twin.cancellation(crossEntropyBackward(wanted.logits, labels: labels.map { Int($0) })),
        twin.cancellation(distillationBackward(wanted.logits, teacher: wanted.teacherLogits))
      )
      let errorOfA = twin.relativeError * wanted.a.largest * cancelled.0
      let errorOfB = twin.relativeError * wanted.b.largest * cancelled.1
      for (index, name) in names.enumerated() {
        expectTwin(Matrix(both[0][index]), wanted.a[name], "step \(step), a of \(name)") { _ in errorOfA }
        expectTwin(Matrix(both[1][index]), wanted.b[name], "step \(step), b of \(name)") { _ in errorOfB }
      }
      compareDropout(found.gradients, &wanted, uniform, errorOfA, errorOfB)
      return (found.gradients, wanted, errorOfA)
    }

    private func wantedStep(
      _ network: Network, _ masks: Parameters, _ groups: [[String]], _ images: Tensor, _ labels: [Int32],
      _ uniform: Draws
    ) -> MaskStep {
      let labels = labels.map { Int($0) }
      if let normWeight = setting.normWeight {
        return maskStep(
          network, masks: masks, groups: groups, images: Images(images), labels: labels, classifier: Matrix(text),
          logitScale: ReferenceTwin.logitScale, uniform: uniform, lambda: Double(setting.lambda),
          normWeight: normWeight)
      }
      return maskStep(
        network, masks: masks, groups: groups, images: Images(images), labels: labels, classifier: Matrix(text),
        logitScale: ReferenceTwin.logitScale, uniform: uniform, lambda: Double(setting.lambda))
    }

    /// The library's own numbers: one after another for all entries of all masks.
    private func draws(_ step: Int, _ values: [Tensor]) -> Draws {
      let random = Random(seed: seed, purpose: .gradientDropout, step: step)
      var (draws, first): (Draws, UInt64) = ([:], 0)
      for (name, value) in zip(names, values) {
        draws[name] = (0..<UInt64(value.count)).map { Double(random.uniform(at: first + $0)) }
        first += UInt64(value.count)
      }
      return draws
    }

    /// A logit is a cosine times s, and so is its error; a norm is a sum of positive terms.
    private func compareTerms(_ terms: [(name: String, value: Double)], _ wanted: MaskStep) {
      let error = twin.relativeError * exp(ReferenceTwin.logitScale)
      let terms = Dictionary(uniqueKeysWithValues: terms.map { ($0.name, $0.value) })
      let loss = wanted.crossEntropy + (setting.normWeight ?? 1e-4) * wanted.norm
      let all = [
        ("ce", wanted.crossEntropy, error), ("kl", wanted.distillation, error),
        ("norm", wanted.norm, twin.relativeError * wanted.norm), ("loss", loss, error),
      ]
      for (name, value, error) in all { expectTwin(terms[name] ?? .nan, value, within: error, name) }
    }

    /// Compares g. Where P is nearer to U than its error, both outcomes are right, and `wanted` follows the library.
    ///
    ///     |ΔP| ≤ (|Δa| + |Δb|) / (|a| + |b| + ε), anything where the sign of a is not sure; its roundings add 8 u
    private func compareDropout(
      _ found: [Tensor], _ wanted: inout MaskStep, _ uniform: Draws, _ errorOfA: Double, _ errorOfB: Double
    ) {
      var (kept, reduced, unsure, count) = (0, 0, 0, 0)
      for (index, name) in names.enumerated() {
        guard let a = wanted.a[name], let b = wanted.b[name], let g = wanted.g[name], let draws = uniform[name] else {
          Issue.record("\(name): expected a gradient")
          continue
        }
        var followed = g
        for k in a.values.indices {
          let (a, b, found) = (a.values[k], b.values[k], Double(found[index].values[k]))
          let p = keepProbability(a, b)
          let error = (errorOfA + errorOfB) / (abs(a) + abs(b) + 1e-8) + 8 * Bounded.unit
          let isSure = abs(a) > errorOfA && abs(p - draws[k]) > error
          count += 1
          if isSure { if p > draws[k] { kept += 1 } else { reduced += 1 } } else { unsure += 1 }
          let other = (1 - Double(setting.lambda)) * a
          if !isSure, abs(found - g.values[k]) > errorOfA {
            followed.values[k] = abs(found - a) <= errorOfA ? a : other
          }
        }
        wanted.g[name] = followed
        expectTwin(Matrix(found[index]), followed, "g of \(name)") { _ in errorOfA }
      }
      #expect(kept > 0 && 10 * unsure < count, "\(kept) kept, \(reduced) reduced, \(unsure) unsure")
    }
  }
}
