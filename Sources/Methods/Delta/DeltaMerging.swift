import Models
import Tensor

/// A part of a delta that cannot be written in the requested form.
public struct ExportError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found.
  public let description: String

  init(_ expected: String, found: String) { description = "delta: expected \(expected), found \(found)" }
}

extension Delta {
  /// The tensors of a model that a delta changes, merged: those tuned whole, W ⊙ B, W + scatter(d), W + U D,
  /// γ ⊙ W, W (I + s B A), W + s V Σ U, and the head; of trainings one on top of another all of them, in turn.
  ///
  /// - Throws: `ExportError` for an adapter, whose activation no matrix can hold, for prompts, which are tokens of
  ///   their own, and for a residual on text features.
  public func merged(into parameters: [Parameter]) throws(ExportError) -> [(site: String, value: Tensor)] {
    let trainings = trainings
    var (current, changed) = (parameters, Set<String>())
    for delta in trainings {
      for part in MethodList.deltaParts { try part.checkMerging(delta) }
      var tensors: [String: Tensor] = [:]
      for part in MethodList.deltaParts {
        tensors.merge(try part.merged(into: current, from: delta)) { _, new in new }
      }
      current = current.map { parameter in
        tensors[parameter.site.name].map { Parameter(parameter.site, $0) } ?? parameter
      }
      changed.formUnion(tensors.keys)
    }
    // A classifier of text rows under another one is a part of that.
    let last = trainings.last(where: \.hasOwnHead) ?? self
    let heads = try MethodList.deltaParts.map { part throws(ExportError) in try part.mergedHead(of: last) }
    return current.filter { changed.contains($0.site.name) }.map { ($0.site.name, $0.value) } + heads.flatMap(\.self)
  }
}
