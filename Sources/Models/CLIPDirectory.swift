import Formats
import Foundation
import Tensor

/// A CLIP directory: a Hugging Face one as downloaded, `config.json`, weights and tokenizer; one of open_clip, with
/// `open_clip_config.json`; or one without a configuration whose weights have OpenAI's names. Weights may be of any
/// format; `PretrainedWeights` selects the file.
public struct CLIPDirectory: Sendable {
  /// The directory, or the weight file in it that was named.
  public let url: URL
  /// The model with its weights.
  public let model: CLIP
  /// The tokenizer that belongs to the weights.
  public let tokenizer: Tokenizer
  /// The opened weight files.
  public let weights: PretrainedWeights
  /// The name table of the weight files.
  public let layout: WeightLayout
  /// The directory that holds the weights.
  package let folder: URL
  /// The origin of every setting that the results depend on and that no weight shows.
  package let origins: SettingOrigins
  /// The preprocessing that `open_clip_config.json` states, if there is one.
  package let openCLIPPreprocessing: OpenCLIPPreprocessing?
  /// True if `open_clip_config.json` describes the weights.
  package let isOpenCLIP: Bool
  private let notes: [String]

  /// Reads everything except the preprocessing, which belongs to the code that reads images.
  ///
  /// Configuration and tokenizer are read and checked before the weights. Sizes come from `config.json`, or from tensor
  /// shapes and `open_clip_config.json`; they are checked before any tensor is read.
  ///
  /// - url: the directory, or one weight file, next to which the other files are looked for.
  /// - heads: of the image tower, where no file states them.
  /// - check: refuses a configuration that does not suit the caller, before any weight is read.
  /// - Throws: `ConfigurationError`, `WeightFileError`, `WeightsError` or `TokenizerError`, each
  ///   naming the file; what `check` throws.
  public init(
    contentsOf url: URL, cleaning: TextCleaning = .published, heads: Int? = nil,
    check: (CLIPConfiguration) throws -> Void = { _ in }
  ) throws {
    self.url = url
    let files = try CLIPFiles(url)
    folder = files.folder
    // A file that is no CLIP needs no tokenizer.
    let named = files.file == nil ? nil : try Self.opened(files)
    var tokenizer = try Tokenizer.load(from: files.folder)
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
    let isCertain = files.openCLIP == nil && files.file == nil
    if isCertain, let stated = files.huggingFace { try checkAll(stated.configuration) }
    let (weights, names) = try named ?? Self.opened(files)
    self.weights = weights
    let source = names.stripped(weights)
    let configuration: CLIPConfiguration
    var layout: WeightLayout
    (configuration, origins, layout) = try Self.described(files, names, source, of: weights, heads)
    try files.requireAgreement(configuration, names.family, source)
    if !isCertain || files.huggingFace == nil { try checkAll(configuration) }
    isOpenCLIP = names.family == .openAI && files.openCLIP != nil
    openCLIPPreprocessing = files.openCLIP?.preprocessing
    // open_clip resizes the positions of images to the stated size as timm does; transformers refuses others.
    model = try CLIP(
      configuration, from: source, layout: layout, resampling: isOpenCLIP ? .timm : nil)
    layout.fullNames = (source as? StrippedSource)?.fullNames ?? [:]
    self.layout = layout
    notes =
      (names.prefix.isEmpty ? [] : ["\(weights.label): read without \"\(names.prefix)\", which begins all names"])
      + (files.tower.map { ["\(weights.label): read as a CLIP; the image tower in \($0) next to it is not"] } ?? [])
      + (isOpenCLIP ? files.openCLIP?.warnings ?? [] : files.huggingFace?.warnings ?? [])
  }

  /// Reads the configurations of a path, which are checked first: they name a model that is no CLIP.
  ///
  /// - Throws: `ConfigurationError` naming the file and the key.
  package static func checkConfigurations(at url: URL) throws(ConfigurationError) { _ = try CLIPFiles(url) }

  /// Returns whether a folder holds a CLIP in the files of open_clip, whatever else it holds: timm's repositories hold
  /// its image tower, too.
  package static func isOpenCLIP(_ folder: URL) -> Bool { (try? CLIPFiles(folder))?.holdsOpenCLIP ?? false }

  /// Returns whether weights are those of a whole image–text model that is refused by name, whatever its image tower.
  package static func isUnsupported(_ source: any TensorSource) -> Bool {
    UnsupportedCLIP.recognised(source.names) != nil
      && source.names.contains { $0.hasPrefix("text.") || $0.hasPrefix("transformer.") }
  }

  /// Returns whether weights are those of a CLIP, or of a relative that is refused by name.
  package static func recognises(_ source: any TensorSource) -> Bool {
    do { return try CLIPNames.of(source) != nil || UnsupportedCLIP.recognised(source.names) != nil } catch {
      return true
    }
  }

  /// The weights, and the family of their names.
  private static func opened(_ files: CLIPFiles) throws -> (PretrainedWeights, CLIPNames) {
    let weights = try files.weights()
    guard let names = try CLIPNames.of(weights) else {
      try UnsupportedCLIP.refuse(weights)
      let shown = weights.names.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
      throw ConfigurationError(
        "\(weights.label): expected the tensors of a CLIP under OpenAI's, open_clip's or Hugging Face's names, "
          + "found \(shown.isEmpty ? "no tensor" : "\(shown), …")")
    }
    try UnsupportedCLIP.refuse(names.stripped(weights))
    return (weights, names)
  }

  /// The configuration of the weights, the origins of its numbers, and the table of its names.
  private static func described(
    _ files: CLIPFiles, _ names: CLIPNames, _ source: any TensorSource, of weights: PretrainedWeights, _ heads: Int?
  ) throws(ConfigurationError) -> (CLIPConfiguration, SettingOrigins, WeightLayout) {
    switch names.family {
    case .huggingFace:
      let stated = try files.requireHuggingFace()
      guard heads == nil else { throw refusal(ofHeads: "config.json: num_attention_heads", source) }
      return (stated.configuration, stated.origins, .huggingFaceCLIP)
    case .openAI:
      let (configuration, origins): (CLIPConfiguration, SettingOrigins)
      if files.openCLIP == nil, files.file == nil, let stated = files.huggingFace {
        guard heads == nil else { throw refusal(ofHeads: "config.json: num_attention_heads", source) }
        (configuration, origins) = (stated.configuration, stated.origins)
      } else {
        (configuration, origins) = try deduced(source, of: weights, files, heads)
      }
      let isCustomText = !WeightLayout.textPrefix(source).isEmpty
      if case .resNet = configuration.vision {
        return (configuration, origins, isCustomText ? .customTextResNetCLIP : .openAIResNetCLIP)
      }
      return (configuration, origins, isCustomText ? .customTextCLIP : .openAICLIP)
    }
  }

  /// An error about heads that something states already.
  static func refusal(ofHeads found: String, _ source: some TensorSource) -> ConfigurationError {
    ConfigurationError("\(source.label): heads: expected weights without a statement of them, found \(found)")
  }

  private static func deduced(
    _ source: any TensorSource, of weights: PretrainedWeights, _ files: CLIPFiles, _ heads: Int?
  ) throws(ConfigurationError) -> (CLIPConfiguration, SettingOrigins) {
    func sizes(_ source: some TensorSource) throws(ConfigurationError) -> (CLIPConfiguration, SettingOrigins) {
      var deduction = OpenAIDeduction(source, files.openCLIP, UnstatedActivation.of(weights), visionHeads: heads)
      let configuration = try deduction.configuration()
      return (configuration, deduction.origins)
    }
    return try sizes(source)
  }

  /// Contradictions between the files, keys that nobody knows, and settings that are assumed.
  package var warnings: [String] { origins.warnings + notes + sizeWarnings }

  /// Contradictions between the shapes and the sizes that OpenAI stores with the weights, as tensors of one integer.
  private var sizeWarnings: [String] {
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

  /// Prompts as the text tower reads them: rows of token ids of one length, and the index in each of the token that is
  /// read.
  ///
  /// - Throws: `TokenizerError` for a prompt longer than the context, unless `truncate` cuts it.
  package func tokens(
    of prompts: [String], truncate: Bool = false
  ) throws(TokenizerError) -> (rows: [[Int32]], ends: [Int]) {
    let (context, form) = (model.configuration.text.contextLength, model.configuration.text.form)
    // Padding is seen only by a tower that is not causal, or that reads the last token: those of open_clip, which pads
    // with zeros.
    let needsAll = !form.isCausal || form.pooling == .last
    let rows = try tokenizer.encode(
      prompts, contextLength: context, truncate: truncate, padding: needsAll ? .zero : .endOfText)
    let ends = rows.map { form.pooling.index(in: $0, endOfText: tokenizer.endOfText) }
    return (needsAll ? rows : rows.map { Array($0.prefix((ends.max() ?? 0) + 1)) }, ends)
  }

  /// Raw text features of prompts, in batches.
  ///
  /// - Returns: [prompts, embedding], not normalised.
  /// - Throws: `TokenizerError` for a prompt longer than the context, unless `truncate` cuts it.
  public func textFeatures(_ prompts: [String], truncate: Bool = false, batch: Int = 64) throws -> Tensor {
    try textFeatures(prompts, truncate: truncate, batch: batch, Pass())
  }

  /// The same by a tuned text tower.
  package func textFeatures(
    _ prompts: [String], truncate: Bool = false, batch: Int = 64, _ pass: Pass
  ) throws -> Tensor {
    let embedding = model.configuration.embedding
    var features = Tensor.zeros([prompts.count, embedding])
    for start in stride(from: 0, to: prompts.count, by: batch) {
      let group = Array(prompts[start..<min(start + batch, prompts.count)])
      let (rows, ends) = try tokens(of: group, truncate: truncate)
      let found = model.text(rows, ends: ends, pass).value
      features.write { into in
        Tensor.read(found) { (into + start * embedding).update(from: $0, count: found.count) }
      }
    }
    return features
  }
}
