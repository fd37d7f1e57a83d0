/// The features of a text transformer, and every value on the way to them that its backward pass reads.
public struct TextValues: Sendable {
  /// Tokens with their positions: [samples · length, width].
  public let embedded: Matrix
  /// The blocks.
  public let blocks: [BlockValues]
  /// The end-of-text tokens after the last block, before and after the last norm: [samples, width].
  public let ends, finalNorm: Matrix
  /// The features, not normalised: [samples, embedding].
  public let features: Matrix
}

extension Network {
  /// CLIP's text transformer (Radford et al. 2021, section 2.4): causal, read at the end-of-text token.
  ///
  ///     z_t = tokens[id_t] + positions[t];   z = block_i(z), i = 0 … n − 1;   f = P norm(z_end)
  ///
  /// A token sees earlier ones only, so that what follows the end-of-text token changes nothing.
  ///
  /// - ids: [samples][length]; ends: the index of each end-of-text token; text.tokens: [vocabulary, width];
  ///   text.positions: [context length, width]; text.projection P: [embedding, width].
  public func textTransformer(_ ids: [[Int]], ends: [Int]) -> TextValues {
    let length = ids.first?.count ?? 0
    require(
      ids.allSatisfy { $0.count == length } && ends.count == ids.count,
      "textTransformer: expected rows of one length and an end for each, found \(ids.map(\.count)) and \(ends)")
    let positions = selectRows(self["text.positions"], Array(0..<length))
    let embedded = withPositions(selectRows(self["text.tokens"], Array(ids.joined())), positions)
    let blocks = stack(embedded, "text", samples: ids.count, isCausal: true)
    let endRows = selectRows(blocks.last?.output ?? embedded, ends.indices.map { $0 * length + ends[$0] })
    let finalNorm = norm(endRows, "text.finalNorm")
    return TextValues(
      embedded: embedded, blocks: blocks, ends: endRows, finalNorm: finalNorm,
      features: tunedLinear(finalNorm, "text.projection", samples: ids.count))
  }

  /// The gradients of a text transformer: of every tensor by its name.
  ///
  /// - dFeatures: as `values.features`, `values` being the result of `textTransformer` for the same tokens.
  public func textTransformerBackward(
    _ dFeatures: Matrix, _ values: TextValues, _ ids: [[Int]], ends: [Int]
  ) -> Parameters {
    var gradients: Parameters = [:]
    let (samples, length) = (ids.count, ids.first?.count ?? 0)
    var d = tunedLinearBackward(dFeatures, x: values.finalNorm, "text.projection", samples: samples, &gradients)
    d = normBackward(d, x: values.ends, "text.finalNorm", &gradients)
    d = selectRowsBackward(d, ends.indices.map { $0 * length + ends[$0] }, of: values.embedded.rows)
    d = stackBackward(d, values.blocks, "text", samples: samples, isCausal: true, &gradients)
    gradients["text.tokens"] = selectRowsBackward(d, Array(ids.joined()), of: self["text.tokens"].rows)
    let dPositions = positionsBackward(d, tokens: length)
    gradients["text.positions"] = selectRowsBackward(dPositions, Array(0..<length), of: self["text.positions"].rows)
    return gradients
  }
}
