import Models
import Tensor

/// The low-rank branches of a delta, and its head, as Hugging Face's PEFT stores them: `lora_A` is D, `lora_B` is U.
///
/// A map that the checkpoint stores stacked with others (`qkv`) gets the branches of all of them: their D one below the
/// other, their U in the rows of their own map and zeros elsewhere. A map that is stored as a convolution gets
/// convolutions. The scale is 1, `lora_alpha` equals the rank: that of a branch is part of its U.
public struct PEFTAdapter: Sendable {
  /// A and B by the path of the module.
  public private(set) var modules: [String: (a: Tensor, b: Tensor)] = [:]
  /// The path of the linear head, and its tensors by their names in the module; `nil` without one.
  public private(set) var head: (path: String, tensors: [String: Tensor])?
  /// The path of a second head that is the same, of a model that takes the mean of two.
  public private(set) var otherHead: String?
  /// The names in whose modules the branches are.
  let layout: WeightLayout
  /// The names of the head's classes, in the order of its rows; none without a head.
  public private(set) var classes: [String] = []
  /// Tensors of the delta that such an adapter cannot hold.
  public private(set) var leftOut: [String] = []
  /// The dropout at the input of the branches in training.
  public private(set) var dropout = 0.0

  /// The adapter of a delta.
  ///
  /// - version: of transformers, by which modules of its models are called.
  /// - Throws: `ExportError` for a delta without low-rank branches.
  public init(
    _ delta: Delta, layout: WeightLayout, version: TransformersVersion = .five
  ) throws(ExportError) {
    self.layout = layout
    guard delta.earlier.isEmpty else {
      throw ExportError("a delta of one training for PEFT", found: "\(delta.description.methodTitle)")
    }
    var parts: [String: [Part]] = [:]
    var used: Set<String> = []
    setHead(delta, layout, &used)
    for (site, form) in (delta.description.branches ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard !form.hasActivation, !form.isSequential, let module = layout.module(of: site, in: version),
        let down = delta.branchTensor(site, "down"), let up = delta.branchTensor(site, "up")
      else { continue }
      dropout = max(dropout, form.dropout)
      let path = head == nil ? module.path : layout.pathInClassifier(module.path)
      let scaled = form.scale.map { up.scaled(by: Real($0)) } ?? up
      parts[path, default: []].append(Part(module: module, a: down, b: scaled))
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

  /// The branch of a map that may be stacked with others.
  private struct Part {
    let module: ModuleName
    let a, b: Tensor
  }

  /// The head under the name that the layout has for one; one of a model without such a name stays behind.
  private mutating func setHead(_ delta: Delta, _ layout: WeightLayout, _ used: inout Set<String>) {
    guard let weight = delta.tensors[DeltaEntry.headWeight.name], let bias = delta.tensors[DeltaEntry.headBias.name],
      let path = layout.module(of: "head")?.path
    else { return }
    head = (path, ["weight": layout.storedHead(weight), "bias": bias])
    otherHead = layout.otherHead(of: "\(path).weight").map { String($0.dropLast(".weight".count)) }
    classes = delta.description.classes
    used.formUnion([DeltaEntry.headWeight.name, DeltaEntry.headBias.name])
  }

  private static func stacked(_ parts: [Part]) -> (a: Tensor, b: Tensor) {
    let first = parts[0]
    guard first.module.part != nil else {
      guard first.module.isConvolution else { return (first.a, first.b) }
      return (WeightLayout.convolution(first.a), first.b.reshaped(to: [first.b.shape[0], first.b.shape[1], 1, 1]))
    }
    let (rank, width, out) = (parts.reduce(0) { $0 + $1.a.shape[0] }, first.a.shape[1], first.b.shape[0])
    let a = Tensor([rank, width], parts.flatMap(\.a.values))
    var b = [Real](repeating: 0, count: first.module.parts * out * rank)
    var start = 0
    for part in parts {
      let (own, values) = (part.b.shape[1], part.b.values)
      for row in 0..<out {
        for column in 0..<own {
          b[((part.module.part ?? 0) * out + row) * rank + start + column] = values[row * own + column]
        }
      }
      start += own
    }
    return (a, Tensor([first.module.parts * out, rank], b))
  }
}
