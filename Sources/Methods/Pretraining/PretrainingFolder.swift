import Formats
import Foundation
import Tensor

/// The folder of a pretraining.
package struct PretrainingFolder: Sendable {
  /// The folder.
  package let url: URL

  /// The folder at a path; nothing is read or written.
  package init(_ url: URL) { self.url = url }

  /// The network and its recipe.
  package var settings: URL { url.appendingPathComponent("pretraining.json") }
  /// One line per recorded step.
  package var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// Everything needed to resume.
  package var checkpoint: URL { url.appendingPathComponent("checkpoint.safetensors") }

  /// `pretraining.json`.
  package struct Settings: Sendable, Codable, Equatable {
    /// The network: `clip` or `vit`.
    package var model: String
    /// Every setting of the recipe.
    package var recipe: PretrainingRecipe
    /// The images and captions; `nil` for the miniature world.
    package var pairs: FolderPretraining.Settings?
    /// The version of frugal.
    package var version: String
    /// The element type of tensors.
    package var precision: String
    /// True if products and sums are fused, which decides the last bits.
    package var isFused: Bool

    /// The settings of a pretraining by this build.
    package init(model: String, recipe: PretrainingRecipe, pairs: FolderPretraining.Settings? = nil) {
      (self.model, self.recipe, self.pairs, version) = (model, recipe, pairs, frugalVersion)
      (precision, isFused) = ("\(Real.self)", hasFusedMultiplyAdd)
    }
  }

  /// Makes the folder and writes the settings.
  ///
  /// - Throws: `RunError` if it holds anything or cannot be made.
  package func create(_ settings: Settings) throws {
    if let problem = settings.recipe.problem { throw RunError(problem) }
    // What a process leaves that was killed before its first file was complete is nothing.
    let entries = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [])
      .filter { !$0.hasPrefix(".frugal-") }
    guard entries.isEmpty else {
      throw SettingError(
        "out", expected: "a new or empty folder",
        found: "\(entries.count) file\(entries.count == 1 ? "" : "s") in \(url.shown)")
    }
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw SettingError(
        "out", expected: "a folder that can be written", found: "\(url.path): \(error.localizedDescription)")
    }
    try AtomicFile.write(Array(try JSON.encoded(settings, isPretty: true)) + [10], to: self.settings)
  }

  /// The settings of the pretraining in the folder.
  ///
  /// - Throws: `RunError` if there is none, or one of a build with other bits.
  package func read() throws -> Settings {
    guard FileManager.default.fileExists(atPath: settings.path) else {
      throw RunError("\(url.shown): expected the folder of a pretraining, found no pretraining.json")
    }
    let bytes = try MappedFile.text(of: settings)
    let found: Settings
    do { found = try JSON.decoded(Settings.self, from: bytes) } catch {
      throw RunError("\(settings.shown): expected the settings of a pretraining, found other JSON (\(error))")
    }
    if let problem = found.recipe.problem { throw RunError("\(settings.shown): recipe.\(problem)") }
    if let problem = found.pairs?.problem { throw RunError("\(settings.shown): pairs: \(problem)") }
    let own = Settings(model: found.model, recipe: found.recipe)
    guard found.precision == own.precision, found.isFused == own.isFused else {
      throw RunError(
        "\(settings.shown): expected a pretraining of this build (\(own.precision), fused: \(own.isFused)), "
          + "found one of another (\(found.precision), fused: \(found.isFused))")
    }
    return found
  }

  /// The recorded steps up to a step.
  package func metricsLines(before step: Int) throws -> [String] {
    guard step > 0, FileManager.default.fileExists(atPath: metrics.path) else { return [] }
    struct Line: Decodable { let step: Int }
    let text = String(decoding: try MappedFile.text(of: metrics), as: UTF8.self)
    return text.split(separator: "\n").map(String.init).filter { line in
      (try? JSON.decoded(Line.self, from: line.utf8, upTo: JSON.largestMeasurement)).map { $0.step <= step } ?? false
    }
  }

  /// The SHA-256 of the recipe and the identity of other data, which distinguishes the checkpoints of different
  /// pretrainings.
  func fingerprint(_ recipe: PretrainingRecipe, _ identity: String?) throws -> String {
    SHA256.digest(of: Array(try JSON.encoded(recipe)) + Array((identity ?? "").utf8)).description
  }
}
