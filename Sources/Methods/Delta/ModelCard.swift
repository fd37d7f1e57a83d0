import Formats
import Foundation

/// What a delta is, for whoever finds it: its model, its data, how accurate it is, what it cannot do. `card.md` of a
/// run, and the greater part of the `README.md` of an exported adapter.
///
/// The block at its top has the keys that model hubs read.
public struct ModelCard: Sendable {
  /// The run that a delta comes from.
  public struct Origin: Sendable {
    let settings: RunConfiguration
    let result: RunResult
    /// The tuned model against the pretrained one, on the test images of the classes that were trained on.
    let gain: PairedComparison?
    /// The words of the command that began it.
    let command: [String]?
  }

  /// The library that opens the file.
  enum Library: String { case frugal, peft }

  /// The path or name of the base model.
  let base: String
  let library: Library
  /// The names of the classes, in the order of the logits.
  let classes: [String]
  /// The SHA-256 of the base model's weights, if it is known.
  let model: String?
  let method: String?
  let origin: Origin?
  /// What the reader may type, if it is a program that makes the card.
  let commands: CardCommands?

  /// The card of a delta.
  ///
  /// - base: the path or name of its model; origin: its run, if that is known.
  public init(_ description: Delta.Description, base: String, _ origin: Origin?, commands: CardCommands? = nil) {
    (self.base, self.origin, library, self.commands) = (base, origin, .frugal, commands)
    (classes, model, method) = (description.classes, description.model, description.methodTitle)
  }

  /// The card of an adapter.
  init(adapterWith classes: [String], base: String, _ origin: Origin?, commands: CardCommands?) {
    (self.base, self.origin, library, self.classes, self.commands) = (base, origin, .peft, classes, commands)
    (model, method) = (origin?.settings.model.sha256, origin?.settings.methodTitle)
  }

  /// The card as Markdown.
  public var text: String {
    let parts = [
      metadata, ["# \(title)", ""], library == .frugal ? use : [], facts, ModelCardText.madeBy(origin, commands),
      classList, licence, ModelCardText.limits(origin, hasClasses: !classes.isEmpty, commands),
    ]
    return parts.flatMap { $0 }.joined(separator: "\n")
  }

  /// Metadata, then whatever the library needs, then the rest of the card.
  func text(around body: [String]) -> String {
    let parts = [
      metadata, body, facts, ModelCardText.madeBy(origin, commands), licence,
      ModelCardText.limits(origin, hasClasses: !classes.isEmpty, commands),
    ]
    return parts.flatMap { $0 }.joined(separator: "\n")
  }

  private var title: String {
    guard let origin else { return ModelCardText.plain(method ?? "delta") }
    return ModelCardText.plain(origin.title)
  }

  private var metadata: [String] {
    var lines = [
      "---", "library_name: \(library.rawValue)", "base_model: \(ModelCardText.quoted(base))", "license: unknown",
      "pipeline_tag: image-classification", "tags:", "- parameter-efficient-fine-tuning",
    ]
    if let method { lines.append("- \(ModelCardText.quoted(method))") }
    if let origin {
      lines += [
        "model-index:", "- name: \(ModelCardText.quoted(origin.title))",
        "  results:",
        "  - task:", "      type: image-classification", "    dataset:",
        "      name: \(ModelCardText.quoted(origin.dataset))", "      type: \(ModelCardText.quoted(origin.dataset))",
        "      split: test", "    metrics:", "    - type: accuracy",
        "      value: \(String(format: "%.3f", origin.result.test.accuracy / 100))",
      ]
    }
    return lines + ["---", ""]
  }

  private var use: [String] {
    ["A delta for one base model: it holds what was learned, and is of no use without that model.", ""]
      + (commands.map { ["    \($0.prediction(FileName.shown(base)))", ""] } ?? [])
  }

  private var facts: [String] {
    var rows: [(String, String)] = [("base model", "`\(ModelCardText.code(base))`")]
    if let model { rows.append(("SHA-256 of its weights", "`\(ModelCardText.code(model))`")) }
    if let name = origin?.settings.title ?? method { rows.append(("method", ModelCardText.plain(name))) }
    rows += origin?.facts ?? []
    return ["## Facts", "", "| | |", "| --- | --- |"] + rows.map { "| \($0.0) | \($0.1) |" } + [""]
  }

  private var classList: [String] {
    guard !classes.isEmpty else { return [] }
    return ["## Classes", "", "In the order of the logits:", ""] + classes.map { "    \(FileName.shown($0))" } + [""]
  }

  private var licence: [String] {
    [
      "## Licence", "",
      "Not stated: `license` above is for whoever publishes this to fill in. The terms of the base model and of the",
      "data go on to hold.", "",
    ]
  }
}

extension ModelCard.Origin {
  /// The published dataset, or the name of the folder.
  var dataset: String {
    FileName.shown(settings.benchmark?.rawValue ?? URL(fileURLWithPath: settings.data.path).lastPathComponent)
  }

  /// The method and the dataset.
  fileprivate var title: String {
    settings.title == settings.method ? "\(settings.method) on \(dataset)" : "\(settings.title), \(dataset)"
  }

  /// Rows of the table of facts.
  fileprivate var facts: [(String, String)] {
    let images = settings.shots.map { $0 == 1 ? "1 training image per class" : "\($0) training images per class" }
    var rows = [
      ("parameters trained", "\(result.trainedParameters); the file has \(result.deltaBytes) bytes"),
      (
        "data",
        "`\(ModelCardText.code(settings.data.path))`, \(settings.data.classes.count) classes, "
          + "\(images ?? "all training images"), seed \(settings.seed)"
      ),
      ("SHA-256 of its training images", "`\(ModelCardText.code(settings.data.sha256))`"),
    ]
    if let digest = settings.data.testSHA256 {
      rows.append(("SHA-256 of its test images", "`\(ModelCardText.code(digest))`"))
    }
    if let on = settings.on {
      rows.append(
        (
          "trained on top of",
          "\(ModelCardText.plain(on.method)), `\(ModelCardText.code(on.path))`, whose delta is a part of this one "
            + "(its SHA-256 was `\(ModelCardText.code(on.sha256))`)"
        ))
    }
    if let before = result.zeroShot { rows.append(("test accuracy before", ModelCardText.accuracy(before))) }
    rows.append(("test accuracy", ModelCardText.accuracy(result.test)))
    if let gain {
      rows.append(
        ("gain", "\(ModelCardText.points(gain.difference)), 95 % interval \(ModelCardText.interval(gain.interval))"))
    }
    if let new = result.newClasses {
      rows.append(("on new classes before", ModelCardText.accuracy(new.zeroShot)))
      rows.append(("on new classes", ModelCardText.accuracy(new.test)))
    }
    rows.append(("epoch", "\(result.epoch): \(ModelCardText.plain(result.reason))"))
    rows.append(
      ("version", "frugal \(ModelCardText.plain(settings.version)), \(ModelCardText.plain(settings.precision))"))
    return rows
  }
}

extension RunFolder {
  /// The run of the folder, for a card.
  func origin(_ settings: RunConfiguration, _ result: RunResult) -> ModelCard.Origin {
    let lines = ((try? readPredictions()) ?? []).filter { $0.label < settings.data.classes.count }
    var (tuned, frozen) = ([String: Bool](), [String: Bool]())
    for line in lines {
      tuned[line.picture] = line.tuned.label == line.label
      frozen[line.picture] = line.zeroShot.map { $0.label == line.label }
    }
    return ModelCard.Origin(
      settings: settings, result: result, gain: PairedComparison([0: tuned], [0: frozen]),
      command: storedPaths?.command)
  }

  /// The finished run in the folder of a delta; `nil` if there is none, or one of another delta.
  public func origin(of description: Delta.Description) -> ModelCard.Origin? {
    guard isFinished, let settings = try? settings(), let bytes = try? MappedFile.bytes(of: result),
      let result = try? JSON.decoded(RunResult.self, from: bytes), settings.methodTitle == description.methodTitle,
      settings.model.sha256 == description.model, settings.data.classes == description.classes
    else { return nil }
    return origin(settings, result)
  }
}
