import Datasets
import Foundation
import Models
import Tensor

/// A CLIP directory with everything needed to apply it to images.
public struct PretrainedCLIP: Sendable {
  /// Configuration, weights and tokenizer.
  public let directory: CLIPDirectory
  /// The preprocessing of its images.
  public let preprocessing: Preprocessing

  /// The towers.
  public var model: CLIP { directory.model }

  /// Reads a CLIP directory: configuration, tokenizer and preprocessing first, the weights once those are sound.
  ///
  /// Without `preprocessor_config.json` images are prepared as for CLIP's published models.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(contentsOf url: URL, cleaning: TextCleaning = .published) throws {
    let file = url.appendingPathComponent(Preprocessing.fileName)
    let stated = FileManager.default.fileExists(atPath: file.path) ? try Preprocessing(contentsOf: file) : nil
    directory = try CLIPDirectory(contentsOf: url, cleaning: cleaning) { configuration in
      let size = configuration.vision.imageSize
      guard let (height, width) = stated?.outputSize, (height, width) != (size, size) else { return }
      throw PretrainedCLIPError(
        "\(Preprocessing.fileName): crop_size: expected the image size \(size) of the model, found \(height) × "
          + "\(width)")
    }
    preprocessing = try stated ?? .clip(size: directory.model.configuration.vision.imageSize)
  }

  /// Contradictions between the configuration and the checkpoint: the silent errors of the field.
  public var warnings: [String] {
    var warnings: [String] = []
    let configuration = model.configuration
    let text = configuration.text.transformer
    var towers = [("text_config", text)]
    if case .visionTransformer(let vision) = configuration.vision {
      towers.insert(("vision_config", vision.transformer), at: 0)
      if vision.transformer.activation != text.activation {
        warnings.append(
          "hidden_act: vision_config has \(vision.transformer.activation.rawValue), text_config "
            + "\(text.activation.rawValue); CLIP checkpoints have one for both")
      }
    }
    for (name, tower) in towers where tower.epsilon != 1e-5 {
      warnings.append("\(name).layer_norm_eps: CLIP checkpoints have 1e-05, found \(tower.epsilon)")
    }
    guard let published = try? Preprocessing.clip(size: configuration.vision.imageSize) else { return [] }
    if preprocessing.mean != published.mean || preprocessing.std != published.std {
      warnings.append("image_mean, image_std: CLIP checkpoints have \(published.mean), \(published.std)")
    }
    if preprocessing.resample != .bicubic {
      warnings.append("resample: CLIP checkpoints have bicubic, found \(preprocessing.resample.rawValue)")
    }
    if abs(preprocessing.rescale - published.rescale) > 1e-9 {
      warnings.append("rescale_factor: CLIP checkpoints have 1/255, found \(preprocessing.rescale)")
    }
    let tokens = directory.tokenizer.tokenCount
    if tokens != configuration.text.vocabulary {
      warnings.append("vocab_size: \(configuration.text.vocabulary), but the tokenizer has \(tokens) tokens")
    }
    return warnings + directory.sizeWarnings + activationWarnings(towers[0].1.activation)
  }

  /// The weights do not distinguish QuickGELU from GELU; the name and the usual head width do, to a degree.
  private func activationWarnings(_ activation: Activation) -> [String] {
    let configuration = directory.url.appendingPathComponent("config.json")
    let json = (try? JSONSerialization.jsonObject(with: Data(contentsOf: configuration))) as? [String: Any]
    let name = ((json?["_name_or_path"] as? String) ?? directory.url.lastPathComponent).lowercased()
    if name.contains("openai"), activation != .quickGELU {
      return ["hidden_act: OpenAI's checkpoints were trained with quick_gelu, found \(activation.rawValue)"]
    }
    if name.contains("laion") || name.contains("datacomp"), activation == .quickGELU {
      return ["hidden_act: LAION's and DataComp's checkpoints were trained with gelu, found quick_gelu"]
    }
    return []
  }
}

/// A directory whose files contradict each other.
public struct PretrainedCLIPError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found.
  public let description: String

  init(_ description: String) { self.description = description }
}
