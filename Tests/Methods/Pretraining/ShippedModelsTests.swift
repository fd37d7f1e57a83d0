import Datasets
import Foundation
import Models
import Tensor
import Testing

@testable import Methods

/// The models that come with the library are what `frugal pretrain` makes.
@Suite struct ShippedModelsTests {
  private static let isPretrainingBuild = MemoryLayout<Real>.size == 4 && hasFusedMultiplyAdd

  private func bytes(_ folder: URL) throws -> Int {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent(name).path)
      return sum + ((attributes[.size] as? NSNumber)?.intValue ?? 0)
    }
  }

  @Test func theyAreSmall() throws {
    #expect(try bytes(MiniatureModels.clip) + bytes(MiniatureModels.vit) < 8_000_000)
  }

  @Test func theOrdinaryReadersReadThem() throws {
    let clip = try PretrainedModel(contentsOf: MiniatureModels.clip)
    #expect(clip.warnings.isEmpty && clip.preprocessing.outputSize == (32, 32))
    let words = try ContrastivePretraining(seed: 1)
    #expect(clip.model.configuration == words.model.configuration)
    let vit = try PretrainedBackbone(contentsOf: MiniatureModels.vit, .imagenet)
    #expect(vit.warnings.isEmpty && vit.backbone.classes == Miniature.PretrainingStream.classes.count)
    guard case .visionTransformer(let size) = vit.backbone.configuration else {
      Issue.record("expected a vision transformer, found a \(vit.backbone.configuration.architecture)")
      return
    }
    #expect(size == SupervisedPretraining.configuration)
  }

  /// The first steps of the recorded pretraining, taken again: the same losses to the bit.
  @Test(.enabled(if: isPretrainingBuild, "the models were trained in single precision with fused multiply-add"))
  func theirFirstStepsAreRepeated() throws {
    let (clip, vit) = (PretrainingFolder(MiniatureModels.clip), PretrainingFolder(MiniatureModels.vit))
    let recipes = (try clip.read().recipe, try vit.read().recipe)
    try expectSameSteps(
      clip, Pretraining(try ContrastivePretraining(seed: UInt64(recipes.0.seed)), recipes.0))
    try expectSameSteps(vit, Pretraining(try SupervisedPretraining(seed: UInt64(recipes.1.seed)), recipes.1))
  }

  private func expectSameSteps(_ folder: PretrainingFolder, _ pretraining: Pretraining<some PretrainingObjective>)
    throws
  {
    let lines = try String(contentsOf: folder.metrics, encoding: .utf8).split(separator: "\n").prefix(4)
    var state = pretraining.start()
    let batches = pretraining.batches(from: 0)
    for (step, line) in lines.enumerated() {
      let found = pretraining.step(&state, on: try batches.next(step))
      let recorded = try JSONDecoder().decode(
        Pretraining<ContrastivePretraining>.Progress.self, from: Data(line.utf8))
      #expect(found.step == recorded.step && found.loss == recorded.loss, "step \(step + 1)")
      #expect(found.gradientNorm == recorded.gradientNorm && found.accuracy == recorded.accuracy, "step \(step + 1)")
    }
    #expect(lines.count == 4)
  }
}
