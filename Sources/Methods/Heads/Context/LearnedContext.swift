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
/// - v: [M, width], or [classes · M, width], those of the first class first (CoOp (a) and (b)).
struct LearnedContext: ContrastiveHead {
  /// log s
  let logitScale: Parameter
  private let initial: Tensor
  private let prompts: PromptTable
  /// The place of the names, where all classes share the context; `nil` where each has its own.
  private let sharedPosition: ContextSettings.Position?

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
    sharedPosition = settings.isClassSpecific ? nil : settings.position
  }

  /// v
  var trainables: [Trainable] { [Trainable(DeltaEntry.classifier(part: "context").name, initial)] }

  /// t: [classes, embedding]
  func classifier(_ values: [Variable]) -> Variable { prompts.features(values[0]) }

  /// The classifier of t, for which the text tower runs once.
  func settled(_ values: [Variable], _ pass: Pass) -> any Head {
    ZeroShot(textFeatures: classifier(values).value, logitScale: logitScale)
  }

  /// v, and t, with which nobody needs the text tower; with a shared context where it stands, for other names.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(
      ["context": values[0], "context.features": classifier(values.map { Variable($0) }).value],
      settings: sharedPosition.map { [ContextDelta.position: Real($0.index)] } ?? [:])
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

  /// The setting that says where a shared context stands.
  static let position = "context-position"

  /// t of other names in the context; `nil` where every class has its own.
  static func textRows(
    of delta: Delta, for prompts: PromptEncoder
  ) throws(SettingError) -> (name: String, rows: Tensor)? {
    guard let context = tensors(of: delta)?["context"], let position = sharedPosition(in: delta) else { return nil }
    let shared = Array(repeating: Array(0..<context.shape[0]), count: prompts.classes.count)
    let table = try PromptTable(prompts, contexts: shared, of: context.shape[0], position)
    return (DeltaEntry.classifier(part: "context.features").name, table.features(Variable(context)).value)
  }

  static func meetsNewClasses(_ delta: Delta) -> Bool {
    tensors(of: delta) != nil && sharedPosition(in: delta) != nil
  }

  private static func sharedPosition(in delta: Delta) -> ContextSettings.Position? {
    delta.description.settings?[position].flatMap { Int(exactly: $0) }.flatMap { ContextSettings.Position(index: $0) }
  }

  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    guard let context = tensors(of: delta)?["context"], let text = (tower as? TowerPair)?.text else { return }
    let width = text.configuration.transformer.width
    guard context.shape.width == width else {
      throw DeltaError(file, expected: "a context of width \(width)", found: "\(context.shape.width)")
    }
  }
}

extension ContextSettings.Position {
  /// Its number in a delta.
  fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  fileprivate init?(index: Int) {
    guard Self.allCases.indices.contains(index) else { return nil }
    self = Self.allCases[index]
  }
}
