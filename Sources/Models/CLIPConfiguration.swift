import Formats
import Foundation
import Tensor

/// The sizes of the text tower.
public struct TextConfiguration: Sendable, Equatable {
  /// The blocks.
  public let transformer: TransformerConfiguration
  /// The number of token ids.
  public let vocabulary: Int
  /// The longest sequence, start and end tokens included.
  public let contextLength: Int

  /// Sizes by name.
  public init(transformer: TransformerConfiguration, vocabulary: Int, contextLength: Int) {
    (self.transformer, self.vocabulary, self.contextLength) = (transformer, vocabulary, contextLength)
  }
}

/// The sizes of a CLIP model.
public struct CLIPConfiguration: Sendable, Equatable {
  /// The image tower.
  public let vision: ImageConfiguration
  /// The text tower.
  public let text: TextConfiguration
  /// The width of the joint embedding space.
  public let embedding: Int

  /// Sizes by name.
  public init(vision: ImageConfiguration, text: TextConfiguration, embedding: Int) {
    (self.vision, self.text, self.embedding) = (vision, text, embedding)
  }

  /// Sizes by name, of a model whose image tower is a vision transformer.
  public init(vision: VisionConfiguration, text: TextConfiguration, embedding: Int) {
    self.init(vision: .visionTransformer(vision), text: text, embedding: embedding)
  }
}

/// A `config.json` that is not the configuration of a CLIP model this library can run.
public struct ConfigurationError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found, with the file's name.
  public let description: String

  /// An error with this text.
  package init(_ description: String) { self.description = description }
}

extension CLIPConfiguration {
  /// Reads `config.json` of a Hugging Face CLIP directory. Keys it leaves out have Hugging Face's defaults, those of
  /// ViT-B/32.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  public init(contentsOf url: URL) throws(ConfigurationError) {
    let json = try ConfigurationFile(url)
    if let type = try json.string("model_type"), type != "clip" {
      throw json.error("model_type", "clip", "\"\(type)\"")
    }
    let (vision, text) = (try json.section("vision_config"), try json.section("text_config"))
    embedding = try json.extent("projection_dim", default: 512)
    let size = VisionConfiguration(
      transformer: try vision.transformer(width: 768, hidden: 3072, heads: 12),
      imageSize: try vision.extent("image_size", default: 224), patchSize: try vision.extent("patch_size", default: 32))
    self.text = TextConfiguration(
      transformer: try text.transformer(width: 512, hidden: 2048, heads: 8),
      vocabulary: try text.extent("vocab_size", default: 49408),
      contextLength: try text.extent("max_position_embeddings", default: 77))
    self.vision = .visionTransformer(size)
    let channels = try vision.extent("num_channels", default: 3)
    guard channels == 3 else { throw vision.error("num_channels", "3", "\(channels)") }
    guard size.patchSize <= size.imageSize else {
      throw vision.error("patch_size", "at most image_size \(size.imageSize)", "\(size.patchSize)")
    }
  }
}

/// A JSON object of a configuration file, with its path.
struct ConfigurationFile {
  let file: String
  let path: String
  let values: [String: Any]

  init(_ url: URL) throws(ConfigurationError) {
    file = url.lastPathComponent
    path = ""
    let bytes: [UInt8]
    do throws(FileError) { bytes = try MappedFile.bytes(of: url) } catch {
      throw ConfigurationError(error.description)
    }
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)), let values = object as? [String: Any]
    else {
      throw ConfigurationError("\(url.path): expected a JSON object, found other contents")
    }
    self.values = values
  }

  private init(file: String, path: String, values: [String: Any]) {
    (self.file, self.path, self.values) = (file, path, values)
  }

  func error(_ key: String, _ expected: String, _ found: String) -> ConfigurationError {
    ConfigurationError("\(file): \(path)\(key): expected \(expected), found \(found)")
  }

  func section(_ key: String) throws(ConfigurationError) -> ConfigurationFile {
    guard let value = values[key] else { throw error(key, "an object", "none") }
    guard let section = value as? [String: Any] else { throw error(key, "an object", "\(value)") }
    return ConfigurationFile(file: file, path: "\(path)\(key).", values: section)
  }

  /// A string, if there is one under the key.
  func string(_ key: String) throws(ConfigurationError) -> String? {
    guard let value = values[key] else { return nil }
    guard let string = value as? String else { throw error(key, "a string", "\(value)") }
    return string
  }

  /// A positive whole number small enough that products of two cannot overflow.
  func extent(_ key: String, default standard: Int) throws(ConfigurationError) -> Int {
    guard let value = values[key] else { return standard }
    guard let number = value as? NSNumber, let extent = Int(exactly: number.doubleValue),
      (1...(1 << 24)).contains(extent)
    else { throw error(key, "a whole number from 1 to \(1 << 24)", "\(value)") }
    return extent
  }

  func transformer(width: Int, hidden: Int, heads: Int) throws(ConfigurationError) -> TransformerConfiguration {
    let name = try string("hidden_act") ?? Activation.quickGELU.rawValue
    guard let activation = Activation(rawValue: name) else {
      let known = Activation.allCases.map(\.rawValue).joined(separator: ", ")
      throw error("hidden_act", "one of \(known)", "\"\(name)\"")
    }
    let stored = values["layer_norm_eps"] ?? 1e-5
    guard let epsilon = (stored as? NSNumber)?.doubleValue, epsilon > 0, epsilon < 1 else {
      throw error("layer_norm_eps", "a number between 0 and 1", "\(stored)")
    }
    let configuration = TransformerConfiguration(
      width: try extent("hidden_size", default: width),
      hiddenWidth: try extent("intermediate_size", default: hidden),
      blocks: try extent("num_hidden_layers", default: 12), heads: try extent("num_attention_heads", default: heads),
      activation: activation, epsilon: epsilon)
    guard configuration.width % configuration.heads == 0 else {
      throw error("num_attention_heads", "a divisor of hidden_size \(configuration.width)", "\(configuration.heads)")
    }
    return configuration
  }
}
