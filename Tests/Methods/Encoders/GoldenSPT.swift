import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The tiny ViT of the golden files of SPT, and the released code's names of its tensors.
struct GoldenSPT {
  let backbone: ImageBackbone
  let sites: [SensitivitySite]

  static let exists = Fixtures.has("spt/index.json") && Fixtures.has("vit/vit-weights.safetensors")

  init() throws {
    let file = try SafeTensorsFile(contentsOf: Fixtures.url("vit/vit-weights.safetensors"))
    backbone = try ImageBackbone(from: file, hints: BackboneHints(heads: 4))
    sites = SensitivitySite.all(of: backbone.tower)
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
    let golden = try Fixtures.golden("spt", "sensitivity").tensors()
    return try sites.map { site in
      try #require(golden["sensitivity.\(Self.name(site.parameter.site))"]).reshaped(to: site.parameter.value.shape)
    }
  }

  /// The head of their network.
  func head(_ values: [Tensor]) -> any Head { FixedHead(values: values) }

  /// A linear head that starts where it is told to.
  private struct FixedHead: Head {
    let values: [Tensor]
    var trainables: [Trainable] {
      [Trainable(Delta.headWeight, values[0]), Trainable(Delta.headBias, values[1], isDecayed: false)]
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
    rules.alpha = try #require(run["alpha"].double)
    rules.beta = try #require(run["beta"].double)
    rules.tunesVectors = try #require(run["structured_vector"].bool as Bool?)
    rules.structure = run["structured_only"].bool == true ? .structuredOnly : .both
    return rules
  }
}
