import Foundation

@testable import Models

/// A vocabulary of the 512 byte tokens, a few merges and the special tokens, small enough to follow by hand.
enum TinyVocabulary {
  static let merges = [
    ("c", "a"), ("ca", "t</w>"), ("t", "h"), ("th", "e</w>"), ("a", "a"), ("aa", "aa"), ("aa", "a</w>"), ("'", "s</w>"),
    ("l", "o"), ("lo", "w</w>"),
  ]
  static let mergeText = "head\n" + merges.map { "\($0.0) \($0.1)\n" }.joined()

  static func tokenizer(_ cleaning: TextCleaning = .published) throws -> Tokenizer {
    try Tokenizer(publishedMerges: mergeText, count: merges.count, cleaning: cleaning)
  }

  static var vocabulary: [String: Int] {
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    let tokens =
      bytes + bytes.map { $0 + "</w>" } + merges.map { $0.0 + $0.1 } + ["<|startoftext|>", "<|endoftext|>"]
    return Dictionary(uniqueKeysWithValues: zip(tokens, 0...))
  }

  /// A folder of the given files, removed when `body` returns.
  static func withFolder(_ files: [String: Data], _ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, data) in files { try data.write(to: folder.appendingPathComponent(name)) }
    try body(folder)
  }
}
