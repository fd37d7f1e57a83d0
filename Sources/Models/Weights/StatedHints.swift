import Formats
import Foundation
import Tensor

extension BackboneHints {
  /// Settings from the `config.json` of a classifier that shapes do not determine: Hugging Face's, or timm's, of which
  /// only the image size is used. Empty without the file.
  ///
  /// - url: a directory; next to a single file nothing is known to belong to it.
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  package init(nextTo url: URL) throws(ConfigurationError) {
    self.init()
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue else {
      return
    }
    let file = url.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    let json = try ConfigurationFile(file)
    if json.values["pretrained_cfg"] != nil {
      try readTimm(json.section("pretrained_cfg"))
    } else {
      try readHuggingFace(json)
    }
  }

  private mutating func readTimm(_ section: ConfigurationFile) throws(ConfigurationError) {
    guard let value = section.values["input_size"] else { return }
    let sizes = (value as? [Any] ?? []).compactMap { ($0 as? NSNumber).flatMap { Int(exactly: $0.doubleValue) } }
    guard sizes.count == 3, sizes[0] == 3, sizes[1] == sizes[2], (1...(1 << 24)).contains(sizes[1]) else {
      throw section.error("input_size", "[3, size, size]", "\(value)")
    }
    imageSize = sizes[1]
  }

  private mutating func readHuggingFace(_ json: ConfigurationFile) throws(ConfigurationError) {
    if json.values["image_size"] != nil { imageSize = try json.extent("image_size", default: 224) }
    // For Swin, a list that is also inferred from shapes.
    if let heads = json.values["num_attention_heads"], !(heads is [Any]) {
      self.heads = try json.extent("num_attention_heads", default: 12)
    }
    if let name = try json.string("hidden_act") {
      guard let known = Activation(rawValue: name) else {
        let all = Activation.allCases.map(\.rawValue).joined(separator: ", ")
        throw json.error("hidden_act", "one of \(all)", "\"\(name)\"")
      }
      activation = known
    }
    if let stored = json.values["layer_norm_eps"] {
      guard let epsilon = (stored as? NSNumber)?.doubleValue, epsilon > 0, epsilon < 1 else {
        throw json.error("layer_norm_eps", "a number between 0 and 1", "\(stored)")
      }
      self.epsilon = epsilon
    }
  }
}

extension ImageBackbone {
  /// Reads an image classifier from a weight file of any format, or from a directory with one, whose `config.json` is
  /// read for what shapes do not determine.
  ///
  /// - hints: settings stated by the caller, which take precedence.
  /// - classes: the number of classes of the head; see `init(from:hints:classes:)`.
  /// - Throws: the error of the file format, `ConfigurationError` or `WeightsError`, each naming the file.
  public init(contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil) throws {
    let stated = try BackboneHints(nextTo: url)
    try self.init(from: PretrainedWeights(contentsOf: url), hints: hints.filled(from: stated), classes: classes)
  }
}
