import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Tiny classifiers of timm, transformers and torchvision in every form that is read, with the features and gradients
/// that these libraries calculate (`Tests/Fixtures/timm/make.py`).
@Suite struct LibraryClassifierTests {
  /// A model of the fixtures, without what was calculated for it.
  struct Stored: TensorSource {
    let file: SafeTensorsFile
    let label: String

    init(_ name: String) throws {
      let url = Fixtures.embedded.appendingPathComponent("timm/\(name).safetensors")
      file = try SafeTensorsFile(contentsOf: url)
      label = "\(name).safetensors"
    }

    var names: [String] { file.names.filter { !$0.hasPrefix("golden/") } }
    func shape(of name: String) -> Shape? { file.shape(of: name) }
    func tensor(_ name: String) throws -> Tensor { try file.tensor(name) }
    func golden(_ name: String) throws -> Tensor { try file.tensor("golden/\(name)") }
    var hints: BackboneHints {
      var hints = BackboneHints(heads: file.metadata["heads"].flatMap { Int($0) })
      hints.window = file.metadata["window"].flatMap { Int($0) }
      hints.pretrainedWindows = file.metadata["pretrained"]?.split(separator: ",").compactMap { Int($0) }
      hints.rotaryBase = file.metadata["rotary"].flatMap { Double($0) }
      hints.epsilon = file.metadata["epsilon"].flatMap { Double($0) }
      hints.pooling = file.metadata["pooling"].flatMap { GlobalPooling(rawValue: $0) }
      hints.gatesBySiLU = label.hasPrefix("vit-swiglu") || file.metadata["silu"] != nil
      return hints
    }
  }

  private static let names = [
    "vit-layer-scale", "vit-registers", "vit-registers-positions", "vit-no-class", "vit-gap", "vit-qk-norm",
    "vit-swiglu", "vit-swiglu-packed", "vit-map", "vit-pre-norm", "deit-distilled", "beit", "convnext-v2",
    "convnext-conv-mlp", "hf-dinov2", "hf-dinov2-registers-swiglu", "hf-beit", "torchvision-vit", "torchvision-swin",
    "torchvision-swin-v2", "torchvision-convnext", "swin-v2", "hf-swin-v2", "dinov3", "dinov3-biases-swiglu",
    "dinov3-authors", "hf-dinov3", "hf-dinov3-swiglu",
  ]

  private func model(_ name: String) throws -> (stored: Stored, backbone: ImageBackbone, images: Tensor) {
    let stored = try Stored(name)
    let images = try stored.golden("images")
    var hints = stored.hints
    hints.imageSize = images.shape[2]
    return (stored, try ImageBackbone(from: stored, hints: hints), images)
  }

  /// Rounding errors of a network of few layers and single precision: some ten operations of some ten terms each.
  private static let tolerance = 1e-5

  /// transformers resizes positions with antialiasing where there are registers, and without elsewhere.
  @Test(arguments: [
    ("hf-dinov2", PositionResampling.plainBicubic), ("hf-dinov2-registers-swiglu", .timm), ("hf-dinov3", .timm),
  ]) func positionsAreResizedAsInTheLibrary(_ name: String, _ resampling: PositionResampling) throws {
    #expect(try BackboneFormat.of(Stored(name)).0.resampling == resampling)
  }

  /// No registers, stored as a tensor without elements.
  @Test func noRegistersAreNone() throws {
    let stored = try Stored("hf-dinov2")
    var tensors = try Dictionary(uniqueKeysWithValues: stored.names.map { ($0, try stored.tensor($0)) })
    let width = try #require(tensors["embeddings.cls_token"]).shape[2]
    tensors["embeddings.register_tokens"] = .zeros([1, 0, width])
    let found = try ImageBackbone(from: StoredSource(tensors: tensors), hints: stored.hints)
    guard case .visionTransformer(let size) = found.configuration else { return }
    #expect(size.form.registers == 0)
  }

  @Test(arguments: names) func featuresEqualTheLibrarys(_ name: String) throws {
    let (stored, backbone, images) = try model(name)
    expectClose(
      backbone.tower(Variable(images), Pass()).value, try stored.golden("features"), rtol: Self.tolerance,
      atol: Self.tolerance, name)
  }

  /// Gradients by the tensors as they are stored: stacked ones, and in their own order of extents.
  @Test(arguments: names) func gradientsEqualTheLibrarys(_ name: String) throws {
    let (stored, backbone, images) = try model(name)
    let (tape, parameters) = (Tape(), backbone.tower.parameters)
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let features = backbone.tower(Variable(images), pass)
    let gradients = tape.gradients(of: [(features, try stored.golden("weights"))], for: leaves)[0]
    let found = backbone.layout.stored(zip(parameters, gradients).map { ($0.site.name, $1) }) { name in
      .zeros(stored.shape(of: name) ?? [])
    }
    let wanted = stored.file.names.filter { $0.hasPrefix("golden/gradient/") }
    #expect(!wanted.isEmpty)
    for key in wanted {
      let parameter = String(key.dropFirst("golden/gradient/".count))
      // What is not stored under the model's class prefix in memory has it in the file, and the other way round.
      let got = try #require(found[parameter], "\(parameter): no such gradient")
      let want = try stored.file.tensor(key)
      // Sums of more terms than features have.
      expectClose(got, want, rtol: 10 * Self.tolerance, atol: 10 * Self.tolerance, "\(name), \(parameter)")
    }
  }

  /// Heads that read two vectors predict as the library does, and are not loaded for other classes.
  @Test(arguments: ["deit-two-heads", "hf-deit-two-heads", "hf-dinov2-head"])
  func aHeadOfTwoVectorsPredictsAsTheLibrarys(_ name: String) throws {
    let (stored, backbone, images) = try model(name)
    let trained = try #require(backbone.trained)
    #expect(backbone.head == nil && backbone.warnings == [] && trained.reads != nil)
    #expect(trained.tower.featureWidth == 2 * backbone.tower.featureWidth)
    let logits = trained.head(trained.tower(Variable(images), Pass()), Pass()).value
    expectClose(logits, try stored.golden("features"), rtol: Self.tolerance, atol: Self.tolerance, name)
    for classes in [3, 4] {
      let other = try ImageBackbone(from: stored, hints: stored.hints, classes: classes)
      #expect(other.head == nil && other.warnings.count { $0.hasSuffix("using a new one") } == 1)
    }
  }

  /// No tensor is read as something else: each that is added to a model which has no use for it is refused by its name.
  @Test(arguments: [
    "dist_token", "blocks.0.ls1.gamma", "blocks.0.attn.q_norm.weight", "blocks.0.attn.rel_pos.bias",
    "attn_pool.latent", "rope.freqs", "absolute_pos_embed",
  ]) func aTensorWithoutUseIsRefusedByName(_ name: String) throws {
    let stored = try Stored("vit-pre-norm")
    var tensors: [String: Tensor] = [:]
    for name in stored.names { tensors[name] = try stored.tensor(name) }
    tensors[name] = .zeros([1, 1, 8])
    let error = #expect(throws: (any Error).self) {
      try ImageBackbone(from: StoredSource(tensors: tensors), hints: stored.hints)
    }
    let words = "\(try #require(error))"
    // A table of relative positions or a scale also asks for its partner.
    #expect(words.contains("model.safetensors") && words.contains("\""), "\(words)")
  }

  /// timm's gated MLPs have the GELU of the other models unless they are told otherwise, and no tensor shows it.
  @Test(arguments: ["vit-swiglu", "vit-swiglu-packed"]) func aGateThatNobodyStatesIsRefused(_ name: String) throws {
    let stored = try Stored(name)
    var hints = stored.hints
    hints.gatesBySiLU = false
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: stored, hints: hints) }
    #expect(error?.description.contains("mlp.fc1") == true && error?.description.contains("act_layer") == true)
    let plain = try Stored("vit-gap")
    var wrong = plain.hints
    wrong.gatesBySiLU = true
    #expect(throws: ConfigurationError.self) { try ImageBackbone(from: plain, hints: wrong) }
  }

  /// Rotary positions leave no trace in the files of timm and transformers: what states them is obeyed, and only that.
  @Test func rotaryPositionsMustBeStated() throws {
    for name in ["dinov3", "hf-dinov3"] {
      let stored = try Stored(name)
      var hints = stored.hints
      hints.rotaryBase = nil
      let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: stored, hints: hints) }
      #expect(error?.description.contains("a config.json that states a DINOv3") == true)
    }
    let other = try Stored("vit-gap")
    var hints = other.hints
    hints.imageSize = 1 << 20
    let large = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: other, hints: hints) }
    #expect(large?.description.contains("image size: expected at most 1024 patches along a side") == true)
    (hints.imageSize, hints.rotaryBase) = (other.hints.imageSize, 100)
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: other, hints: hints) }
    #expect(error?.description.contains("\"pos_embed\": expected none, as rotary positions are stated") == true)
    let narrow = try Stored("dinov3")
    hints = narrow.hints
    hints.imageSize = 1 << 24
    let size = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: narrow, hints: hints) }
    #expect(size?.description.contains("image size: expected at most 1024 patches along a side") == true)
    (hints.imageSize, hints.heads) = (12, 8)
    let heads = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: narrow, hints: hints) }
    #expect(heads?.description.contains("heads: expected a head width that is a multiple of 4") == true)
  }

  @Test func rotaryPositionsAreSaid() throws {
    func origins(_ name: String) throws -> [String: String] {
      let origins = try model(name).backbone.origins
      return Dictionary(uniqueKeysWithValues: origins.all.map { ($0.name, "\($0.value): \($0.origin)") })
    }
    let authors = try origins("dinov3-authors")
    #expect(authors["rotary positions"] == "stored periods: tensor \"rope_embed.periods\"")
    #expect(authors["heads"] == "1: tensor \"rope_embed.periods\"")
    #expect(authors["ε"]?.hasPrefix("1e-05: assumed: usual, but in no tensor") == true)
    #expect(try origins("hf-dinov3")["rotary positions"] == "periods to the base 50: stated by the caller")
    let usual = try ImageBackbone(from: Stored("dinov3"), hints: Stored("dinov3").hints)
    #expect(usual.tower.imageSize == 224)
    let size = try #require(usual.origins["image size"])
    #expect(size.origin.description.hasPrefix("assumed: usual, though rotary positions suit images of any size"))
  }

  /// Since transformers 5 the blocks of DINOv3 have a prefix in memory that the other tensors lack; some files have it.
  @Test(arguments: ["", "dinov3_vit.", "module."]) func blocksOfDINOv3BelowAModelAreRead(_ path: String) throws {
    let (stored, wanted, images) = try model("hf-dinov3")
    var tensors: [String: Tensor] = [:]
    for name in stored.names {
      tensors[path + (name.hasPrefix("layer.") ? "model." : "") + name] = try stored.tensor(name)
    }
    var hints = stored.hints
    hints.imageSize = images.shape[2]
    let found = try ImageBackbone(from: StoredSource(tensors: tensors), hints: hints)
    let features = found.tower(Variable(images), Pass()).value
    #expect(features == wanted.tower(Variable(images), Pass()).value)
    #expect(found.warnings.isEmpty == (path != "module."))
    #expect(
      found.layout.location(of: "vision.blocks.0.attention.query")?.name
        == "\(path)model.layer.0.attention.q_proj.weight")
    for version in TransformersVersion.allCases {
      let site = "vision.blocks.0.attention.query"
      let (here, there) = (found.layout.module(of: site, in: version), wanted.layout.module(of: site, in: version))
      #expect(here == there)
    }
  }

  /// torchvision's classes leave no choice of the windows; what is stored for the biases of keys counts as zero.
  @Test func torchvisionsSwinV2HasItsWindowsAndNoBiasOfKeys() throws {
    let stored = try Stored("torchvision-swin-v2")
    var tensors: [String: Tensor] = [:]
    for name in stored.names { tensors[name] = try stored.tensor(name) }
    let bias = try #require(tensors["features.1.0.attn.qkv.bias"])
    let third = bias.shape[0] / 3
    tensors["features.1.0.attn.qkv.bias"] = Tensor(
      bias.shape, bias.values.enumerated().map { third..<2 * third ~= $0 ? 7 : $1 })
    var hints = stored.hints
    hints.imageSize = 16
    let (own, other) = (
      try ImageBackbone(from: stored, hints: hints),
      try ImageBackbone(from: StoredSource(tensors: tensors), hints: hints)
    )
    let images = Variable(try stored.golden("images"))
    #expect(own.tower(images, Pass()).value == other.tower(images, Pass()).value)
    let usual = try ImageBackbone(from: stored).origins
    #expect(usual["windows"]?.value == "8" && usual["windows"]?.origin == .published("models of torchvision"))
    #expect(usual["image size"]?.value == "32")
  }

  @Test func sitesAreTheTensorsAsStored() throws {
    let backbone = try model("beit").backbone
    let sites = Dictionary(uniqueKeysWithValues: backbone.tower.parameters.map { ($0.site.name, $0) })
    let scale = try #require(sites["vision.blocks.0.attention.layerScale"])
    #expect(scale.site.role == .layerScale && scale.site.block == 0)
    #expect(try scale.value == Stored("beit").tensor("blocks.0.gamma_1"))
    #expect(sites["vision.blocks.0.attention.positionBias"]?.site.role == .positionBias)
    #expect(sites["vision.blocks.0.attention.key.bias"] == nil && sites["vision.positions"] == nil)
    let gated = try model("vit-swiglu-packed").backbone
    let location = try #require(gated.layout.location(of: "vision.blocks.0.mlp.up"))
    #expect(location.name == "blocks.0.mlp.fc1.weight" && location.part == 1 && location.of == 2)
  }
}
