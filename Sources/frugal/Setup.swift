import Datasets
import Formats
import Foundation
import Methods
import Models
import Synchronization
import Tensor

// Shared by several commands: flags for model, data and texts, and the objects they name.

/// The flag that names a model.
let modelOption = Option(
  "--model", "PATH", "CLIP or image classifier: a directory, or a weight file with what belongs to it next to it")

/// The flag that names a dataset's folder.
let dataOption = Option(
  "--data", "DIR",
  "image folder: train/CLASS/*, test/CLASS/* and optionally val/CLASS/*; or CLASS/*, divided by --split")

/// The flag that names a list of a dataset's images.
let dataListOption = Option(
  "--data-list", "FILE",
  "list of images (CSV, TSV or JSON lines with path, label, split), relative to --data or to its own folder")

/// The flag that divides images without splits.
let splitOption = Option(
  "--split", "A,B,C",
  "shares of train, val and test for data without splits, such as 0.6,0.2,0.2; drawn by --seed and contents")

/// The flag that skips unreadable images.
let skipOption = Option("--skip-unreadable", "skip images that cannot be read, and list them")

/// Flags for how texts become tokens.
let textOptions = [
  Option(
    "--template", "TEXT", isRepeatable: true,
    "prompt with {} for the class name, or one of CLIP's lists of prompts for ImageNet, imagenet-7 and imagenet-80; "
      + "several are averaged"),
  Option("--tokenizer", "published|hugging-face", "text cleaning before tokenization (default published)"),
  Option("--truncate", "cut prompts longer than the context instead of refusing them"),
]

extension Arguments {
  /// Refuses words that belong to no flag.
  func requireNoOperands() throws(UsageError) {
    if let word = operands.first { throw UsageError("\(word): expected flags only (a path needs --model or --data)") }
  }

  /// The folder of `--data`, or that of `--data-list`.
  func dataPath() throws(UsageError) -> String {
    guard let list = string("--data-list"), string("--data") == nil else { return try required("--data") }
    return URL(fileURLWithPath: list).deletingLastPathComponent().relativePath
  }

  /// The shares among the values of `--split`, if there are some, with the seed of `--seed`.
  ///
  /// - namesParts: true if another value of the flag is the name of a split, which the caller reads.
  func drawnSplit(namesParts: Bool = false) throws(UsageError) -> DrawnSplit? {
    let shares = strings("--split").filter { !namesParts || $0.contains(",") }
    guard let text = shares.first else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0.trimmingCharacters(in: .whitespaces)) ?? -1
    }
    let seed = try integer("--seed", in: 0...Int(Int32.max)) ?? 1
    guard shares.count == 1, let split = DrawnSplit(shares: numbers, seed: seed) else {
      throw UsageError(
        "--split", expected: "shares of train, val and test with the sum 1, such as 0.6,0.2,0.2",
        found: "\"\(shares.joined(separator: "\", \""))\"")
    }
    return split
  }

  /// The images of `--data` or `--data-list`, with what is odd in them as notes.
  ///
  /// - path: the folder, if not that of the flags.
  /// - namesParts: as for `drawnSplit`.
  func imageFolder(at path: String? = nil, namesParts: Bool = false) throws -> ImageFolder {
    let folder = try namingSplitFlag {
      try ImageFolder(
        contentsOf: URL(fileURLWithPath: try path ?? dataPath()), drawing: drawnSplit(namesParts: namesParts),
        list: string("--data-list").map { URL(fileURLWithPath: $0) })
    }
    for text in folder.notes { note(text) }
    return folder
  }

  /// The templates of `--template`, those of lists included; none without the flag.
  var templates: [String] { TemplateList.expanded(strings("--template")) }

  /// The templates of `--template`, or the standard one of a dataset.
  func templates(_ benchmark: Benchmark?) -> [String] {
    templates.isEmpty ? [benchmark?.template ?? Benchmark.standardTemplate] : templates
  }

  /// The dataset of `--dataset`, or the one with the name of the data folder.
  func benchmark(_ folder: ImageFolder) throws(UsageError) -> Benchmark? {
    try choice("--dataset", of: Benchmark.self) ?? Benchmark(folder: folder.root.lastPathComponent)
  }
}

/// The flag that names the constants of a classifier's images.
let normalizeOption = Option(
  "--normalize", "imagenet|inception",
  "constants that an image classifier's images are normalised with (default: its files', else imagenet)")

/// The flag that names a dataset.
let datasetOption = Option(
  "--dataset", "NAME", "which published dataset the data is: its template and settings (default: by folder name)")

/// The warnings already printed.
private let warned = Mutex<Set<String>>([])

/// Flags that state what a model's warning names, by how it begins.
private let statingFlags: KeyValuePairs = [
  "heads: ": "--heads", "image size": "--image-size", "image mean": "--normalize", "image resize": "--resize",
]

/// Warnings about a model with the flag that states otherwise.
func withFlags(_ warnings: [String]) -> [String] {
  warnings.map { warning in
    statingFlags.first { warning.hasPrefix($0.key) }.map { "\(warning); so can \($0.value)" } ?? warning
  }
}

/// Prints each warning only once: a demo reads one model for many runs.
func warnOnce(_ warnings: [String]) {
  for warning in withFlags(warnings) where warned.withLock({ $0.insert(warning).inserted }) {
    note("warning: \(warning)")
  }
}

/// Flags for what the files of an image classifier do not state.
let hintOptions = [
  Option(
    "--heads", "N",
    "attention heads of a ViT, or of a CLIP's, whose files do not state them (default: as published, else head width "
      + "64)"),
  Option("--image-size", "N", "height and width of an image classifier's input (default: that of its training)"),
]

/// The flag that says how a classifier's images are resized.
let resizeOption = Option(
  "--resize", "direct|checkpoint",
  "images of a classifier: to its size whatever their proportions (default), or as its files say (default with its own "
    + "head)")

/// The flag for photos whose files say that they do not stand upright.
let exifOption = Option(
  "--exif", "rotate|ignore",
  "rotate photos as their EXIF data says, or ignore it as the published pipelines do (default rotate; ignore with a "
    + "published dataset)")

/// The flags for how images are prepared.
let imageOptions = [normalizeOption, resizeOption, exifOption]

extension Arguments {
  /// The values of `--normalize`, `--resize` and `--exif`.
  ///
  /// - exif: that of the data or the delta, where the flag is not given.
  func images(exif: EXIFRotation = .rotate) throws(UsageError) -> ImageRequest {
    ImageRequest(
      normalization: try choice("--normalize", of: Normalization.self),
      resizing: try choice("--resize", of: Resizing.self), exif: try self.exif() ?? exif)
  }

  /// Refuses flags for texts with a model that reads none.
  func checkTexts(of model: any PretrainedModel) throws(UsageError) {
    if model.clip == nil { try refuseTexts() }
  }

  /// Refuses flags for texts.
  func refuseTexts() throws(UsageError) {
    guard let option = textOptions.first(where: { has($0.flag) }) else { return }
    throw UsageError(option.flag, expected: "a model with a text encoder", found: "one without")
  }

  /// Checks the flags for a model and its texts, before anything is read.
  func checkModelFlags() throws(UsageError) {
    _ = (try images(), try hints())
    _ = try choice("--tokenizer", of: TextCleaning.self)
    _ = try choice("--dataset", of: Benchmark.self)
  }

  /// The value of `--exif`.
  func exif() throws(UsageError) -> EXIFRotation? { try choice("--exif", of: EXIFRotation.self) }

  /// The values of `--heads` and `--image-size` for a classifier, or those stored in a run.
  func hints(_ known: BackboneHints = BackboneHints()) throws(UsageError) -> BackboneHints {
    BackboneHints(
      imageSize: try integer("--image-size", in: 1...65_536) ?? known.imageSize,
      heads: try integer("--heads", in: 1...65_536) ?? known.heads)
  }
}

/// Reads a model of any kind and says what contradicts itself in it.
///
/// - classes: the number that a classifier is to tell apart; hints: what a classifier's files do not say.
func load(
  model path: String, cleaning: TextCleaning = .published, classes: Int? = nil, _ images: ImageRequest = ImageRequest(),
  hints: BackboneHints = BackboneHints()
) throws -> any PretrainedModel {
  let model = try Pretrained.model(at: path, cleaning: cleaning, classes: classes, images, hints)
  warnOnce(model.warnings)
  return model
}

/// Runs what reads a dataset; an error about its splits or about too few images gets the flag that helps.
func namingSplitFlag<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as ImageFolderError {
    switch error {
    case .noSplits: throw RunError("\(error); --split 0.6,0.2,0.2 draws them")
    case .hasSplits: throw RunError("\(error); leave out the shares of --split")
    default: throw error
    }
  } catch let error as FewShot.TooFewImages where error.found > 0 {
    throw RunError("\(error); --shots \(error.found), or any --shots without --strict, uses what there is")
  }
}

/// Lists the images that were skipped.
func report(unreadable: [ImageError]) {
  guard !unreadable.isEmpty else { return }
  note("\(unreadable.count) image\(unreadable.count == 1 ? "" : "s") skipped, as unreadable:")
  for error in unreadable { note("  \(error)") }
}

/// 73.4567 → "73.46"
func percent(_ value: Double) -> String { String(format: "%.2f", value) }

/// Writes a value as one JSON object on standard output.
func printJSON(_ value: some Encodable) throws { print(try jsonText(value)) }

/// A value as JSON, in which what a terminal would obey is escaped.
func jsonText(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
  return TerminalText.escapedJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
}
