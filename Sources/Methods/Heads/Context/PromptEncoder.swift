import Models
import Tensor

/// The text side of a model with the names of the classes, for a head that learns what stands around the names.
public struct PromptEncoder: Sendable {
  /// The names of the classes, as used in prompts.
  let classes: [String]
  /// The frozen text tower.
  let tower: TextTransformer
  /// The ids of the tokens of a text, without start and end of text.
  let tokens: @Sendable (String) -> [Int32]
  /// The ids that open and close every row.
  let startOfText, endOfText: Int32

  /// A text side by its parts.
  package init(
    classes: [String], tower: TextTransformer, startOfText: Int32, endOfText: Int32,
    tokens: @escaping @Sendable (String) -> [Int32]
  ) {
    (self.classes, self.tower, self.tokens) = (classes, tower, tokens)
    (self.startOfText, self.endOfText) = (startOfText, endOfText)
  }

  /// That of a CLIP, for classes by their names as used in prompts.
  ///
  /// - tower: its text tower as earlier trainings left it; as it came without.
  public init(_ directory: CLIPDirectory, tower: TextTransformer? = nil, classes: [String]) {
    let tokenizer = directory.tokenizer
    self.init(
      classes: classes, tower: tower ?? directory.model.text, startOfText: tokenizer.startOfText,
      endOfText: tokenizer.endOfText, tokens: { tokenizer.encode($0) })
  }

  /// One token of a prompt: one of the vocabulary, or a context vector by its index.
  enum Slot: Hashable {
    case token(Int32)
    case context(Int)
  }

  /// The rows of all classes, of one length, and in each the index of the token that is read (CoOp (a)).
  ///
  /// - contexts: of every class, the indices of its context vectors.
  /// - Throws: `SettingError` for a prompt that is longer than the tower's context.
  func rows(contexts: [[Int]], _ position: ContextSettings.Position) throws(SettingError) -> (
    slots: [[Slot]], ends: [Int]
  ) {
    let (limit, form) = (tower.configuration.contextLength, tower.configuration.form)
    // As for prompts of words: padding is seen only by such towers.
    let needsAll = !form.isCausal || form.pooling == .last
    var (slots, ends): ([[Slot]], [Int]) = ([], [])
    for (name, contexts) in zip(classes, contexts) {
      // With the full stop, which no merge crosses: it belongs to another word.
      let (words, own) = (tokens(name), contexts.map { Slot.context($0) })
      let half = position == .end ? own.count : position == .front ? 0 : own.count / 2
      var row: [Slot] = [.token(startOfText)]
      row += own[..<half]
      row += words.map { Slot.token($0) }
      row += own[half...]
      row += tokens(".").map { Slot.token($0) }
      row.append(.token(endOfText))
      guard row.count <= limit else {
        throw SettingError(
          "context-tokens", expected: "prompts of at most \(limit) tokens", found: "\(row.count) with \"\(name)\"")
      }
      row += repeatElement(Slot.token(needsAll ? 0 : endOfText), count: limit - row.count)
      let ids: [Int32] = row.map { if case .token(let id) = $0 { id } else { 0 } }
      ends.append(form.pooling.index(in: ids, endOfText: endOfText))
      slots.append(row)
    }
    let length = needsAll ? limit : (ends.max() ?? 0) + 1
    return (slots.map { Array($0.prefix(length)) }, ends)
  }
}
