import Tensor

/// CLIP's text transformer (Radford et al. 2021, section 2.4): causal and read at the end-of-text token, unless its
/// configuration has another form.
public struct TextTransformer: Sendable, ParameterizedLayer {
  package static let layer = Layer.textTransformer

  /// The sizes.
  public let configuration: TextConfiguration
  let tokens, positions: Parameter
  let blocks: [TransformerBlock]
  let finalNorm: LayerNorm
  /// The map from what is read of a text to its features.
  package let projection: Linear
  /// What earlier trainings made of it; `nil` for nothing.
  private var prior: PriorTunings?

  package init(_ reader: inout WeightReader, _ configuration: TextConfiguration, embedding: Int) throws(WeightsError) {
    self.configuration = configuration
    let size = configuration.transformer
    tokens = try reader.parameter(Site("text.tokens", .tokens), [configuration.vocabulary, size.width])
    positions = try reader.parameter(Site("text.positions", .positions), [configuration.contextLength, size.width])
    var blocks: [TransformerBlock] = []
    for index in 0..<size.blocks {
      blocks.append(
        try TransformerBlock(&reader, tower: "text", index: index, size, isCausal: configuration.form.isCausal))
    }
    self.blocks = blocks
    finalNorm = try LayerNorm(&reader, "text.finalNorm", width: size.width, epsilon: size.epsilon)
    projection = try Linear(&reader, "text.projection", .projection, from: size.width, to: embedding, hasBias: false)
  }

  /// The tower as earlier trainings left it.
  package func over(_ prior: PriorTunings) -> TextTransformer {
    var tower = self
    tower.prior = prior
    return tower
  }

  private func settled(_ pass: Pass) -> Pass { prior.map { pass.over($0) } ?? pass }

  /// Text features, not normalised.
  ///
  /// Where a token attends only to earlier ones, sequences may be cut after the last token of `ends` in the batch: the
  /// features are the same to the bit.
  ///
  /// - ids: [batch][length], rows of one length of at most `contextLength`; ends: [batch], the index of the token of
  ///   each row that `configuration.form.pooling` names; result: [batch, embedding].
  public func callAsFunction(_ ids: [[Int32]], ends: [Int], _ pass: Pass) -> Variable {
    projection(trunk(ids, ends: ends, pass), settled(pass))
  }

  /// What the projection reads, for texts as above: [batch, width].
  package func trunk(_ ids: [[Int32]], ends: [Int], _ pass: Pass) -> Variable {
    let length = ids.first?.count ?? 0
    require(
      ids.allSatisfy { $0.count == length } && length <= configuration.contextLength && ends.count == ids.count,
      "TextTransformer: expected rows of one length of at most \(configuration.contextLength)")
    let pass = settled(pass)
    let embedded = pass[tokens].embedding(Array(ids.joined()), shape: [ids.count, length])
    return trunk(embedded: embedded, ends: ends, pass)
  }

  /// The same for embeddings of tokens, before positions are added.
  ///
  /// - embedded: [batch, length, width]; ends: as above; result: [batch, embedding].
  package func callAsFunction(embedded: Variable, ends: [Int], _ pass: Pass) -> Variable {
    let pass = settled(pass)
    return projection(trunk(embedded: embedded, ends: ends, pass), pass)
  }

  private func trunk(embedded: Variable, ends: [Int], _ pass: Pass) -> Variable {
    let length = embedded.shape[1]
    let positional = pass[positions].embedding((0..<Int32(length)).map { $0 }, shape: [length])
    var state = pass.observed("text.embedding", embedded.adding(positional))
    for block in blocks { state = block(state, pass) }
    let normed = pass.observed("text.finalNorm", finalNorm(state, pass))
    return normed.selectingToken(ends)
  }

  /// The embeddings of tokens by their ids: [ids, width].
  package func embeddings(of ids: [Int32]) -> Tensor {
    Variable((prior?(tokens) ?? tokens).value).embedding(ids, shape: [ids.count]).value
  }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    let own = [tokens, positions] + blocks.flatMap(\.parameters) + finalNorm.parameters + projection.parameters
    return own.map { prior?($0) ?? $0 }
  }
}
