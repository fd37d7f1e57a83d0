import Datasets
import Formats
import Foundation
import Models
import Tensor

/// Reading of a model whatever its kind: a CLIP directory, or an image classifier in a file or a folder.
public enum Pretrained {
  /// Reads the model at a path.
  ///
  /// - cleaning: of texts, which a classifier does not read; classes: the number that a classifier is to tell apart.
  /// - images, hints: what a classifier's files do not say, or what is to be done otherwise.
  /// - Throws: `SettingError` for a statement that the model at the path would not read, `RunError` where there is no
  ///   model, and the errors of its files.
  public static func model(
    at path: String, cleaning: TextCleaning = .published, classes: Int? = nil, _ images: ImageRequest = ImageRequest(),
    _ hints: BackboneHints = BackboneHints()
  ) throws -> any PretrainedModel {
    let url = URL(fileURLWithPath: path)
    guard FileManager.default.fileExists(atPath: path) else {
      throw RunError("\(path): expected a CLIP directory or the weights of an image classifier, found nothing")
    }
    guard isCLIP(url) else {
      var model = try PretrainedClassifier(contentsOf: url, hints: hints, classes: classes, images)
      try refuse(hints, for: model.backbone.configuration)
      model.preprocessing.exif = images.exif
      return model
    }
    guard images.normalization == nil, images.resizing == nil else {
      throw SettingError(
        images.normalization == nil ? "resize" : "normalize", expected: "a model without preprocessor_config.json",
        found: "a CLIP directory")
    }
    guard hints == BackboneHints(heads: hints.heads) else {
      throw SettingError("image-size", expected: "an image classifier", found: "a CLIP directory")
    }
    var model = try PretrainedCLIP(contentsOf: url, cleaning: cleaning, heads: hints.heads)
    model.preprocessing.exif = images.exif
    return model
  }

  /// Returns whether a path is a CLIP: weights of one, or a folder with a configuration or a tokenizer whose weights
  /// are no classifier's.
  package static func isCLIP(_ url: URL) -> Bool {
    let weights = try? PretrainedWeights(contentsOf: url)
    if let weights, CLIPDirectory.isUnsupported(weights) { return true }
    if CLIPDirectory.isOpenCLIP(url) { return true }
    if let weights, ImageBackbone.recognises(weights) { return false }
    if let weights, CLIPDirectory.recognises(weights) { return true }
    if statesClassifier(url) { return false }
    return ["vocab.json", "tokenizer.json", "config.json", "open_clip_config.json"].contains {
      FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path)
    }
  }

  /// Returns whether the `config.json` of a folder is that of an image classifier, one that is not supported included.
  package static func statesClassifier(_ folder: URL) -> Bool { StatedBackbone.isStated(in: folder) }

  /// Refuses stated heads for a classifier that would not read them.
  ///
  /// - Throws: `SettingError` unless the classifier is a ViT or none were stated.
  public static func refuse(_ hints: BackboneHints, for configuration: ImageConfiguration) throws(SettingError) {
    if case .visionTransformer = configuration { return }
    guard hints.heads != nil else { return }
    throw SettingError("heads", expected: "a ViT", found: "a \(configuration.architecture), whose shapes tell them")
  }
}
