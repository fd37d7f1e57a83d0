import Models
import Reference
import Tensor

@testable import Methods

/// A text tower of random weights beside the image tower of a twin, in both forms, with prompts of one length.
struct ReferenceTexts {
  let tower: TextTransformer
  /// The ids of one prompt per class, and the indices of their end-of-text tokens.
  let rows: [[Int32]], ends: [Int]

  init(_ twin: ReferenceTwin) {
    let size = TransformerConfiguration(
      width: 9, hiddenWidth: 11, blocks: 1, heads: 3, activation: .quickGELU, epsilon: 1e-5)
    tower =
      CLIP.random(
        CLIPConfiguration(
          vision: .visionTransformer(twin.tower.configuration),
          text: TextConfiguration(transformer: size, vocabulary: 11, contextLength: 5),
          embedding: twin.embedding ?? 0), seed: twin.seed
      ).text
    let rows: [[Int32]] = [[9, 1, 10, 0], [9, 3, 4, 10], [9, 7, 10, 5], [9, 2, 2, 10], [9, 10, 0, 0]]
    (self.rows, ends) = (Array(rows.prefix(twin.classes)), Array([2, 3, 2, 3, 1].prefix(twin.classes)))
  }

  /// The prompts for the library.
  var texts: ClassTexts { ClassTexts(tower, rows: rows, ends: ends) }

  /// The prompts for `Reference`.
  var prompts: [[Int]] { rows.map { $0.map { Int($0) } } }

  /// The same weights under the names of their sites.
  var network: Network {
    Network(
      Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, Matrix($0.value)) }),
      TransformerSettings(blocks: 1, heads: 3, epsilon: Double(1e-5 as Real), nonlinearity: .quickGELU))
  }
}
