import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import Methods

/// Runs on a copy of the tiny model and of the pictures, with a cache of their own.
struct CacheBench {
  let folder: TemporaryFolder
  let cache: FeatureCache

  init(limit: Int = FeatureCache.usualLimit) throws {
    folder = try TemporaryFolder()
    for (name, source) in [("model", "tiny-clip"), ("pictures", "pictures")] {
      try FileManager.default.copyItem(
        at: Fixtures.embedded.appendingPathComponent(source), to: folder.url.appendingPathComponent(name))
    }
    let pictures = folder.url.appendingPathComponent("pictures")
    try FileManager.default.copyItem(
      at: pictures.appendingPathComponent("test"), to: pictures.appendingPathComponent("val"))
    cache = FeatureCache(folder.url.appendingPathComponent("cache"), limit: limit)
  }

  /// What a run of two epochs wrote, by file, and what it said of the cache.
  struct Outcome {
    var files: [String: Data] = [:]
    var reused = 0
    var problems: [String] = []
  }

  /// A run of a method in a folder of its own.
  func run(
    _ method: String, cache: FeatureCache?, shots: Int = 2, change: @escaping (inout RunRequest) -> Void = { _ in },
    recipe: @escaping @Sendable (inout Recipe) -> Void = { _ in }
  ) throws -> Outcome {
    let url = folder.url.appendingPathComponent("run-\(UUID())")
    var request = RunRequest(
      method: method, model: folder.url.appendingPathComponent("model").path,
      data: folder.url.appendingPathComponent("pictures").path)
    (request.shots, request.templates, request.isForced) = (.count(shots), ["a {}", "the {}"], true)
    request.adjust = {
      ($0.epochs, $0.batchSize) = (2, 4)
      recipe(&$0)
    }
    change(&request)
    var run = try Run(request, in: RunFolder(url))
    run.featureCache = cache
    var outcome = Outcome()
    _ = try run.train(report: { event in
      switch event {
      case .reused(let count): outcome.reused += count
      case .cacheFailed(let problem): outcome.problems.append(problem)
      default: break
      }
    })
    for name in ["delta.safetensors", "checkpoint.safetensors", "result.json", "predictions.jsonl", "config.json"] {
      outcome.files[name] = try Data(contentsOf: url.appendingPathComponent(name))
    }
    return outcome
  }

  /// The files of the cache, by name.
  var names: [String] { cache.entries.map(\.url.lastPathComponent).sorted() }

  /// Changes one byte of a file below the folder.
  func flip(_ path: String, at offset: Int) throws {
    let url = folder.url.appendingPathComponent(path)
    var bytes = [UInt8](try Data(contentsOf: url))
    bytes[(offset % bytes.count + bytes.count) % bytes.count] ^= 1
    try Data(bytes).write(to: url)
  }

  /// Replaces text in a file below the folder.
  func edit(_ path: String, _ old: String, _ new: String) throws {
    let url = folder.url.appendingPathComponent(path)
    let text = try String(contentsOf: url, encoding: .utf8)
    try #require(text.contains(old), "\(text)")
    try text.replacing(old, with: new).write(to: url, atomically: true, encoding: .utf8)
  }
}
