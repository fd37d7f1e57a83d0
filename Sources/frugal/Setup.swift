import Datasets
import Formats
import Foundation
import Methods
import Models
import Synchronization
import Tensor

// What several commands begin with: flags for model, data and texts, and what they name.

/// The flag that names a model.
let modelOption = Option(
  "--model", "PATH", "CLIP directory, or an image classifier: a weight file or a folder with one")

/// The flag that leaves pictures out.
let skipOption = Option("--skip-unreadable", "leave out pictures that cannot be read, and list them")

/// Flags for how texts become tokens.
let textOptions = [
  Option("--template", "TEXT", isRepeatable: true, "prompt with {} for the class name; several are averaged"),
  Option("--tokenizer", "published|hugging-face", "text cleaning before the tokens are cut (default published)"),
  Option("--truncate", "cut prompts longer than the context instead of refusing them"),
]

extension Arguments {
  /// Refuses words that belong to no flag.
  func requireNoOperands() throws(UsageError) {
    if let word = operands.first { throw UsageError("\(word): expected flags only (a path needs --model or --data)") }
  }

  /// The CLIP directory of `--model`; says what contradicts itself in it.
  func pretrainedModel() throws -> PretrainedModel {
    try load(model: try required("--model"), cleaning: try choice("--tokenizer", of: TextCleaning.self) ?? .published)
  }

  /// The image folder of `--data`.
  func imageFolder() throws -> ImageFolder { try load(data: try required("--data")) }

  /// The templates of `--template`, or the usual one of a dataset.
  func templates(_ benchmark: Benchmark?) -> [String] {
    let given = strings("--template")
    return given.isEmpty ? [benchmark?.template ?? Benchmark.standardTemplate] : given
  }

  /// The dataset of `--dataset`, or the one whose folder is usually called as that of the data.
  func benchmark(_ folder: ImageFolder) throws(UsageError) -> Benchmark? {
    try choice("--dataset", of: Benchmark.self) ?? Benchmark(folder: folder.root.lastPathComponent)
  }
}

/// The flag that names a dataset.
let datasetOption = Option(
  "--dataset", "NAME", "which published dataset the data is: its template and settings (default: by folder name)")

/// What has been warned of.
private let warned = Mutex<Set<String>>([])

/// Says warnings, each the first time only: a demo reads one model for many runs.
private func warnOnce(_ warnings: [String]) {
  for warning in warnings where warned.withLock({ $0.insert(warning).inserted }) { note("warning: \(warning)") }
}

/// Reads a CLIP directory and says what contradicts itself in it.
func load(model path: String, cleaning: TextCleaning) throws -> PretrainedModel {
  let model = try PretrainedModel(contentsOf: URL(fileURLWithPath: path), cleaning: cleaning)
  warnOnce(model.warnings)
  return model
}

/// Flags for what the files of an image classifier do not say.
let hintOptions = [
  Option("--heads", "N", "attention heads of a ViT whose files do not state them (default: heads of 64 numbers)"),
  Option("--image-size", "N", "height and width of an image classifier's pictures (default: that of its training)"),
]

extension Arguments {
  /// What `--heads` and `--image-size` say about a classifier; in their place what is known of it from a run.
  func hints(_ known: BackboneHints = BackboneHints()) throws(UsageError) -> BackboneHints {
    BackboneHints(
      imageSize: try integer("--image-size", in: 1...65_536) ?? known.imageSize,
      heads: try integer("--heads", in: 1...65_536) ?? known.heads)
  }
}

/// Reads a model, a CLIP directory or an image classifier in a file or a folder without a tokenizer, and says what
/// contradicts itself in it.
///
/// - classes: how many a classifier is to tell apart.
/// - hints: what a classifier's files do not say.
func load(
  vision path: String, cleaning: TextCleaning, classes: Int?, _ normalisation: Normalisation?, _ hints: BackboneHints
) throws -> any PretrainedVision {
  let url = URL(fileURLWithPath: path)
  let files = ["vocab.json", "tokenizer.json", "config.json"]
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    throw RunError("\(path): expected a CLIP directory or the weights of an image classifier, found nothing")
  }
  let isClassifier = (try? PretrainedWeights(contentsOf: url)).map { ImageBackbone.recognises($0) } ?? false
  let isCLIP =
    isFolder.boolValue && !isClassifier
    && files.contains { FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path) }
  if isCLIP {
    guard normalisation == nil else {
      throw UsageError("--normalize", expected: "a model without preprocessor_config.json", found: "a CLIP directory")
    }
    guard hints == BackboneHints() else {
      throw UsageError("--heads, --image-size", expected: "an image classifier", found: "a CLIP directory")
    }
    return try load(model: path, cleaning: cleaning)
  }
  let model = try PretrainedBackbone(contentsOf: url, hints: hints, classes: classes, normalisation ?? .imagenet)
  if hints.heads != nil { try requireHeads(model.backbone.configuration) }
  warnOnce(model.warnings)
  return model
}

/// Refuses `--heads` for a classifier that would not read it.
func requireHeads(_ configuration: ImageConfiguration) throws(UsageError) {
  if case .visionTransformer = configuration { return }
  throw UsageError("--heads", expected: "a ViT", found: "a \(configuration.architecture), whose shapes tell them")
}

/// Reads an image folder and says what is odd about it.
func load(data path: String) throws -> ImageFolder {
  let folder = try ImageFolder(contentsOf: URL(fileURLWithPath: path))
  if !folder.ignored.isEmpty {
    let shown = folder.ignored.prefix(3).joined(separator: ", ")
    note("note: \(folder.ignored.count) files that are no .jpg, .jpeg or .png were passed over: \(shown)…")
  }
  if !folder.untestedClasses.isEmpty {
    note("warning: classes without test pictures: \(folder.untestedClasses.prefix(5).joined(separator: ", "))")
  }
  return folder
}

/// Says which pictures were left out.
func report(unreadable: [ImageError]) {
  guard !unreadable.isEmpty else { return }
  note("\(unreadable.count) pictures left out as they cannot be read:")
  for error in unreadable { note("  \(error)") }
}

/// 73.4567 → "73.46"
func percent(_ value: Double) -> String { String(format: "%.2f", value) }

/// Writes a value as one JSON object on standard output.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
