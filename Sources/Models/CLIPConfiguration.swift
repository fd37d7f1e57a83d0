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
  /// The attention of its tokens, and the choice of the one that stands for the text.
  public let form: Form

  /// Sizes by name; CLIP's form unless another is given.
  public init(transformer: TransformerConfiguration, vocabulary: Int, contextLength: Int, form: Form = .clip) {
    (self.transformer, self.vocabulary, self.contextLength) = (transformer, vocabulary, contextLength)
    self.form = form
  }

  /// The differences of published text towers outside of their blocks.
  public struct Form: Sendable, Equatable {
    /// True if a token attends to itself and to earlier ones only.
    public let isCausal: Bool
    /// The token whose features are those of the text.
    public let pooling: Pooling

    /// A form by its parts.
    public init(isCausal: Bool, pooling: Pooling) { (self.isCausal, self.pooling) = (isCausal, pooling) }

    /// Radford et al. 2021, section 2.4.
    public static let clip = Form(isCausal: true, pooling: .endOfText)
  }

  /// The token of a row whose features are those of the text.
  public enum Pooling: Sendable, Equatable, CustomStringConvertible {
    /// The first end-of-text token of the tokenizer.
    case endOfText
    /// The first of the largest id: the end of text, unless tokens were added after it.
    case largest
    /// The first of the given id; the first token of all where there is none of it.
    case token(Int32)
    /// The first token of the row.
    case first
    /// The last token of the whole context, padding included.
    case last

    /// `first token 49407`
    public var description: String {
      switch self {
      case .endOfText: "end of text"
      case .largest: "largest token"
      case .token(let id): "first token \(id)"
      case .first: "first token"
      case .last: "last token of the context"
      }
    }

    /// The index of the token in a row.
    package func index(in row: [Int32], endOfText: Int32) -> Int {
      switch self {
      case .endOfText: row.firstIndex(of: endOfText) ?? row.count - 1
      case .largest: row.firstIndex(of: row.max() ?? 0) ?? 0
      case .token(let id): row.firstIndex(of: id) ?? 0
      case .first: 0
      case .last: row.count - 1
      }
    }
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
    self = try HuggingFaceConfiguration(contentsOf: url).configuration
  }
}
