import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Both stages of 2SFS, by the library and by `Reference`.
@Suite struct TwoStageReferenceTests {
  /// Gradients of the norms of both towers (2SFS (a), (b)), and the rows that they leave (2SFS (c)).
  @Test(arguments: ReferenceTwin.contrastive) func theFirstStageAgrees(_ twin: ReferenceTwin) {
    let (tower, texts) = (twin.tower, ReferenceTexts(twin))
    let (images, labels) = (twin.images(step: 0), twin.labels(step: 0))
    let tuning = TwoStage.tuning(TowerPair(image: tower, text: texts.tower), .init())
    let head = TextRows(
      texts: texts.texts, textFeatures: texts.texts.settledClassifier(Pass()),
      logitScale: ReferenceTwin.logitScaleParameter)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let moved = tuning.trainables.map { $0.initial.zipped(numbers.next($0.initial.shape, scale: 0.3)) { $0 + $1 } }
    let start = method.startingHead(moved + head.trainables.map(\.initial))
    let found = method.step(.images(images), labels: labels, values: start, seed: 1, step: 0, stage: .encoder)

    var networks = [twin.network(tower), texts.network]
    let tuned = Parameters(tuning.trainables.map(\.name), moved)
    for index in networks.indices {
      for (name, value) in tuned where networks[index].weights[name] != nil { networks[index].weights[name] = value }
    }
    let (loss, gradients) = contrastiveGradients(
      image: networks[0], text: networks[1], images: Images(images), prompts: texts.prompts, ends: texts.ends,
      labels: labels.map { Int($0) }, logitScale: ReferenceTwin.logitScale)
    let scale = exp(ReferenceTwin.logitScale)
    expectTwin(found.terms[0].value, loss, within: 4 * twin.relativeError * (max(1, abs(loss)) + scale), "loss")
    let wanted = tuned.keys.reduce(into: Parameters()) { $0[$1] = gradients[$1] }
    #expect(tuned.count == 4 * (twin.blocks + 1) && wanted.count == tuned.count && wanted.largest > 0.001)
    let delta = 4 * twin.relativeError * wanted.largest * max(1, scale)
    for (trainable, gradient) in zip(tuning.trainables, found.gradients) {
      expectTwin(Matrix(gradient), wanted[trainable.name], trainable.name) { _ in delta }
    }
    let rows = normalizedRows(networks[1].textTransformer(texts.prompts, ends: texts.ends).features)
    expectTwin(Matrix(start[start.count - 1]), rows, "rows") { _ in 16 * twin.relativeError }
  }

  /// Gradients of the rows alone (2SFS (d)).
  @Test(arguments: ReferenceTwin.contrastive) func theSecondStageAgrees(_ twin: ReferenceTwin) {
    let (tower, texts) = (twin.tower, ReferenceTexts(twin))
    let (images, labels) = (twin.images(step: 0), twin.labels(step: 0))
    let tuning = TwoStage.tuning(TowerPair(image: tower, text: texts.tower), .init())
    let head = TextRows(
      texts: texts.texts, textFeatures: texts.texts.settledClassifier(Pass()),
      logitScale: ReferenceTwin.logitScaleParameter)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let rows = numbers.next(head.trainables[0].initial.shape, scale: 2)
    let values = tuning.trainables.map(\.initial) + [rows]
    let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: 0, stage: .head)

    let (features, w) = (twin.network(tower).visionTransformer(Images(images)).features, Matrix(rows))
    let logitScale = ReferenceTwin.logitScale
    let logits = clipLogits(features: features, classifier: w, logitScale: logitScale)
    let loss = crossEntropy(logits, labels: labels.map { Int($0) })
    let gradient = clipLogitsBackward(
      crossEntropyBackward(logits, labels: labels.map { Int($0) }), features: features, classifier: w,
      logitScale: logitScale
    ).classifier
    let scale = exp(logitScale)
    expectTwin(found.terms[0].value, loss, within: 4 * twin.relativeError * (max(1, abs(loss)) + scale), "loss")
    #expect(gradient.largest > 0.001)
    expectTwin(Matrix(found.gradients[found.gradients.count - 1]), gradient, "rows") { _ in
      4 * twin.relativeError * gradient.largest * max(1, scale)
    }
    #expect(found.gradients.dropLast().allSatisfy { $0.values.allSatisfy { $0 == 0 } })
  }
}
