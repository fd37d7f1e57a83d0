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
  private let initial: Tensor
  private let prompts: PromptTable

  /// A context at its start; `seed` is that of random vectors.
  ///
  /// - Throws: `SettingError` for prompts longer than the tower's context, and for words without tokens.
  init(
    _ encoder: PromptEncoder, _ settings: ContextSettings.Context, logitScale: Parameter, seed: UInt64
  ) throws(SettingError) {
    self.logitScale = logitScale
    let classes = encoder.classes.count
    let copies = settings.isClassSpecific ? classes : 1
    initial = try encoder.start(words: settings.words, count: settings.length, copies: copies, seed: seed)
    let count = initial.shape[0] / copies
    let contexts = (0..<classes).map { index in
      let first = settings.isClassSpecific ? index * count : 0
      return Array(first..<first + count)
    }
    prompts = try PromptTable(encoder, contexts: contexts, of: initial.shape[0], settings.position)
  }

  /// v
  var trainables: [Trainable] { [Trainable(DeltaEntry.classifier(part: "context").name, initial)] }

  /// t: [classes, embedding]
  func classifier(_ values: [Variable]) -> Variable { prompts.features(values[0]) }

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
