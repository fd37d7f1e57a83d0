import Models
import Tensor

/// The prompts of all classes as rows of one table: context vectors that are learned, then the embeddings of words.
struct PromptTable: Sendable {
  private let tower: TextTransformer
  /// The embeddings of the tokens of all names: [words, width].
  private let words: Tensor
  /// Of every token of every prompt, its row among the context vectors and then the words: [classes · length].
  private let rows: [Int32]
  private let length: Int
  /// The token of each prompt that is read.
  private let ends: [Int]
  /// The number of context vectors.
  private let count: Int

  /// - contexts: of every class, the indices of its context vectors among `count`.
  /// - Throws: `SettingError` for prompts longer than the tower's context.
  init(
    _ encoder: PromptEncoder, contexts: [[Int]], of count: Int, _ position: ContextSettings.Position
  ) throws(SettingError) {
    let (slots, ends) = try encoder.rows(contexts: contexts, position)
    var (found, ids): ([Int32: Int32], [Int32]) = ([:], [])
    rows = slots.joined().map { (slot) -> Int32 in
      switch slot {
      case .context(let index): return Int32(index)
      case .token(let id):
        if let row = found[id] { return row }
        let row = Int32(count + ids.count)
        (found[id], ids) = (row, ids + [id])
        return row
      }
    }
    (tower, length, self.ends, self.count) = (encoder.tower, slots.first?.count ?? 0, ends, count)
    words = tower.embeddings(of: ids)
  }

  /// t by context vectors, [count, width]: [classes, embedding] (CoOp (a)).
  func features(_ context: Variable) -> Variable {
    let width = words.shape[1]
    let table = Variable(words.reshaped(to: [1, words.shape[0], width])).prepending(context)
      .reshaped(to: [count + words.shape[0], width])
    return tower(embedded: table.embedding(rows, shape: [ends.count, length]), ends: ends, Pass())
  }
}

extension PromptEncoder {
  /// Context vectors at their start: the embeddings of words, or N(0, 0.02²) by a seed (CoOp (c)).
  ///
  /// - count: their number where there are no words; copies: how often they are repeated.
  /// - Throws: `SettingError` for words without tokens.
  func start(words: String?, count: Int, copies: Int = 1, seed: UInt64) throws(SettingError) -> Tensor {
    let (given, width) = (words.map { tokens($0) }, tower.configuration.transformer.width)
    let count = given?.count ?? count
    guard count > 0 else {
      throw SettingError("context-init", expected: "words that are tokens", found: "\"\(words ?? "")\"")
    }
    guard let given else {
      return Random(seed: seed, purpose: .initialization, step: 0).normal([copies * count, width], deviation: 0.02)
    }
    let vectors = tower.embeddings(of: given).values
    return Tensor([copies * count, width], (0..<copies).flatMap { _ in vectors })
  }
}
