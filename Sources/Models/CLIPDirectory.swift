import Formats
import Foundation
import Tensor

/// A CLIP directory: a Hugging Face one as downloaded, `config.json`, weights and tokenizer, or one without
/// `config.json` whose weights have OpenAI's names. Weights may be of any format; `PretrainedWeights` selects the file.
public struct CLIPDirectory: Sendable {
  /// The directory.
  public let url: URL
  /// The model with its weights.
  public let model: CLIP
  /// The tokenizer that belongs to the weights.
  public let tokenizer: Tokenizer
  /// The opened weight files.
  public let weights: PretrainedWeights
  /// The name table of the weight files.
  public let layout: WeightLayout
  /// True if there is no configuration, so that sizes are inferred from tensor shapes.
  package let isDeduced: Bool

  /// Reads everything except the preprocessing, which belongs to the code that reads images.
  ///
  /// Configuration and tokenizer are read and checked before the weights. Without `config.json` the sizes are inferred
  /// from tensor shapes, which are checked before any tensor is read.
  ///
  /// - check: refuses a configuration that does not suit the caller, before any weight is read.
  /// - Throws: `ConfigurationError`, `WeightFileError`, `WeightsError` or `TokenizerError`, each
  ///   naming the file; what `check` throws.
  public init(
    contentsOf url: URL, cleaning: TextCleaning = .published, check: (CLIPConfiguration) throws -> Void = { _ in }
  ) throws {
    self.url = url
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue else {
      throw ConfigurationError("\(url.path): expected a directory with a CLIP checkpoint, found none")
    }
    let file = url.appendingPathComponent("config.json")
    let isStated = FileManager.default.fileExists(atPath: file.path)
    let stated = isStated ? try CLIPConfiguration(contentsOf: file) : nil
    let activation = isStated ? nil : try OpenCLIPConfiguration.activation(in: url)
    var tokenizer = try Tokenizer.load(from: url)
    tokenizer.cleaning = cleaning
    self.tokenizer = tokenizer
    func checkAll(_ configuration: CLIPConfiguration) throws {
      guard tokenizer.tokenCount <= configuration.text.vocabulary else {
        throw ConfigurationError(
          "\(url.path): expected at most \(configuration.text.vocabulary) tokens (text_config.vocab_size), "
            + "found \(tokenizer.tokenCount) in the tokenizer's files")
      }
      try check(configuration)
    }
    if let stated { try checkAll(stated) }
    weights = try PretrainedWeights(contentsOf: url)
    isDeduced = !isStated && CLIPConfiguration.hasOpenAINames(weights)
    let configuration =
      if let activation, isDeduced {
        try CLIPConfiguration(deducedFrom: weights, activation: activation)
      } else {
        try stated ?? CLIPConfiguration(contentsOf: file)
      }
    if !isStated { try checkAll(configuration) }
    let isCustomText = !WeightLayout.textPrefix(weights).isEmpty
    layout =
      switch (isDeduced, configuration.vision) {
      case (false, _): .huggingFaceCLIP
      case (true, .resNet): isCustomText ? .customTextResNetCLIP : .openAIResNetCLIP
      case (true, _): isCustomText ? .customTextCLIP : .openAICLIP
      }
    model = try CLIP(configuration, from: weights, layout: layout)
  }

  /// Contradictions between the shapes and the sizes that OpenAI stores with the weights, as tensors of one integer.
  package var sizeWarnings: [String] {
    let configuration = model.configuration
    let sizes = [
      ("input_resolution", configuration.vision.imageSize), ("context_length", configuration.text.contextLength),
      ("vocab_size", configuration.text.vocabulary),
    ]
    return sizes.compactMap { name, size in
      guard let stored = try? weights.integers(name).first, stored != size else { return nil }
      return "\(name): the weights file says \(stored), the shapes of its tensors say \(size)"
    }
  }

  /// Raw text features of prompts, in batches: the frozen text tower runs once per run.
  ///
  /// - Returns: [prompts, embedding], not normalised.
  /// - Throws: `TokenizerError` for a prompt longer than the context, unless `truncate` cuts it.
  public func textFeatures(_ prompts: [String], truncate: Bool = false, batch: Int = 64) throws -> Tensor {
    let context = model.configuration.text.contextLength
    let rows = try tokenizer.encode(prompts, contextLength: context, truncate: truncate, padding: .endOfText)
    let embedding = model.configuration.embedding
    var features = Tensor.zeros([prompts.count, embedding])
    for start in stride(from: 0, to: prompts.count, by: batch) {
      let group = rows[start..<min(start + batch, rows.count)]
      let ends = group.map { $0.firstIndex(of: tokenizer.endOfText) ?? context - 1 }
      let length = (ends.max() ?? 0) + 1
      let found = model.text(group.map { Array($0.prefix(length)) }, ends: ends, Pass()).value
      features.write { into in
        Tensor.read(found) { (into + start * embedding).update(from: $0, count: found.count) }
      }
    }
    return features
  }
}
