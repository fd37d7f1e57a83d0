import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Scaled branches in both towers, by the library and by `Reference` (CLIP-LoRA (a), (c)).
@Suite struct CLIPLoRAReferenceTests {
  private static let settings: CLIPLoRASettings.Branch = {
    var settings = CLIPLoRASettings.Branch()
    (settings.rank, settings.alpha, settings.dropout) = (3, 0.75, 0)
    return settings
  }()

  @Test(arguments: ReferenceTwin.contrastive) func bothTowersAgree(_ twin: ReferenceTwin) {
    let (tower, texts) = (twin.tower, ReferenceTexts(twin))
    let (images, labels) = (twin.images(step: 0), twin.labels(step: 0))
    let head = EncodedTexts(texts: texts.texts, logitScale: ReferenceTwin.logitScaleParameter)
    let tuning = CLIPLoRA.tuning(TowerPair(image: tower, text: texts.tower), Self.settings, seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 0.5) }
    let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: 0)

    var networks = [twin.network(tower), texts.network]
    for design in tuning.designs {
      guard case .branched(let parameter, let own) = design else { continue }
      for index in networks.indices {
        networks[index].settings.branches[parameter.site.name] = BranchForm(
          isSequential: false, hasActivation: false, dropout: 0, dropPath: 0, scale: own.form.scale ?? 0)
      }
    }
    let tuned = Parameters(tuning.trainables.map(\.name), values)
    for index in networks.indices { networks[index].weights.merge(tuned) { $1 } }
    let (loss, gradients) = contrastiveGradients(
      image: networks[0], text: networks[1], images: Images(images), prompts: texts.prompts, ends: texts.ends,
      labels: labels.map { Int($0) }, logitScale: ReferenceTwin.logitScale)
    let scale = exp(ReferenceTwin.logitScale)
    expectTwin(
      found.terms[0].value, loss, within: 4 * twin.relativeError * (max(1, abs(loss)) + scale), "loss")
    let wanted = tuned.keys.reduce(into: Parameters()) { $0[$1] = gradients[$1] }
    #expect(tuned.count == 6 * (twin.blocks + 1) && wanted.count == tuned.count && wanted.largest > 0.001)
    // Two towers, and a cosine whose terms cancel where features are near their classes.
    let delta = 4 * twin.relativeError * wanted.largest * max(1, scale)
    for (trainable, gradient) in zip(tuning.trainables, found.gradients) {
      expectTwin(Matrix(gradient), wanted[trainable.name], trainable.name) { _ in delta }
    }
  }
}
