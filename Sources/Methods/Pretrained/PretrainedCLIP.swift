import Datasets
import Formats
import Foundation
import Models
import Tensor

/// A CLIP directory with everything needed to apply it to images.
public struct PretrainedCLIP: Sendable {
  /// Configuration, weights and tokenizer.
  public let directory: CLIPDirectory
  /// The preprocessing of its images.
  public var preprocessing: Preprocessing
  /// The origins of its settings, those of the images last.
  public let origins: SettingOrigins
  private let notes: [String]

  /// The preprocessing of its images in words, by which a delta tells it from another.
  public var preparation: String {
    let images = preprocessing
    return "\(images.geometry.words), \(images.resample.rawValue), mean \(images.mean), std \(images.std)"
  }

  /// The towers.
  public var model: CLIP { directory.model }

  /// Reads a CLIP directory: configuration, tokenizer and preprocessing first, the weights once those are sound.
  ///
  /// Preprocessing comes from `open_clip_config.json` where that describes the weights, else from
  /// `processor_config.json` or `preprocessor_config.json`; without any of them images are prepared as for CLIP's
  /// published models.
  ///
  /// - url: the directory, or one weight file, next to which the other files are looked for.
  /// - heads: of the image tower, where no file states them.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(contentsOf url: URL, cleaning: TextCleaning = .published, heads: Int? = nil) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let folder = exists && isFolder.boolValue ? url : url.deletingLastPathComponent()
    try CLIPDirectory.checkConfigurations(at: url)
    let processor = try ImageProcessorFile(in: folder).map { (file) throws(ConfigurationError) in
      let stated = try StatedImages(file, of: "clip")
      return (stated: stated, preprocessing: try stated.preprocessing(), file: file.keys.file)
    }
    func check(_ size: Int) throws(PretrainedCLIPError) {
      guard let processor, processor.preprocessing.outputSize != (size, size) else { return }
      let (height, width) = processor.preprocessing.outputSize
      throw PretrainedCLIPError(
        "\(processor.file): crop_size: expected the image size \(size) of the model, found \(height) × \(width)")
    }
    let isOnly = !FileManager.default.fileExists(atPath: folder.appendingPathComponent("open_clip_config.json").path)
    directory = try CLIPDirectory(contentsOf: url, cleaning: cleaning, heads: heads) { configuration in
      if isOnly { try check(configuration.vision.imageSize) }
    }
    let size = directory.model.configuration.vision.imageSize
    let openCLIP = try directory.openCLIPPreprocessing.map { try Preprocessing($0, size: size) }
    var notes = processor?.stated.warnings ?? []
    if let openCLIP, let processor {
      notes += Self.differences(openCLIP, processor.preprocessing, in: processor.file, follows: directory.isOpenCLIP)
    }
    var origins = directory.origins
    if directory.isOpenCLIP, let openCLIP, let stated = directory.openCLIPPreprocessing {
      preprocessing = openCLIP
      origins.add(preprocessing) { stated.origins[$0.rawValue]?.origin }
    } else if let processor {
      try check(size)
      preprocessing = processor.preprocessing
      origins.add(preprocessing) { processor.stated.origins[$0] }
    } else {
      preprocessing = try .clip(size: size)
      origins.add(preprocessing) { _ in .published("CLIPs, as no file states it") }
    }
    (self.origins, self.notes) = (origins, notes)
  }

  /// A warning if two files of a folder state different preprocessing.
  private static func differences(
    _ openCLIP: Preprocessing, _ theirs: Preprocessing, in file: String, follows isOpenCLIP: Bool
  ) -> [String] {
    guard
      openCLIP.geometry.words != theirs.geometry.words || openCLIP.resample != theirs.resample
        || openCLIP.mean != theirs.mean
        || openCLIP.std != theirs.std
    else { return [] }
    let (used, other) = isOpenCLIP ? ("open_clip_config.json", file) : (file, "open_clip_config.json")
    return ["images are prepared as \(used) states, which differs from \(other)"]
  }

  /// Contradictions between the configuration and the checkpoint: the silent errors of the field.
  public var warnings: [String] {
    let all = notes + directory.warnings
    // What open_clip's file states is stated on purpose: its models differ in these settings.
    if directory.isOpenCLIP { return all + tokenWarnings }
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
    guard let published = try? Preprocessing.clip(size: configuration.vision.imageSize) else { return all }
    if preprocessing.mean != published.mean || preprocessing.std != published.std {
      warnings.append("image_mean, image_std: CLIP checkpoints have \(published.mean), \(published.std)")
    }
    if preprocessing.resample != .bicubic {
      warnings.append("resample: CLIP checkpoints have bicubic, found \(preprocessing.resample.rawValue)")
    }
    if abs(preprocessing.rescale - published.rescale) > 1e-9 {
      warnings.append("rescale_factor: CLIP checkpoints have 1/255, found \(preprocessing.rescale)")
    }
    return warnings + tokenWarnings + all + activationWarnings(towers[0].1.activation)
  }

  private var tokenWarnings: [String] {
    let (tokens, vocabulary) = (directory.tokenizer.tokenCount, model.configuration.text.vocabulary)
    return tokens == vocabulary
      ? [] : ["vocab_size: \(vocabulary), but the tokenizer has \(tokens) tokens"]
  }

  /// The weights do not distinguish QuickGELU from GELU; the name and the usual head width do, to a degree.
  private func activationWarnings(_ activation: Activation) -> [String] {
    let configuration = directory.folder.appendingPathComponent("config.json")
    let stated = try? JSONDocument(JSON.configuration(of: configuration))["_name_or_path"]?.string
    let name = (stated ?? directory.folder.lastPathComponent).lowercased()
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

extension Preprocessing {
  /// The preprocessing of open_clip for a model of an image size.
  init(_ stated: OpenCLIPPreprocessing, size: Int) throws(PreprocessingError) {
    let geometry: Geometry =
      switch stated.mode {
      case .shortest: .shortestEdge(size, crop: size)
      case .longest: .longestEdge(size, fill: stated.fill)
      case .squash: .direct(height: size, width: size)
      }
    try self.init(
      geometry: geometry, resample: stated.isBilinear ? .bilinear : .bicubic, mean: stated.mean, std: stated.std)
  }
}
