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
  /// γ ⊙ W, W (I + s B A), W + s V Σ U, and the head.
  ///
  /// - Throws: `ExportError` for an adapter, whose activation no matrix can hold, for prompts, which are tokens of
  ///   their own, and for a residual on text features.
  public func merged(into parameters: [Parameter]) throws(ExportError) -> [(site: String, value: Tensor)] {
    var merged: [(site: String, value: Tensor)] = []
    for part in MethodList.deltaParts { try part.checkMerging(self) }
    let heads = try MethodList.deltaParts.map { part throws(ExportError) in try part.mergedHead(of: self) }
    var tensors: [String: Tensor] = [:]
    for part in MethodList.deltaParts { tensors.merge(try part.merged(into: parameters, from: self)) { _, new in new } }
    for parameter in parameters {
      if let value = tensors[parameter.site.name] { merged.append((parameter.site.name, value)) }
    }
    return merged + heads.flatMap(\.self)
  }
}
