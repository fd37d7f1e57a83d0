/// The reason why a tokenizer could not be made from its files, or a text not be encoded.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// A file is absent, unreadable, or not of the expected form.
  case file(String, expected: String, found: String)
  /// A text has more tokens than the model takes; `count` includes the start and end tokens.
  case textTooLong(String, count: Int, limit: Int)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .file(let name, let expected, let found): "\(name): expected \(expected), found \(found)"
    case .textTooLong(let text, let count, let limit):
      "text \"\(text.count > 60 ? text.prefix(60) + "…" : text)\": "
        + "expected at most \(limit) tokens with start and end, found \(count) (shorten it or allow truncation)"
    }
  }
}
