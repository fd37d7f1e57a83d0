import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Features that are kept: the same bits with and without, whatever happens to the files.
@Suite struct FeatureCacheTests {
  /// Training features, those of val, several views of an image, zero-shot predictions of a tuned encoder.
  @Test(arguments: ["linear", "task-res", "tip-adapter-f", "lp++", "r-amt"])
  func aRunHasTheSameBitsWithAndWithout(_ method: String) throws {
    let bench = try CacheBench()
    func run(_ cache: FeatureCache?) throws -> CacheBench.Outcome {
      try bench.run(method, cache: cache) {
        $0.selection = $0.method == "linear" ? .validation : nil
      } recipe: {
        $0.augments = $0.augments && method == "tip-adapter-f"
      }
    }
    let (plain, first, second) = (try run(nil), try run(bench.cache), try run(bench.cache))
    #expect(plain.files == first.files && first.files == second.files)
    #expect(plain.reused == 0 && first.reused == 0 && second.reused > 0)
    #expect(bench.names.count > 1)
    for outcome in [plain, first, second] { #expect(outcome.problems == []) }
  }

  /// What another run knows is not computed again; the rest of a batch is.
  @Test func aPartOfTheImagesMayBeKnown() throws {
    let bench = try CacheBench()
    func run(_ cache: FeatureCache?, shots: Int) throws -> CacheBench.Outcome {
      try bench.run("linear", cache: cache, shots: shots) {
        $0.selection = .last
      } recipe: {
        $0.augments = false
      }
    }
    let first = try run(bench.cache, shots: 1)
    #expect(first.reused == 0)
    let (plain, second) = (try run(nil, shots: 3), try run(bench.cache, shots: 3))
    // 32 test images, for the pretrained and for the tuned model, and those of one shot among those of three.
    #expect(second.reused > 64 && second.reused <= 64 + 4)
    #expect(plain.files == second.files)
  }

  @Test func methodsShareTheFeaturesOfOneModel() throws {
    let bench = try CacheBench()
    _ = try bench.run("linear", cache: bench.cache)
    let names = bench.names
    #expect(try bench.run("r-amt", cache: bench.cache).reused == 32)
    #expect(bench.names == names)
  }

  /// Wherever a byte changes, the entry is noticed, removed and made again.
  @Test(arguments: [0, 20, 300, -1]) func aDamagedEntryIsMadeAgain(offset: Int) throws {
    let bench = try CacheBench()
    let (plain, first) = (try bench.run("r-amt", cache: nil), try bench.run("r-amt", cache: bench.cache))
    let names = bench.names
    for name in names { try bench.flip("cache/\(name)", at: offset) }
    let second = try bench.run("r-amt", cache: bench.cache)
    #expect(second.reused == 0 && second.files == plain.files && first.files == plain.files)
    #expect(bench.names == names)
    #expect(bench.cache.removeDamaged().isEmpty)
    #expect(try bench.run("r-amt", cache: bench.cache).reused == 32)
  }

  @Test func aShortenedEntryIsMadeAgain() throws {
    let bench = try CacheBench()
    let plain = try bench.run("r-amt", cache: bench.cache)
    for name in bench.names {
      let url = bench.cache.folder.appendingPathComponent(name)
      try Data(try Data(contentsOf: url).dropLast()).write(to: url)
    }
    #expect(try bench.run("r-amt", cache: bench.cache).files == plain.files)
    #expect(bench.cache.removeDamaged().isEmpty)
  }

  /// A folder that cannot be made stands for a read-only or a full one: root may write everywhere.
  @Test func aCacheThatCannotBeWrittenCostsNothingButTime() throws {
    let bench = try CacheBench()
    try bench.folder.write("no folder", to: "cache")
    let (plain, found) = (try bench.run("linear", cache: nil), try bench.run("linear", cache: bench.cache))
    #expect(plain.files == found.files && found.reused == 0)
    #expect(found.problems.count == 1 && found.problems[0].contains("cache"))
  }

  @Test func theLeastRecentlyUsedEntriesAreRemoved() throws {
    let bench = try CacheBench()
    for index in 0..<4 {
      let about = FeatureFile.About(kind: "images", model: "m", data: "d", rows: 1, width: 100)
      let key = FeatureKey.texts(["\(index)"])
      try bench.cache.add(about, key, [Real](repeating: Real(index), count: 100), shelf: "shelf\(index)")
      let file = try #require(bench.cache.entries.first { $0.url.lastPathComponent.hasPrefix("shelf\(index)") })
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: Double(1000 + index))], ofItemAtPath: file.url.path)
    }
    let entries = bench.cache.entries
    #expect(entries.map { $0.url.lastPathComponent.prefix(6) } == ["shelf0", "shelf1", "shelf2", "shelf3"])
    FeatureCache.touch(entries[0].url)
    let small = FeatureCache(bench.cache.folder, limit: 2 * entries[0].bytes)
    #expect(small.trim().map(\.url) == [entries[1].url, entries[2].url])
    #expect(bench.names.map { $0.prefix(6) } == ["shelf0", "shelf3"])
    #expect(small.clear().count == 2 && bench.names.isEmpty)
  }

  @Test func aCacheStaysBelowItsLimit() throws {
    let whole = try CacheBench()
    let plain = try whole.run("linear", cache: whole.cache)
    let size = whole.cache.entries.reduce(0) { $0 + $1.bytes }
    let bench = try CacheBench(limit: size * 2 / 3)
    #expect(try bench.run("linear", cache: bench.cache).files["delta.safetensors"] == plain.files["delta.safetensors"])
    let left = bench.cache.entries.reduce(0) { $0 + $1.bytes }
    #expect(left > 0 && left <= bench.cache.limit)
    let none = try CacheBench(limit: 1)
    #expect(try none.run("linear", cache: none.cache).problems == [] && none.names == [])
  }
}
