import Models
import Tensor
import Testing

@testable import Checks

@Suite struct LayerChecksTests {
  @Test(arguments: LayerChecks.all) func differencesAgreeWithTheTape(_ check: GradientCheck) {
    for finding in check.findings() {
      #expect(
        finding.relativeError <= check.tolerance,
        "\(check.name), \(finding.input) \(finding.shape): element \(finding.index) is off by \(finding.absoluteError)")
    }
  }

  @Test(arguments: Layer.allCases) func everyLayerIsCheckedByBatchesOfOneAndTwo(_ layer: Layer) {
    let checks = LayerChecks.checks(of: layer)
    #expect(checks.count >= 2)
    #expect(checks.allSatisfy { $0.subject == layer.rawValue })
    // These two have no batch as an input.
    guard layer != .textTransformer, layer != .continuousPositionBias else { return }
    for batch in 1...2 { #expect(checks.contains { $0.inputs[0].value.shape[0] == batch }) }
  }

  @Test func namesAreUnique() {
    let names = LayerChecks.all.map(\.name)
    #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
  }

  /// A struct that holds frozen tensors must be one of `Layer`, or nobody would know that it needs a check.
  @Test func everyPartOfAModelIsAKnownLayer() {
    var found: Set<String> = []
    var kinds: Set<Layer> = []
    var pending: [Any] = LayerChecksTests.models as [Any] + LayerChecksTests.backbones
    while let value = pending.popLast() {
      let mirror = Mirror(reflecting: value)
      let children = mirror.children.map(\.value)
      pending += children
      let holdsTensors = children.map { type(of: $0) as Any.Type }
        .contains { $0 == Parameter.self || $0 == Parameter?.self || $0 == [Parameter].self }
      if let part = value as? any ParameterizedLayer {
        kinds.insert(type(of: part).layer)
      } else if holdsTensors, mirror.displayStyle == .struct {
        found.insert("\(type(of: value))")
      }
    }
    #expect(found.isEmpty, "no Layer: \(found.sorted())")
    #expect(kinds == Set(Layer.allCases))
  }

  /// A check that left out a tensor would say nothing about it.
  @Test func everyTensorOfAModelIsAnInputOfItsChecks() {
    let kinds = LayerChecksTests.models.map { Set($0.parameters.map(\.site.name)) }
    var seen = kinds.map { _ in 0 }
    for check in LayerChecks.checks(of: .clip) {
      #expect(check.inputs[0].name == "images")
      let names = Set(check.inputs.map(\.name))
      for (index, sites) in kinds.enumerated() where sites.isSubset(of: names) { seen[index] += 1 }
    }
    #expect(seen == [2, 2])
  }

  /// One of each kind of image tower.
  private static let models: [CLIP] = {
    let size = TransformerConfiguration(
      width: 6, hiddenWidth: 5, blocks: 1, heads: 2, activation: .gelu, epsilon: 1e-5)
    let towers: [ImageConfiguration] = [
      .visionTransformer(VisionConfiguration(transformer: size, imageSize: 2, patchSize: 1)),
      .resNet(ResNetConfiguration(stages: [1], width: 2, heads: 1, imageSize: 4)),
    ]
    return towers.map { vision in
      CLIP.random(
        CLIPConfiguration(
          vision: vision, text: TextConfiguration(transformer: size, vocabulary: 3, contextLength: 2), embedding: 3),
        seed: 1)
    }
  }()

  /// One of each architecture of an image classifier.
  private static let backbones: [ImageBackbone] = {
    let size = TransformerConfiguration(width: 6, hiddenWidth: 5, blocks: 1, heads: 2, activation: .gelu, epsilon: 1e-5)
    let architectures: [ImageConfiguration] = [
      .visionTransformer(VisionConfiguration(transformer: size, imageSize: 2, patchSize: 1, form: .classifier)),
      .swin(SwinConfiguration(blocks: [1, 1], heads: [1, 1], width: 2, window: 1, imageSize: 4, patchSize: 2)),
      .swin(
        SwinConfiguration(
          blocks: [1, 1], heads: [1, 1], width: 2, window: 1, imageSize: 4, patchSize: 2,
          positions: .continuous(hidden: 2, windows: [0, 0]))),
      .visionTransformer(
        VisionConfiguration(
          transformer: size, imageSize: 2, patchSize: 1,
          form: .init(hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .attention))),
      .convNeXt(ConvNeXtConfiguration(blocks: [1, 1], widths: [2, 3], imageSize: 4, patchSize: 2)),
      .convNeXt(
        ConvNeXtConfiguration(
          blocks: [1, 1], widths: [2, 3], imageSize: 4, patchSize: 2, hasLayerScale: false, hasResponseNorm: true)),
    ]
    return architectures.map { ImageBackbone.random($0, classes: 2, seed: 1) }
  }()
}
