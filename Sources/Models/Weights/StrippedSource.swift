import Formats
import Tensor

/// A checkpoint with a prefix stripped from its names; names without it stay.
struct StrippedSource: TensorSource {
  private let source: any TensorSource
  private let stored: [String: String]

  /// A checkpoint without `prefix`. Where both a name with it and the rest of that name exist, the former is used.
  init(_ source: any TensorSource, prefix: String) {
    self.source = source
    var stored = Dictionary(uniqueKeysWithValues: Set(source.names).map { ($0, $0) })
    for name in source.names where name.hasPrefix(prefix) {
      stored[name] = nil
      stored[String(name.dropFirst(prefix.count))] = name
    }
    self.stored = stored
  }

  /// The names of the checkpoint, by the stripped names.
  var fullNames: [String: String] { stored.filter { $0.key != $0.value } }

  var label: String { source.label }
  var names: [String] { stored.keys.sorted() }
  func shape(of name: String) -> Shape? { stored[name].flatMap { source.shape(of: $0) } }
  func tensor(_ name: String) throws -> Tensor { try source.tensor(stored[name] ?? name) }
}
