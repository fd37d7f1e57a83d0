import Foundation
import FrugalTestSupport
import Methods
import Testing

@testable import frugal

/// The cache of features as it is typed.
@Suite struct CacheCommandTests {
  private func tune(_ folder: TemporaryFolder, _ name: String, _ method: String = "linear") -> [String] {
    Workbench.quickRun(method, out: folder.url.appendingPathComponent(name))
  }

  @Test func entriesAreListedPrunedAndRemoved() async throws {
    let folder = try TemporaryFolder()
    let cache = ["--cache", folder.path("cache")]
    #expect(try await runFrugal(["cache"] + cache).output.contains("0 files, 0.0 kB of at most 5.4 GB"))
    let first = try await runFrugal(tune(folder, "a") + cache)
    #expect(first.code == 0 && !first.errors.contains("came from the cache"), "\(first.errors)")
    let second = try await runFrugal(tune(folder, "b", "r-amt") + cache)
    #expect(second.errors.contains("features of 32 images came from the cache"), "\(second.errors)")
    let counts = try ["a", "b"].map { run in
      try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("\(run)/timing.json")))["reusedFeatures"].int
    }
    #expect(counts == [nil, 32])
    let page = folder.path("report.html")
    #expect(try await runFrugal("report", folder.path("a"), folder.path("b"), "--out", page).code == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("images from the cache"))
    let text = try await runFrugal(["cache"] + cache).output
    #expect(text.contains("features of") && text.contains("images") && text.contains("texts"), "\(text)")
    #expect(text.contains(Workbench.model) && text.contains(Workbench.pictures) && text.contains("now"))
    let json = try await runFrugal(["cache", "--json"] + cache).json()
    #expect(json["entries"].array?.count == 2 && json["removedFiles"].int == nil && json["unreadable"].int == 0)
    let entry = try #require(folder.contents.first { $0.hasSuffix(".features") })
    var bytes = try folder.bytes(entry)
    bytes[bytes.count - 1] ^= 1
    try folder.write(bytes, to: entry)
    let pruned = try await runFrugal(["cache", "--prune", "--json"] + cache).json()
    #expect(pruned["removedFiles"].int == 1 && pruned["removedBytes"].int == bytes.count)
    #expect(try await runFrugal(["cache", "--prune", "--cache-size", "0K"] + cache).code == 0)
    #expect(folder.contents.allSatisfy { !$0.hasSuffix(".features") })
  }

  @Test func theEnvironmentNamesTheFolder() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(tune(folder, "a"), environment: ["FRUGAL_CACHE": folder.path("named")])
    #expect(run.code == 0 && folder.contents.contains { $0.hasPrefix("named/") })
    #expect(try await runFrugal(["cache"], environment: ["FRUGAL_CACHE": folder.path("named")]).code == 0)
    expectRefusal(try await runFrugal(["cache"]), code: 2, ["--cache: expected a folder, found off"])
    let off = try await runFrugal(
      tune(folder, "b") + ["--cache", "off"], environment: ["FRUGAL_CACHE": folder.path("other")])
    #expect(off.code == 0 && !folder.exists("other"))
    #expect(try await runFrugal("doctor", environment: ["FRUGAL_CACHE": folder.path("named")]).output.contains("named"))
    expectRefusal(
      try await runFrugal(["cache", "--cache-size", "5"]), code: 2, ["--cache-size: expected a whole number and K, M"])
  }

  @Test func theUsualFolderIsThatOfTheSpecification() throws {
    func folder(_ environment: [String: String]) throws -> String? {
      try CacheFlags.cache(.none, environment)?.folder.path
    }
    #expect(try folder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/frugal")
    #expect(try folder(["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/frugal")
    #expect(try folder(["HOME": "/h"]) == "/h/.cache/frugal" && folder([:]) == nil)
    #expect(try folder(["HOME": "/h", "FRUGAL_CACHE": "off"]) == nil)
    #expect(try CacheFlags.cache(.none, ["HOME": "/h", "FRUGAL_CACHE_SIZE": "3M"])?.limit == 3 << 20)
  }

  /// One warning for a whole sweep, and the results of one without a cache.
  @Test func aCacheThatCannotBeWrittenIsSaidOnce() async throws {
    let folder = try TemporaryFolder()
    let plan = try folder.write(
      """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 2, "lr": 0.01},
       "methods": ["linear", "task-res"], "data": ["\(Workbench.pictures)"], "shots": [2], "seeds": [1, 2]}
      """, to: "plan.json"
    ).path
    try folder.write("no folder", to: "file")
    let found = try await runFrugal("sweep", plan, "--out", folder.path("x"), "--cache", folder.path("file"))
    #expect(found.code == 0 && found.errors.split(separator: "\n").count { $0.contains("features are not kept") } == 1)
    let plain = try await runFrugal("sweep", plan, "--out", folder.path("y"))
    #expect(plain.output == found.output)
    try expectSame(folder, "x", "y")
  }

  /// Processes that fill one cache at the same time: the results of one that has none.
  @Test func severalProcessesShareACache() async throws {
    let folder = try TemporaryFolder()
    let methods = ["linear", "task-res", "r-amt", "linear", "task-res", "r-amt"]
    try await withThrowingTaskGroup(of: Int32.self) { group in
      for (index, method) in methods.enumerated() {
        let words = tune(folder, "x/\(index)", method) + ["--cache", folder.path("cache")]
        group.addTask { try await runFrugal(words).code }
      }
      for try await code in group { #expect(code == 0) }
    }
    for (index, method) in methods.enumerated() {
      #expect(try await runFrugal(tune(folder, "y/\(index)", method)).code == 0)
    }
    try expectSame(folder, "x", "y")
    #expect(folder.contents.allSatisfy { !$0.contains(".frugal-") })
    let cache = FeatureCache(folder.url.appendingPathComponent("cache"))
    #expect(cache.removeDamaged().isEmpty && cache.entries.count > 1)
  }

  private func expectSame(_ folder: TemporaryFolder, _ a: String, _ b: String) throws {
    let results = folder.contents.filter {
      $0.hasPrefix("\(a)/") && ($0.hasSuffix("result.json") || $0.hasSuffix("delta.safetensors"))
    }
    #expect(results.count > 3)
    for file in results { #expect(try folder.bytes(file) == folder.bytes(b + file.dropFirst(a.count)), "\(file)") }
  }
}
