import Models
import Tensor

/// CoOp: the vectors of the words around a class name are learned through the frozen text tower (Zhou et al. 2022,
/// Learning to Prompt for Vision-Language Models, eq. 2 to 4).
///
///     t_c = g([SOS] [v_1] … [v_M] [name of c] [.] [EOS]),   z_c = s ⟨f / ‖f‖, t_c / ‖t_c‖⟩
///
/// The name stands behind the context, before it, or between its halves. All classes share one context, or each has its
/// own. v ~ N(0, 0.02²) at first, or the embeddings of given words: with those of "a photo of a" t is that of the
/// template.
///
/// - v: [M, width], or [classes · M, width], those of the first class first.
struct LearnedContext: ContrastiveHead {
  /// log s
  let logitScale: Parameter
  private let tower: TextTransformer
  private let initial: Tensor
  /// The embeddings of the tokens of all names: [words, width].
  private let words: Tensor
  /// Of every token of every prompt, its row among the context vectors and then the words: [classes · length].
  private let rows: [Int32]
  private let length: Int
  /// The token of each prompt that is read.
  private let ends: [Int]

  /// A context at its start; `seed` is that of random vectors.
  ///
  /// - Throws: `SettingError` for prompts longer than the tower's context, and for words without tokens.
  init(
    _ encoder: PromptEncoder, _ settings: ContextSettings.Context, logitScale: Parameter, seed: UInt64
  ) throws(SettingError) {
    (tower, self.logitScale) = (encoder.tower, logitScale)
    let (classes, width) = (encoder.classes.count, tower.configuration.transformer.width)
    let given = settings.words.map { encoder.tokens($0) }
    let (count, copies) = (given?.count ?? settings.length, settings.isClassSpecific ? classes : 1)
    guard count > 0 else {
      throw SettingError("context-init", expected: "words that are tokens", found: "\"\(settings.words ?? "")\"")
    }
    if let given {
      let vectors = tower.embeddings(of: given).values
      initial = Tensor([copies * count, width], (0..<copies).flatMap { _ in vectors })
    } else {
      initial = Random(seed: seed, purpose: .initialization, step: 0).normal([copies * count, width], deviation: 0.02)
    }
    let contexts = (0..<classes).map { index in
      let first = settings.isClassSpecific ? index * count : 0
      return Array(first..<first + count)
    }
    let (slots, ends) = try encoder.rows(contexts: contexts, settings.position)
    var (found, ids): ([Int32: Int32], [Int32]) = ([:], [])
    rows = slots.joined().map { (slot) -> Int32 in
      switch slot {
      case .context(let index): return Int32(index)
      case .token(let id):
        if let row = found[id] { return row }
        let row = Int32(copies * count + ids.count)
        (found[id], ids) = (row, ids + [id])
        return row
      }
    }
    (length, self.ends, words) = (slots.first?.count ?? 0, ends, tower.embeddings(of: ids))
  }

  /// v
  var trainables: [Trainable] { [Trainable(DeltaEntry.classifier(part: "context").name, initial)] }

  /// t: [classes, embedding]
  func classifier(_ values: [Variable]) -> Variable {
    let (count, width) = (words.shape[0], words.shape[1])
    let table = Variable(words.reshaped(to: [1, count, width])).prepending(values[0])
      .reshaped(to: [initial.shape[0] + count, width])
    return tower(embedded: table.embedding(rows, shape: [ends.count, length]), ends: ends, Pass())
  }

  /// The classifier of t, for which the text tower runs once.
  func settled(_ values: [Variable], _ pass: Pass) -> any Head {
    ZeroShot(textFeatures: classifier(values).value, logitScale: logitScale)
  }

  /// v, and t, with which nobody needs the text tower.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(["context": values[0], "context.features": classifier(values.map { Variable($0) }).value])
  }
}

/// v and t in a delta.
enum ContextDelta: StoredHead {
  static let subject = "a text classifier of learned prompts"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] {
    ["context": [nil, nil], "context.features": [classes, width]]
  }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    ZeroShot(textFeatures: tensors["context.features"] ?? textFeatures, logitScale: logitScale)
  }
}
