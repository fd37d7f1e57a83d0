import Formats
import Foundation

/// The `config.json` of a model whose head is a delta's: with the number and names of its classes.
///
/// Hugging Face's has `id2label` and `label2id`, and `architectures` names the class with a head; timm's has
/// `num_classes` and `label_names`. That of a model without a new head stays as it is, to the byte.
struct MergedConfiguration {
  /// The file.
  let bytes: [UInt8]

  /// - isClassifier: false for a CLIP, whose configuration knows no head.
  init(contentsOf url: URL, _ delta: Delta, isClassifier: Bool) throws {
    let stored = try MappedFile.bytes(of: url)
    guard isClassifier, delta.hasLinearHead else {
      bytes = stored
      return
    }
    guard var values = (try? JSONSerialization.jsonObject(with: Data(stored))) as? [String: Any] else {
      throw ExportError("\(url.shown) as a JSON object", found: "other contents")
    }
    let classes = delta.description.classes
    if values["pretrained_cfg"] != nil || values["architecture"] != nil {
      Self.setTimm(&values, classes)
    } else {
      Self.setHuggingFace(&values, classes)
    }
    let data = try JSONSerialization.data(
      withJSONObject: values, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    bytes = Array(data) + [10]
  }

  private static func setHuggingFace(_ values: inout [String: Any], _ classes: [String]) {
    let numbered = classes.enumerated()
    values["id2label"] = Dictionary(uniqueKeysWithValues: numbered.map { ("\($0)", $1) })
    values["label2id"] = Dictionary(numbered.map { ($1, $0) }) { first, _ in first }
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
    let isTwin = values["architectures"] as? [String] == ["DeiTForImageClassificationWithTeacher"]
    if !isTwin, let name = (values["model_type"] as? String).flatMap({ withHead[$0] }) {
      values["architectures"] = [name]
    }
  }

  private static func setTimm(_ values: inout [String: Any], _ classes: [String]) {
    values["num_classes"] = classes.count
    values["label_names"] = classes
    values["label_descriptions"] = nil
    for key in ["pretrained_cfg", "model_args"] {
      guard var section = values[key] as? [String: Any], section["num_classes"] != nil else { continue }
      section["num_classes"] = classes.count
      for name in ["label_names", "label_descriptions"] { section[name] = nil }
      values[key] = section
    }
  }
}
