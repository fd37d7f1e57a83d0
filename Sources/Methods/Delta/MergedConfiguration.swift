import Formats
import Foundation

/// The `config.json` of a model whose head is a delta's: with the number and names of its classes.
///
/// Hugging Face's has `id2label` and `label2id`, and `architectures` names the class with a head; timm's has
/// `num_classes` and `label_names`. Everything else stays as it is written, that of a model without a new head to the
/// byte: transformers tells 1 from 1.0.
struct MergedConfiguration {
  /// The file.
  let bytes: [UInt8]

  /// - isClassifier: false for a CLIP, whose configuration knows no head.
  init(contentsOf url: URL, _ delta: Delta, isClassifier: Bool) throws {
    let stored = try JSON.configuration(of: url)
    guard isClassifier, delta.hasLinearHead else {
      bytes = stored
      return
    }
    guard var values = try? JSONDocument(stored), case .object = values else {
      throw ExportError("\(url.shown) as a JSON object", found: "other contents")
    }
    let classes = delta.description.classes
    if values["pretrained_cfg"] != nil || values["architecture"] != nil {
      Self.setTimm(&values, classes)
    } else {
      Self.setHuggingFace(&values, classes)
    }
    bytes = Array(values.text.utf8)
  }

  private static func setHuggingFace(_ values: inout JSONDocument, _ classes: [String]) {
    var names: Set<String> = []
    values["id2label"] = .object(classes.enumerated().map { .init(key: "\($0)", value: .string($1)) })
    values["label2id"] = .object(
      classes.enumerated().filter { names.insert($1).inserted }.map { .init(key: $1, value: .number($0)) })
    // A second statement of the number, and one about the loss of another head.
    for key in ["num_labels", "problem_type"] { values[key] = nil }
    let withHead = [
      "vit": "ViTForImageClassification", "swin": "SwinForImageClassification",
      "swinv2": "Swinv2ForImageClassification",
      "convnext": "ConvNextForImageClassification", "convnextv2": "ConvNextV2ForImageClassification",
      "deit": "DeiTForImageClassification", "beit": "BeitForImageClassification",
      "dinov2": "Dinov2ForImageClassification", "vit_msn": "ViTMSNForImageClassification",
      "dinov2_with_registers": "Dinov2WithRegistersForImageClassification",
    ]
    let isTwin = values["architectures"] == .list([.string("DeiTForImageClassificationWithTeacher")])
    if !isTwin, let name = values["model_type"]?.string.flatMap({ withHead[$0] }) {
      values["architectures"] = .list([.string(name)])
    }
  }

  private static func setTimm(_ values: inout JSONDocument, _ classes: [String]) {
    values["num_classes"] = .number(classes.count)
    values["label_names"] = .list(classes.map { .string($0) })
    values["label_descriptions"] = nil
    for key in ["pretrained_cfg", "model_args"] {
      guard var section = values[key], section["num_classes"] != nil else { continue }
      section["num_classes"] = .number(classes.count)
      for name in ["label_names", "label_descriptions"] { section[name] = nil }
      values[key] = section
    }
  }
}
