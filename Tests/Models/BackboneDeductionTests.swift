import Checks
import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// The values that no tensor shows: of published models where the shapes are theirs, else assumed and said.
@Suite struct BackboneDeductionTests {
  private typealias Form = VisionConfiguration.Form

  private func deduce(
    _ model: ImageConfiguration, _ layout: WeightLayout = .timmVisionTransformer,
    _ library: BackboneDeduction.Library = .timm
  ) throws -> (ImageConfiguration, SettingOrigins) {
    let source = RandomShapes(model, layout)
    var deduction = BackboneDeduction(CanonicalShapes(source: source, layout: layout), BackboneHints(), library)
    let found: ImageConfiguration =
      switch model {
      case .swin: .swin(try deduction.swin())
      case .convNeXt: .convNeXt(try deduction.convNeXt())
      default: .visionTransformer(try deduction.visionTransformer())
      }
    return (found, deduction.origins)
  }

  private static func vit(
    _ width: Int, _ blocks: Int, patch: Int = 16, size: Int = 224, form: Form = .classifier
  ) -> ImageConfiguration {
    .visionTransformer(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: width, hiddenWidth: 4, blocks: blocks, heads: 1, activation: .gelu, epsilon: 1e-6),
        imageSize: size, patchSize: patch, form: form))
  }

  private static let clip = Form(hasPatchBias: false, hasPreNorm: true, hasClassToken: true, pooling: .classToken)
  private static let mean = Form(
    hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .meanOfNormalized)
  private static let normed = Form(
    hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .normalizedMean)
  private static let patches = Form(
    hasPatchBias: true, hasPreNorm: false, hasClassToken: true, positions: .patches, pooling: .classToken)

  /// A model with the settings that are in doubt; timm 1.0.31 has others of the same shapes.
  @Test(
    arguments: [
      (vit(192, 12), 3, []), (vit(768, 12), 12, []), (vit(1024, 24), 16, []), (vit(1280, 32, patch: 14), 16, []),
      (vit(1664, 48, patch: 14), 16, []), (vit(768, 12, form: patches), 12, []),
      (vit(768, 12, form: clip), 12, ["activation"]), (vit(768, 12, form: mean), 12, ["activation"]),
      (vit(768, 12, form: normed), 12, ["norms"]),
      (vit(1152, 27, patch: 14, size: 378, form: mean), 16, ["activation", "image size"]),
      (vit(1536, 40, form: mean), 16, ["activation"]),
      (vit(768, 11), 12, ["heads", "pooling", "activation", "ε"]),
      (vit(128, 2), 2, ["heads", "pooling", "activation", "ε"]),
      (vit(128, 2, form: patches), 2, ["heads", "pooling", "activation", "ε", "positions"]),
    ] as [(ImageConfiguration, Int, [String])]) func onlyDoubtsAreSaid(
      _ model: ImageConfiguration, heads: Int, names: [String]
    ) throws
  {
    let (found, origins) = try deduce(model)
    #expect(origins["heads"]?.value == "\(heads)")
    let doubtful = origins.all.filter { if case .assumed = $0.origin { true } else { false } }.map(\.name)
    #expect(doubtful.sorted() == names.sorted())
    guard case .visionTransformer(let size) = found, size.form.hasPreNorm else { return }
    // timm's CLIPs.
    #expect(size.transformer.epsilon == 1e-5)
  }

  /// ViT-g of DINOv2 is as wide and deep as that of SigLIP 2, and gated.
  @Test func gatedModelsHaveHeadsOfTheirOwn() {
    #expect(PublishedHeads.vision(width: 1536, blocks: 40, isGated: true)?.heads == 24)
    #expect(PublishedHeads.vision(width: 1536, blocks: 40)?.heads == 16)
  }

  /// `layer_norm_eps` of transformers leaves the norms of patches alone.
  @Test(arguments: [(BackboneDeduction.Library.transformers, 1e-5), (.timm, 1e-2)])
  func normsOfPatchesHaveTheirOwnEpsilon(_ library: BackboneDeduction.Library, _ epsilon: Double) throws {
    let layout = WeightLayout.timmSwin
    let source = RandomShapes(Self.swin(32, window: 7), layout)
    var hints = BackboneHints()
    hints.epsilon = 1e-2
    var deduction = BackboneDeduction(CanonicalShapes(source: source, layout: layout), hints, library, epsilon: 1e-5)
    let size = try deduction.swin()
    #expect(size.epsilon == 1e-2 && size.patchEpsilon == epsilon)
  }

  private static func swin(_ width: Int, window: Int) -> ImageConfiguration {
    .swin(
      SwinConfiguration(
        blocks: [2, 2, 6, 2], heads: [1, 2, 4, 8], width: width, expansion: 4, window: window, imageSize: window * 32))
  }

  private static func convNeXt(_ widths: [Int], _ blocks: [Int]) -> ImageConfiguration {
    .convNeXt(ConvNeXtConfiguration(blocks: blocks, widths: widths, expansion: 1, kernelSize: 7, imageSize: 224))
  }

  @Test(
    arguments: [
      (swin(96, window: 7), WeightLayout.timmSwin, BackboneDeduction.Library.timm, []),
      (swin(128, window: 12), .timmSwin, .timm, []), (swin(8, window: 7), .torchvisionSwin, .torchvision, []),
      (swin(96, window: 8), .timmSwin, .timm, ["image size", "activation", "ε"]),
      (convNeXt([96, 192, 384, 768], [3, 3, 9, 3]), .timmConvNeXt, .timm, ["image size"]),
      (convNeXt([96, 192, 384, 768], [3, 3, 9, 3]), .torchvisionConvNeXt, .torchvision, []),
      (convNeXt([8, 16, 24, 32], [1, 1, 1, 1]), .timmConvNeXt, .timm, ["image size", "activation", "ε"]),
    ] as [(ImageConfiguration, WeightLayout, BackboneDeduction.Library, [String])]) func sizesOfOtherFamilies(
      _ model: ImageConfiguration, _ layout: WeightLayout, _ library: BackboneDeduction.Library, names: [String]
    ) throws
  {
    let origins = try deduce(model, layout, library).1
    #expect(origins.all.filter { if case .assumed = $0.origin { true } else { false } }.map(\.name) == names)
  }

  /// The only ConvNeXt of timm with another ε.
  @Test func theLargestConvNeXtHasItsOwnEpsilon() throws {
    let origins = try deduce(Self.convNeXt([384, 768, 1536, 3072], [3, 4, 30, 3]), .timmConvNeXt).1
    #expect(origins["ε"]?.value == "1e-05")
  }

  @Test(arguments: [swin(8, window: 7), convNeXt([8, 16, 24, 32], [1, 1, 1, 1])])
  func anyOtherPoolingThanTheMeanIsRefused(_ model: ImageConfiguration) throws {
    let layout: WeightLayout = if case .swin = model { .timmSwin } else { .timmConvNeXt }
    let shapes = CanonicalShapes(source: RandomShapes(model, layout), layout: layout)
    var deduction = BackboneDeduction(shapes, BackboneHints(pooling: .token))
    let error = #expect(throws: ConfigurationError.self) {
      if case .swin = model { _ = try deduction.swin() } else { _ = try deduction.convNeXt() }
    }
    #expect(error?.description.contains("expected avg, as nothing else is supported, found token") == true)
  }
}
