import Formats
import Tensor

/// A checkpoint with prefixes stripped from its names; names without them stay.
struct StrippedSource: TensorSource {
  private let source: any TensorSource
  private let stored: [String: String]

  /// A checkpoint without `prefixes`, the first that fits. Where both a name with one and the rest of that name exist,
  /// the former is used.
  init(_ source: any TensorSource, prefixes: [String]) {
    self.source = source
    let prefix = { (name: String) in prefixes.first { name.hasPrefix($0) } ?? "" }
    let names = Set(source.names)
    var stored = Dictionary(uniqueKeysWithValues: names.filter { prefix($0).isEmpty }.map { ($0, $0) })
    for name in names where !prefix(name).isEmpty { stored[String(name.dropFirst(prefix(name).count))] = name }
    self.stored = stored
  }

  /// The names of the checkpoint, by the stripped names.
  var fullNames: [String: String] { stored.filter { $0.key != $0.value } }

  var label: String { source.label }
  var names: [String] { stored.keys.sorted() }
  func shape(of name: String) -> Shape? { stored[name].flatMap { source.shape(of: $0) } }
  func tensor(_ name: String) throws -> Tensor { try source.tensor(stored[name] ?? name) }
}
