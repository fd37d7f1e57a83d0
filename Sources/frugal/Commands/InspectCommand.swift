import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal inspect`: the contents of a model directory or a weight file of any format.
enum InspectCommand: Command {
  static let name = "inspect"
  static let summary = "contents of a model directory, a delta or a weight file"
  static let operands = "PATH"
  static let calculates = false
  static let options =
    [
      Option(
        "--tensors",
        "list every tensor of a model or delta with its type and shape; those of a weight file are listed anyway")
    ] + hintOptions + [normalizeOption, resizeOption, jsonOption]

  /// The output of `--json`.
  struct Report: Encodable {
    var kind: String
    var path: String
    var sha256: [String: String] = [:]
    var bytes: Int
    var types: [String: Int]
    var parameters: [String: Int] = [:]
    var settings: [String: String] = [:]
    /// The description of a delta.
    var delta: Delta.Description?
    /// The origin of each setting that results depend on: a file and its key, a tensor, or an assumption.
    var origins: [String: String] = [:]
    var warnings: [String] = []
    var tensors: [String: String]?
    /// True for a plain weight file, whose tensors are always listed.
    var isWeightFile = false

    private enum CodingKeys: CodingKey {
      case kind, path, sha256, bytes, types, parameters, settings, delta, origins, warnings, tensors
    }
  }

  static let examples = [
    Example("frugal inspect clip", "the towers, tokenizer and preprocessing of a CLIP"),
    Example(
      "frugal inspect runs/a/delta.safetensors --tensors --json",
      "the tensors of a delta, for a program"),
  ]

  static func run(_ arguments: Arguments) throws {
    guard arguments.operands.count == 1 else {
      throw UsageError("expected one path to inspect, found \(arguments.operands.count)")
    }
    let path = arguments.operands[0]
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    guard exists else { throw RunError("\(path): expected a directory or a weight file, found nothing") }
    var report =
      try inspect(classifier: path, arguments.hints(), arguments.images())
      ?? (isDirectory.boolValue ? inspect(model: path, arguments.hints()) : inspect(file: path))
    if !arguments.has("--tensors"), !report.isWeightFile { report.tensors = nil }
    if arguments.has("--json") {
      // The description is an object of its own.
      if report.delta != nil { report.settings["frugal"] = nil }
      return try printJSON(report)
    }
    print("\(FileName.shown(report.path)): \(report.kind)")
    for (name, value) in report.settings.sorted(by: { $0.key < $1.key }) {
      print("  \(FileName.shown(name)): \(FileName.shown(value))")
    }
    for (name, text) in report.origins.sorted(by: { $0.key < $1.key }) { print("  \(name): \(text)") }
    for (name, count) in report.parameters.sorted(by: { $0.key < $1.key }) {
      print("  parameters, \(name): \(grouped(count))")
    }
    let types = report.types.sorted { $0.key < $1.key }.map { "\($1) × \($0)" }
    let tensors = types.isEmpty ? "none" : types.joined(separator: ", ")
    print("  tensors: \(tensors); \(grouped(report.bytes)) bytes")
    for (file, digest) in report.sha256.sorted(by: { $0.key < $1.key }) {
      print("  sha256 of \(FileName.shown(file)): \(digest)")
    }
    for (name, shape) in (report.tensors ?? [:]).sorted(by: { $0.key < $1.key }) {
      print("  \(FileName.shown(name)): \(shape)")
    }
    for warning in report.warnings { print("  warning: \(warning)") }
  }

  private static func inspect(model path: String, _ hints: BackboneHints) throws -> Report {
    guard hints.imageSize == nil else {
      throw UsageError("--image-size", expected: "an image classifier", found: "a CLIP directory")
    }
    let pretrained = try PretrainedCLIP(contentsOf: URL(fileURLWithPath: path), heads: hints.heads)
    let model = pretrained.model
    let files = pretrained.directory.weights.files
    let text = model.configuration.text
    let names = "names of \(pretrained.directory.layout.name)"
    return Report(
      kind: "CLIP, \(pretrained.directory.weights.format)", path: path,
      sha256: Dictionary(files.map { (lastComponent($0.file), $0.sha256.description) }) { first, _ in first },
      bytes: files.reduce(0) { $0 + $1.byteCount }, types: types(of: files),
      parameters: [
        "vision": model.vision.parameters.reduce(0) { $0 + $1.value.count },
        "text": model.text.parameters.reduce(0) { $0 + $1.value.count },
        "all": model.parameters.reduce(0) { $0 + $1.value.count },
      ],
      settings: [
        "vision": tower(model.configuration.vision), "layout": names,
        "text": "context \(text.contextLength), \(text.vocabulary) tokens, \(blocks(text.transformer))",
        "embedding": "\(model.configuration.embedding), logit scale \(exp(Double(model.logitScale.value.scalar)))",
        "pictures": pretrained.preparation,
        "tokenizer": "\(pretrained.directory.tokenizer.tokenCount) tokens, byte-level BPE",
      ],
      origins: lines(pretrained.origins), warnings: withFlags(pretrained.warnings), tensors: tensors(of: files))
  }

  /// Values with their origins, by the names of settings.
  static func lines(_ origins: SettingOrigins) -> [String: String] {
    Dictionary(origins.all.map { ($0.name, "\($0.value) (\($0.origin))") }) { first, _ in first }
  }

  /// A stack of transformer blocks.
  static func blocks(_ size: TransformerConfiguration) -> String {
    "\(size.blocks) blocks, width \(size.width), \(size.heads) heads, MLP \(size.hiddenWidth), "
      + "\(size.activation.rawValue), layer norm ε \(size.epsilon)"
  }

  private static func inspect(file path: String) throws -> Report {
    let file = try WeightFiles.open(URL(fileURLWithPath: path))
    let safeTensors = file as? SafeTensorsFile
    let isDelta = safeTensors?.metadata["frugal"] != nil
    var settings = safeTensors?.metadata ?? [:]
    if let safeTensors, isDelta {
      for name in safeTensors.names {
        guard case .mask = DeltaEntry(name), safeTensors.type(of: name) == .u8 else { continue }
        let bytes = try safeTensors.bytes(name)
        let ones = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        settings[name] = "\(grouped(ones)) weights kept, of \(grouped(8 * bytes.count)) bits at most"
      }
    }
    let published = PublishedCheckpoint(file)
    for (name, value) in (file as? TorchFile)?.values ?? [:] { settings[name] = value.description }
    settings.merge(published?.summary ?? [:]) { _, new in new }
    let count = file.names.reduce(0) { $0 + (file.shape(of: $1)?.count ?? 0) }
    // One that this version cannot read is shown as it is stored.
    let description = isDelta ? try? Delta.description(of: URL(fileURLWithPath: path)) : nil
    return Report(
      kind: isDelta ? "delta of frugal" : published.map { "\($0.kind), \(file.format)" } ?? file.format, path: path,
      sha256: [lastComponent(path): file.sha256.description], bytes: file.byteCount, types: types(of: [file]),
      parameters: isDelta || published != nil ? [:] : ["all": count], settings: settings,
      delta: description, tensors: tensors(of: [file]), isWeightFile: !isDelta)
  }

  static func types(of files: [any WeightFile]) -> [String: Int] {
    var counts: [String: Int] = [:]
    for file in files {
      for name in file.names { if let type = file.type(of: name) { counts[type.rawValue, default: 0] += 1 } }
    }
    return counts
  }

  static func tensors(of files: [any WeightFile]) -> [String: String] {
    var shapes: [String: String] = [:]
    for file in files {
      for name in file.names {
        if let type = file.type(of: name), let shape = file.shape(of: name) {
          shapes[name] = "\(type.rawValue) \(shape)"
        }
      }
    }
    return shapes
  }

  static func lastComponent(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
}

/// 1234567 → "1,234,567"
func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  let groups = stride(from: 0, to: digits.count, by: 3).map { from in
    String(digits[max(0, digits.count - from - 3)..<digits.count - from])
  }
  return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
}
