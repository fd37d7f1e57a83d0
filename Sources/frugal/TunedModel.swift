import Datasets
import Foundation
import Methods
import Models
import Tensor

/// A model ready to predict: with the delta of `--delta`, with its own head, or zero-shot.
struct TunedModel {
  let pretrained: any PretrainedModel
  let method: Method
  /// The names of the classes, in the order of the logits.
  let classes: [String]
  /// The indices of the data's classes among them, where the data has a part of them alone.
  private(set) var columns: [Int]?
  /// Its name: `zero-shot`, `own head`, or the method of the delta.
  let title: String
  /// Whether the classifier is a linear map of features, not a comparison with texts.
  let hasLinearHead: Bool
  /// Whether the model says that each class has a probability of its own.
  private(set) var isMultiLabel = false

  /// Loads it by flags, with the classes of a folder or, without one, of `--classes`, the delta or the model itself.
  init(_ arguments: Arguments, modelPath: String, folder: ImageFolder?, classes: [String]? = nil) throws {
    let source = DeltaSource(arguments, modelPath: modelPath, folder: folder, classes: classes)
    guard let path = arguments.string("--delta") else {
      guard !arguments.has(forceOption.flag) else {
        throw UsageError(forceOption.flag, expected: "--delta with it", found: "none")
      }
      let pretrained = try source.model()
      try arguments.checkTexts(of: pretrained)
      guard let clip = pretrained.clip else {
        guard let own = try source.ownHead(of: pretrained) else {
          throw UsageError(
            "--delta: missing required flag, as the model has neither a text encoder nor a head of its own")
        }
        (self.pretrained, self.classes, title) = (pretrained, own.classes, "own head")
        (hasLinearHead, isMultiLabel) = (true, own.isMultiLabel)
        method = Method(encoder: FrozenEncoder(), head: own.head, tower: own.tower)
        return
      }
      guard let classes = classes ?? folder?.classNames else {
        throw UsageError(
          "--classes: expected class names (A,B,… or a text file), as neither a delta nor data give them")
      }
      let prompts = try Prompts(classes: classes, templates: try source.templates())
      (self.pretrained, self.classes, title, hasLinearHead) = (pretrained, classes, "zero-shot", false)
      method = Method(
        encoder: FrozenEncoder(),
        head: try ZeroShot(clip, prompts, ensembling: .unitMean, truncate: arguments.has("--truncate")),
        tower: clip.tower)
      return
    }
    let (pretrained, delta) = try source.read(path)
    try arguments.checkTexts(of: pretrained)
    let templates = arguments.templates.isEmpty ? delta.description.templates : arguments.templates
    (self.pretrained, title) = (pretrained, delta.description.methodTitle)
    guard let clip = pretrained.clip, !delta.hasLinearHead else {
      hasLinearHead = true
      let own = delta.hasLinearHead ? nil : try source.ownHead(of: pretrained)
      guard delta.hasLinearHead || own != nil else {
        throw RunError("\(path): expected a delta with a linear head, as the model has no text, found one without")
      }
      (self.classes, columns) =
        try own.map { ($0.classes, nil) } ?? Self.classes(of: delta, path: path, wanted: classes, folder: folder)
      isMultiLabel = own?.isMultiLabel ?? false
      method = delta.method(on: own?.tower ?? pretrained.tower, text: nil, own: own?.head)
      return
    }
    hasLinearHead = false
    (self.classes, columns) = try Self.classes(of: delta, path: path, wanted: classes, folder: folder)
    let features = try Prompts(classes: self.classes, templates: templates)
      .classifier(
        of: clip.directory, ensembling: delta.description.ensembling, truncate: arguments.has("--truncate"),
        delta.pass(on: pretrained.towers))
    let prompts = PromptEncoder(
      clip.directory, tower: delta.text(clip.model.text, of: pretrained.towers), classes: self.classes)
    method = try delta.extended(to: self.classes, texts: features, prompts: prompts)
      .method(on: pretrained.tower, text: (features, clip.model.logitScale), prompts: prompts)
  }

  /// The classes of a delta: its own, if the data has the same, or is only tested on and has a part of them, with the
  /// indices of that part; those of the data, if the delta tunes no classifier, or one that goes with any.
  private static func classes(
    of delta: Delta, path: String, wanted: [String]?, folder: ImageFolder?
  ) throws -> (classes: [String], columns: [Int]?) {
    let own = delta.description.classes
    guard let names = wanted ?? folder?.classNames, names != own, folder?.rawClassNames != own else {
      return (own, nil)
    }
    guard !delta.tunesHead else {
      let indices = Dictionary(own.enumerated().map { ($1, $0) }) { first, _ in first }
      // Data to test on alone; elsewhere a class that is missing is a mistake.
      let isTestOnly = wanted == nil && folder?.train.count == 0
      for part in [names, folder?.rawClassNames ?? []] where isTestOnly && !part.isEmpty && part.count < own.count {
        let columns = part.compactMap { indices[$0] }
        guard columns.count == part.count, Set(columns).count == part.count else { continue }
        note("note: predictions are among the \(part.count) classes of the data, of \(own.count) that the delta knows")
        return (own, columns)
      }
      if let way = delta.meeting(names) {
        note("note: \(way)")
        return (names, nil)
      }
      throw RunError(
        "\(path): expected a delta of the \(names.count) classes \(names.prefix(3).joined(separator: ", "))…, "
          + "found one of \(own.count): \(own.prefix(3).joined(separator: ", "))…")
    }
    note(
      "note: the classes are not those the delta was tuned on; its encoder is used with the classifier of the new ones")
    return (names, nil)
  }
}
