import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import Methods

/// Nothing in the cache can be stale: whatever decides a bit of features is part of what they are found by.
@Suite struct FeatureKeyTests {
  /// A change of what features depend on.
  enum Ingredient: String, CaseIterable, CustomTestStringConvertible {
    case weights, configuration, crop, mean, exif, image
    var testDescription: String { rawValue }
  }

  @Test(arguments: Ingredient.allCases) func aChangeIsAMiss(_ ingredient: Ingredient) throws {
    let bench = try CacheBench()
    func run(_ cache: FeatureCache?, isChanged: Bool = false) throws -> CacheBench.Outcome {
      try bench.run("r-amt", cache: cache) { request in
        if isChanged, ingredient == .exif { request.exif = .ignore }
      }
    }
    _ = try run(bench.cache)
    #expect(try run(bench.cache).reused == 32)
    switch ingredient {
    case .weights:
      // The last tensor of the file need not be one of the image tower's: any change of weights counts.
      try bench.flip("model/model.safetensors", at: -3)
    case .configuration: try bench.edit("model/config.json", "quick_gelu", "gelu")
    case .crop: try bench.edit("model/preprocessor_config.json", "\"resample\": 3", "\"resample\": 2")
    case .mean: try bench.edit("model/preprocessor_config.json", "0.48145466", "0.48145467")
    case .image:
      let test = bench.folder.url.appendingPathComponent("pictures/test")
      let files = FileManager.default.enumerator(at: test, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
      let picture = try #require(files?.first { $0.pathExtension == "png" })
      // Bytes after the image: pixels are the same, contents are not.
      try Data(try Data(contentsOf: picture) + [0]).write(to: picture)
    case .exif: break
    }
    let known = ingredient == .image ? 31 : 0
    let found = try run(bench.cache, isChanged: true)
    #expect(found.reused == known)
    #expect(try run(nil, isChanged: true).files == found.files)
    #expect(try run(bench.cache, isChanged: true).reused == 32)
  }

  @Test func theProgramIsAPartOfIt() throws {
    let model = RunConfiguration.Model(path: "a", sha256: "b")
    func name(_ program: String?, _ model: RunConfiguration.Model = model) -> String? {
      EncoderIdentity(model, opened: [], program: program)?.shelf(cleaning: "published", truncates: false)
    }
    #expect(name("one") != nil && name("one") == name("one") && name("one") != name("two"))
    #expect(name(nil) == nil)
    #expect(name("one", .init(path: "a", sha256: "b", BackboneHints(heads: 1))) != name("one"))
    // Where a model lies decides nothing.
    #expect(name("one", .init(path: "elsewhere", sha256: "b")) == name("one"))
    let identity = try #require(EncoderIdentity(model, opened: []))
    let texts = [("published", false), ("published", true), ("hugging-face", false)]
    #expect(Set(texts.map { identity.shelf(cleaning: $0.0, truncates: $0.1) }).count == 3)
    #expect(EncoderIdentity(model, opened: [URL(fileURLWithPath: "/no/such/config.json")]) == nil)
  }

  @Test func drawsArePartOfAKey() {
    let crop = RandomResizedCrop(height: 8, width: 8)
    func key(_ transform: ImageLoader.Transform, _ number: Int = 0, _ epoch: Int = 0) -> FeatureKey {
      FeatureKey(image: [1, 2, 3], transform, number: number, epoch: epoch)
    }
    let keys = [
      key(.evaluation), key(.training(crop, seed: 1)), key(.training(crop, seed: 2)), key(.training(crop, seed: 1), 1),
      key(.training(crop, seed: 1), 0, 1), key(.shifted(RandomShift(pixels: 2), seed: 1)),
      key(.shifted(RandomShift(pixels: 3), seed: 1)),
      key(.training(RandomResizedCrop(height: 8, width: 8, scale: 0.5...1), seed: 1)),
      FeatureKey(image: [1, 2, 4], .evaluation, number: 0, epoch: 0),
    ]
    #expect(Set(keys).count == keys.count)
    // Without draws neither the number of an image nor the epoch matters.
    #expect(key(.evaluation) == key(.evaluation, 3, 4))
  }

  @Test func textsAreKnownByAllOfTheirList() {
    let keys = FeatureKey.texts(["a", "b"])
    #expect(keys == FeatureKey.texts(["a", "b"]) && Set(keys).count == 2)
    #expect(Set(keys).isDisjoint(with: FeatureKey.texts(["a", "b", "c"])))
    // Where one text ends and the next begins.
    #expect(Set(FeatureKey.texts(["a 1 b"])).isDisjoint(with: FeatureKey.texts(["a", "b"])))
    for key in keys { #expect(FeatureKey(bytes: key.bytes[...]) == key && key.bytes.count == 32) }
  }

  @Test func preparationsDiffer() throws {
    let identity = try #require(EncoderIdentity(.init(path: "a", sha256: "b"), opened: []))
    var (one, other) = (try Preprocessing.clip(size: 8), try Preprocessing.clip(size: 8))
    #expect(identity.shelf(one) == identity.shelf(other))
    other.exif = one.exif == .rotate ? .ignore : .rotate
    #expect(identity.shelf(one) != identity.shelf(other))
    one = try Preprocessing(geometry: .direct(height: 8, width: 8), mean: one.mean, std: one.std)
    #expect(identity.shelf(one) != identity.shelf(try .clip(size: 8)))
  }
}
