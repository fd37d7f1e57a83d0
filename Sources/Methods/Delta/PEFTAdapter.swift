import Models
import Tensor

/// The low-rank branches of a delta as Hugging Face's PEFT stores them: `lora_A` is D, `lora_B` is U.
///
/// A map that the checkpoint stores stacked with others (`qkv`) gets the branches of all of them: their D one below the
/// other, their U in the rows of their own map and zeros elsewhere. The scale is 1: `lora_alpha` equals the rank.
public struct PEFTAdapter: Sendable {
  /// A and B by the name of the module.
  public private(set) var modules: [String: (a: Tensor, b: Tensor)] = [:]
  /// Tensors of the delta that such an adapter cannot hold.
  public private(set) var leftOut: [String] = []
  /// The dropout at the input of the branches in training.
  public private(set) var dropout = 0.0

  /// The adapter of a delta.
  ///
  /// - Throws: `ExportError` for a delta without low-rank branches.
  public init(_ delta: Delta, layout: WeightLayout) throws(ExportError) {
    var parts: [String: [(third: Int?, a: Tensor, b: Tensor)]] = [:]
    var used: Set<String> = []
    for (site, form) in (delta.description.branches ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard !form.hasActivation, !form.isSequential, let location = layout.location(of: site),
        location.name.hasSuffix(".weight"),
        let down = delta.branchTensor(site, "down"), let up = delta.branchTensor(site, "up")
      else { continue }
      dropout = max(dropout, form.dropout)
      parts[String(location.name.dropLast(".weight".count)), default: []].append((location.third, down, up))
      used.formUnion(["down", "up"].map { DeltaEntry.branch(site: site, part: $0).name })
    }
    guard !parts.isEmpty else {
      guard delta.description.branches?.values.contains(where: { !$0.hasActivation && !$0.isSequential }) ?? false
      else {
        throw ExportError("low-rank branches for PEFT", found: "none")
      }
      throw ExportError("a model under the names of PyTorch modules for PEFT", found: "the names of \(layout.name)")
    }
    modules = parts.mapValues { Self.stacked($0) }
    leftOut = delta.tensors.keys.filter { !used.contains($0) }.sorted()
  }

  private static func stacked(_ parts: [(third: Int?, a: Tensor, b: Tensor)]) -> (a: Tensor, b: Tensor) {
    guard parts.contains(where: { $0.third != nil }) else { return (parts[0].a, parts[0].b) }
    let (rank, width, out) = (parts.reduce(0) { $0 + $1.a.shape[0] }, parts[0].a.shape[1], parts[0].b.shape[0])
    let a = Tensor([rank, width], parts.flatMap(\.a.values))
    var b = [Real](repeating: 0, count: 3 * out * rank)
    var first = 0
    for part in parts {
      let (own, values) = (part.b.shape[1], part.b.values)
      for row in 0..<out {
        for column in 0..<own {
          b[((part.third ?? 0) * out + row) * rank + first + column] = values[row * own + column]
        }
      }
      first += own
    }
    return (a, Tensor([3 * out, rank], b))
  }
}
