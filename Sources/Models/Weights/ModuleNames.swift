import Tensor

/// Versions of Hugging Face transformers, which name the modules of one checkpoint differently.
public enum TransformersVersion: String, Sendable, CaseIterable {
  /// Modules have the names of the checkpoint.
  case four = "4"
  /// ViT's and Swin's attention and MLP have one set of names; checkpoints keep the older ones.
  case five = "5"
}

/// The PyTorch module whose weight is the tensor of a site.
package struct ModuleName: Sendable, Equatable {
  /// Its path in the network: `vit.encoder.layer.0.attention.attention.query`.
  package let path: String
  /// The index of the site's map among several that are stacked along the rows; `nil` for one of its own.
  package let part: Int?
  /// The number of stacked maps.
  package let parts: Int
  /// True for a map of four neighbours that is stored as a 2 × 2 convolution.
  package let isConvolution: Bool

  /// A module by its parts.
  package init(path: String, part: Int?, parts: Int, isConvolution: Bool) {
    (self.path, self.part, self.parts, self.isConvolution) = (path, part, parts, isConvolution)
  }
}

extension WeightLayout {
  /// The module of a site, without the prefix of a wrapper around the network (`module.`); `nil` for a tensor that is
  /// no weight of a linear map under a module's name.
  ///
  /// A prefix that is a path in a Hugging Face classifier, `vit.`, stays where the checkpoint has it.
  package func module(of site: String) -> ModuleName? {
    var bare = self
    bare.fullNames = [:]
    guard let full = rule(for: site)?.name, let (name, form) = bare.rule(for: site), name.hasSuffix(".weight") else {
      return nil
    }
    let prefix = full.dropLast(name.count)
    let own = Self.modelPrefixes.first { prefix.hasSuffix($0) } ?? ""
    let path = own + String(name.dropLast(".weight".count))
    switch form {
    case .same: return ModuleName(path: path, part: nil, parts: 1, isConvolution: false)
    case .third(let part): return ModuleName(path: path, part: part, parts: 3, isConvolution: false)
    case .half(let part): return ModuleName(path: path, part: part, parts: 2, isConvolution: false)
    case .neighboursLast: return ModuleName(path: path, part: nil, parts: 1, isConvolution: true)
    default: return nil
    }
  }

  /// The path of a module of the checkpoint's names in a version of transformers.
  package func path(_ path: String, in version: TransformersVersion) -> String {
    if version == .five, name == "Hugging Face DINOv3", path.hasPrefix("layer.") { return "model.\(path)" }
    guard version == .five, Self.renamed.contains(name) else { return path }
    return Self.names.reduce(path) { $0.replacing($1.older, with: $1.newer) }
  }

  /// The path of a module in a classifier of Hugging Face's, whose tower is one of its modules.
  package func pathInClassifier(_ path: String) -> String {
    guard let prefix = Self.towers[name], !path.hasPrefix(prefix) else { return path }
    return prefix + path
  }

  /// A path without what only tells where the tower lies: in a classifier, a wrapper, or alone.
  package static func essence(of path: String) -> String {
    var path = path[...]
    while let prefix = (modelPrefixes + wrappers).first(where: { path.hasPrefix($0) }) {
      path = path.dropFirst(prefix.count)
    }
    return String(path)
  }

  private static let towers = [
    "Hugging Face ViT": "vit.", "Hugging Face Swin": "swin.", "Hugging Face Swin V2": "swinv2.",
    "Hugging Face ConvNeXt": "convnext.",
  ]
  private static let modelPrefixes = towers.values.sorted()
  /// `vision_model.` is the tower of a whole CLIP; transformers 5 leaves it out where the tower is alone.
  private static let wrappers = [
    "base_model.model.", "_orig_mod.", "module.", "model.", "base_encoder.", "vision_model.",
  ]

  private static let renamed = ["Hugging Face ViT", "Hugging Face Swin"]
  /// In this order: the output of an MLP ends as that of attention does.
  private static let names: [(older: String, newer: String)] = [
    ("encoder.layer.", "layers."), ("attention.attention.query", "attention.q_proj"),
    ("attention.attention.key", "attention.k_proj"), ("attention.attention.value", "attention.v_proj"),
    ("attention.self.query", "attention.q_proj"), ("attention.self.key", "attention.k_proj"),
    ("attention.self.value", "attention.v_proj"), ("attention.output.dense", "attention.o_proj"),
    ("intermediate.dense", "mlp.fc1"), ("output.dense", "mlp.fc2"),
  ]

  /// The 2 × 2 convolution [out, in, 2, 2] that a map of four neighbours [out, 4 · in] is.
  package static func convolution(_ map: Tensor) -> Tensor {
    let (out, width) = (map.shape[0], map.shape[1] / 4)
    return map.reshaped(to: [out, 2, 2, width]).permutingExtents([0, 3, 1, 2])
  }

  /// The map of four neighbours [out, 4 · in] that a 2 × 2 convolution [out, in, 2, 2] is.
  package static func map(_ convolution: Tensor) -> Tensor {
    let shape = convolution.shape
    return convolution.permutingExtents([0, 2, 3, 1]).reshaped(to: [shape[0], 4 * shape[1]])
  }
}
