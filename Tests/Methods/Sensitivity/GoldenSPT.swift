import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The tiny ViT of the golden files of SPT, its sensitivities, and the released code's names of its tensors.
struct GoldenSPT {
  let backbone: ImageBackbone
  let sites: [SensitivitySite]
  /// The sensitivities and the pictures they are of.
  let item: GoldenCase
  /// Sizes and results of the allocation.
  let allocation: JSONValue

  init(in root: GoldenRoot = .ofTheTest) throws {
    item = try GoldenSet.spt.golden("sensitivity", in: root)
    allocation = try GoldenSet.spt.json("allocation.json", in: root)
    // "../vit/vit-weights.safetensors (attn.qkv rows split into q,k,v)"
    let path = try #require(item.args["weights"].string?.split(separator: " ").first)
    let file = try SafeTensorsFile(contentsOf: GoldenSet.spt.url(String(path), in: root).standardizedFileURL)
    let heads = try #require(item.args["num_heads"].int)
    backbone = try ImageBackbone(from: file, hints: BackboneHints(heads: heads))
    sites = SensitivitySite.all(of: backbone.tower)
    try #require(backbone.tower.imageSize == item.args["img_size"].int)
    try #require(backbone.classes == item.args["num_classes"].int)
  }

  /// The number of elements of the class token.
  var classToken: Int { get throws { try #require(allocation["embed_dim"].int) } }

  /// What a budget of 1 is.
  var budgetUnit: Double { get throws { try #require(allocation["budget_scale"].double) } }

  /// How many entries are selected, ascending.
  var thresholds: [Int] {
    get throws {
      let unit = try #require(allocation["tau_scale"].double)
      try #require(1...1e9 ~= unit)
      return AllocationSweep.thresholds(unit: unit)
    }
  }

  /// All that a sweep over the thresholds can select.
  func ranking() throws -> Ranking {
    let (scores, count) = (try scores(), try #require(thresholds.max()))
    try #require(count <= scores.reduce(0) { $0 + $1.count })
    return Ranking(of: scores, largest: count)
  }

  func sweep(_ ranking: Ranking, _ rules: Allocation.Rules) throws -> AllocationSweep {
    try AllocationSweep(
      ranking, thresholds: thresholds, kinds: sites.map(\.kind), classToken: classToken, rules)
  }

  /// Pictures of the size that the tower reads, of a batch or a step.
  func images(_ name: String, of tensors: [String: Tensor]) throws -> Tensor {
    try tensors.required(name, [nil, 3, backbone.tower.imageSize, backbone.tower.imageSize])
  }

  /// As many labels as pictures, each of a class of the head.
  func labels(_ name: String, of item: GoldenCase, count: Int) throws -> [Int32] {
    let labels = try item.integers(name, below: #require(backbone.classes))
    try #require(labels.count == count, "\(name): expected \(count) labels, found \(labels.count)")
    return labels
  }

  /// `blocks.0.attn.q.weight` for `vision.blocks.0.attention.query`.
  static func name(_ site: Site) -> String {
    var name = site.name.replacing("vision.", with: "").replacing("postNorm", with: "norm")
    for (own, theirs) in [
      ("attentionNorm", "norm1"), ("mlpNorm", "norm2"), ("attention.query", "attn.q"), ("attention.key", "attn.k"),
      ("attention.value", "attn.v"), ("attention.output", "attn.proj"), ("mlp.up", "mlp.fc1"), ("mlp.down", "mlp.fc2"),
      ("patchEmbedding", "patch_embed.proj"), ("classToken", "cls_token"), ("positions", "pos_embed"),
      (".scale", ".weight"), (".shift", ".bias"),
    ] { name = name.replacing(own, with: theirs) }
    let isWhole = [.classToken, .positions].contains(site.role) || name.hasSuffix(".bias") || name.hasSuffix(".weight")
    return isWhole ? name : "\(name).weight"
  }

  /// Their sensitivities in our order.
  func scores() throws -> [Tensor] {
    let golden = try item.tensors()
    return try sites.map { site in
      try golden.required("sensitivity.\(Self.name(site.parameter.site))").required(as: site.parameter.value.shape)
    }
  }

  /// The head of their network.
  func head(_ values: [Tensor]) -> any Head { FixedHead(values: values) }

  /// A linear head that starts where it is told to.
  private struct FixedHead: Head {
    let values: [Tensor]
    var trainables: [Trainable] {
      [
        Trainable(DeltaEntry.headWeight.name, values[0]),
        Trainable(DeltaEntry.headBias.name, values[1], isDecayed: false),
      ]
    }
    func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
      features.linear(values[0], bias: values[1])
    }
    func write(_ values: [Tensor], to delta: inout Delta) {}
  }

  static func rules(_ run: JSONValue) throws -> Allocation.Rules {
    let form = try #require(run["structured_type"].string.flatMap { StructuredForm(rawValue: $0) })
    var rules = Allocation.Rules(form: form)
    rules.rank = try #require(run["rank"].int)
    try #require(rules.rank > 0)
    rules.alpha = try #require(run["alpha"].double)
    rules.beta = try #require(run["beta"].double)
    rules.tunesVectors = try #require(run["structured_vector"].bool as Bool?)
    rules.structure = run["structured_only"].bool == true ? .structuredOnly : .both
    return rules
  }
}
