import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct DeltaTests {
  private let model: CLIP
  private let folder: TemporaryFolder
  private var url: URL { folder.url.appendingPathComponent("delta.safetensors") }

  init() throws {
    model = try TinyCLIP.model()
    folder = try TemporaryFolder()
  }

  private func description(alpha: Double? = nil) -> Delta.Description {
    .init(
      method: "r-amt", model: "abc", classes: ["a", "b", "ç \"d\"", "d", "e"], templates: ["a {}."],
      ensembling: .rawMean,
      cleaning: "published", alpha: alpha)
  }

  /// A mask with every third bit pruned.
  private func mask(_ count: Int) -> BitMask {
    var mask = BitMask(repeating: true, count: count)
    for index in stride(from: 0, to: count, by: 3) { mask[index] = false }
    return mask
  }

  private func read() throws -> Delta { try Delta(contentsOf: url, for: model.vision, modelHash: "abc") }

  @Test func whatIsWrittenIsRead() throws {
    var delta = Delta(description(alpha: 0.5))
    for parameter in model.vision.parameters { delta.masks[parameter.site.name] = mask(parameter.value.count) }
    delta.tensors[DeltaEntry.residual.name] = CheckNumbers(seed: 1).tensor([5, TinyCLIP.embedding], scale: 1)
    try delta.write(to: url)
    let found = try read()
    #expect(found.description == delta.description)
    #expect(found.masks == delta.masks && found.tensors == delta.tensors)
    let before = try Data(contentsOf: url)
    try found.write(to: url)
    #expect(try Data(contentsOf: url) == before)
  }

  /// A branch at a matrix that is no linear map would only be found when the encoder runs.
  @Test func branchesElsewhereThanAtLinearMapsAreRefused() throws {
    let form = Branch.Form(
      isSequential: false, hasActivation: false, dropout: 0, dropPath: 0, dropoutSite: 0, dropPathSite: 0)
    for (site, isMap) in [("vision.blocks.0.attention.query", true), ("vision.positions", false)] {
      let shape = try #require(model.vision.parameters.first { $0.site.name == site }).value.shape
      var delta = Delta(description())
      delta.description.branches = [site: form]
      delta.tensors = ["\(site).branch.down": .zeros([2, shape[1]]), "\(site).branch.up": .zeros([shape[0], 2])]
      try delta.write(to: url)
      if isMap {
        #expect(try read().tensors.count == 2)
      } else {
        let error = #expect(throws: DeltaError.self) { try read() }
        #expect(error?.description.hasSuffix("linear maps of the image encoder, found one at \(site)") == true)
      }
    }
  }

  @Test func bitsAreThoseOfTheThreshold() throws {
    let groups = MaskSites.attention.groups(of: model.vision, .official)
    let tuning = MaskTuning(groups: groups, dropout: nil)
    var numbers = CheckNumbers(seed: 9)
    let values = tuning.parameters.map { numbers.next($0.value.shape, scale: 0.01).shifted(by: MaskTuning.threshold) }
    var delta = Delta(description())
    tuning.write(values, to: &delta)
    try delta.write(to: url)
    let file = try SafeTensorsFile(contentsOf: url)
    #expect(file.names.count == values.count)
    for (parameter, value) in zip(tuning.parameters, values) {
      let bytes = try file.bytes("\(parameter.site.name).mask")
      #expect(try file.entry("\(parameter.site.name).mask").type == .u8)
      #expect(bytes.count == (value.count + 7) / 8)
      let bits: [Bool] = (0..<8 * bytes.count).map { bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
      #expect(Array(bits.prefix(value.count)) == value.values.map { $0 > MaskTuning.threshold })
      #expect(!bits.dropFirst(value.count).contains(true))
    }
  }

  @Test func theTunedModelHasTheSameBits() throws {
    let groups = MaskSites.all.groups(of: model.vision, .official)
    let features = TinyCLIP.textFeatures
    let method = Method(
      encoder: MaskTuning(groups: groups, dropout: nil),
      head: TaskRes(textFeatures: features, alpha: 0.7, logitScale: model.logitScale),
      tower: model.vision
    )
    var numbers = CheckNumbers(seed: 5)
    var values = method.encoder.trainables.map {
      numbers.next($0.initial.shape, scale: 0.01).shifted(by: MaskTuning.threshold + 0.004)
    }
    values.append(numbers.next(features.shape, scale: 0.3))
    var delta = Delta(description(alpha: 0.7))
    method.encoder.write(Array(values.dropLast()), to: &delta)
    method.head.write([values[values.count - 1]], to: &delta)
    try delta.write(to: url)
    let tuned = try read().method(on: model.vision, text: (features, model.logitScale))
    #expect(tuned.trainables.isEmpty)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(tuned.logits(images, values: []) == method.logits(images, values: values))
    let frozen = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: features, logitScale: model.logitScale),
      tower: model.vision)
    #expect(tuned.logits(images, values: []) != frozen.logits(images, values: []))
  }

  @Test func anEmptyDeltaIsTheZeroShotModel() throws {
    try Delta(description()).write(to: url)
    let tuned = try read().method(on: model.vision, text: (TinyCLIP.textFeatures, model.logitScale))
    let frozen = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale),
      tower: model.vision)
    let images = Method.Input.images(TinyCLIP.images(3))
    #expect(tuned.logits(images, values: []) == frozen.logits(images, values: []))
  }

  private func message() -> String {
    do {
      _ = try read()
      return ""
    } catch { return "\(error)" }
  }

  @Test func descriptionsMustFit() throws {
    let changes: [(String, (inout Delta.Description) -> Void)] = [
      ("expected delta format 1, or 2 of one on top of others, found 2", { $0.format = 2 }),
      ("expected classes and templates, found 0", { $0.classes = [] }),
      ("expected classes and templates, found 5 and 0", { $0.templates = [] }),
      ("expected a delta of the model with SHA-256 abc…, found one of xyz…", { $0.model = "xyz" }),
    ]
    for (text, change) in changes {
      var delta = Delta(description())
      change(&delta.description)
      try delta.write(to: url)
      #expect(message().contains(text), "\(message())")
    }
  }

  @Test func tensorsMustFit() throws {
    let residual = "expected tensor \"classifier.residual\" of shape [5, 6] and its alpha"
    for (alpha, name, shape, text) in [
      (0.5, DeltaEntry.residual.name, [5, 7], "\(residual), found \"classifier.residual\" of shape [5, 7], alpha 0.5"),
      (nil, DeltaEntry.residual.name, [5, 6], "of shape [5, 6], alpha none"),
      (0.5, "stranger", [5, 6], "found \"stranger\""),
    ] as [(Double?, String, [Int], String)] {
      var delta = Delta(description(alpha: alpha))
      delta.tensors[name] = .zeros(Shape(shape))
      try delta.write(to: url)
      #expect(message().contains(text), "\(message())")
    }
    var delta = Delta(description())
    delta.masks["vision.nowhere"] = mask(8)
    try delta.write(to: url)
    #expect(message().contains("expected masks of sites of the image encoder, found \"vision.nowhere.mask\""))
  }
}
