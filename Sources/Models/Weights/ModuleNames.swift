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

  /// The module of a site in a version of transformers.
  package func module(of site: String, in version: TransformersVersion) -> ModuleName? {
    guard let module = module(of: site) else { return nil }
    if version == .five, name == "Hugging Face DINOv3", module.path.hasPrefix("layer.") {
      return ModuleName(
        path: "model.\(module.path)", part: module.part, parts: module.parts, isConvolution: module.isConvolution)
    }
    guard version == .five, let names = Self.renamed[name] else { return module }
    let path = names.reduce(module.path) { $0.replacing($1.older, with: $1.newer) }
    // Gate and up of a gated MLP, stacked in checkpoints, are two modules.
    guard let part = module.part, path.hasSuffix(Self.stackedGate) else {
      return ModuleName(path: path, part: module.part, parts: module.parts, isConvolution: module.isConvolution)
    }
    let own = String(path.dropLast(Self.stackedGate.count)) + [".gate_proj", ".up_proj"][part]
    return ModuleName(path: own, part: nil, parts: 1, isConvolution: false)
  }

  /// The path of a module in a classifier of Hugging Face's, whose tower is one of its modules.
  package func pathInClassifier(_ path: String) -> String {
    guard let prefix = Self.towers[name] == nil ? nil : modelType.flatMap({ Self.types[$0] }) ?? Self.towers[name],
      !Self.modelPrefixes.contains(where: { path.hasPrefix($0) })
    else { return path }
    return prefix + path
  }

  /// The name of the same tensor of the other head, if there are two: the same map of either token is the map of their
  /// mean.
  package func otherHead(of name: String) -> String? {
    guard hasTwoHeads, let dot = name.lastIndex(of: ".") else { return nil }
    for (own, other) in [("cls_classifier", "distillation_classifier"), ("head", "head_dist")] {
      let path = name[..<dot]
      guard path == own || path.hasSuffix(".\(own)") else { continue }
      return "\(path.dropLast(own.count))\(other)\(name[dot...])"
    }
    return nil
  }

  /// True if the classifier of these names reads, next to the class token, the mean of the patches.
  package var headReadsPatches: Bool { name == "Hugging Face DINOv2" }

  /// The weights of a head on a tower's features, [classes, width], as the classifier of these names has them: with
  /// zeros for the mean of the patches where it reads that too.
  package func storedHead(_ weight: Tensor) -> Tensor {
    guard headReadsPatches else { return weight }
    let (classes, width, values) = (weight.shape[0], weight.shape[1], weight.values)
    let zeros = [Real](repeating: 0, count: width)
    return Tensor([classes, 2 * width], (0..<classes).flatMap { values[$0 * width..<($0 + 1) * width] + zeros })
  }

  /// The weights of such a head on the features alone; `nil` if it is of another width, or reads the mean of the
  /// patches.
  package func usedHead(_ stored: Tensor, width: Int) -> Tensor? {
    guard headReadsPatches else { return stored }
    guard stored.shape.rank == 2, stored.shape[1] == 2 * width else { return nil }
    let values = stored.values
    let rows = (0..<stored.shape[0]).map { Array(values[$0 * 2 * width..<($0 + 1) * 2 * width]) }
    guard rows.allSatisfy({ $0.suffix(width).allSatisfy { $0 == 0 } }) else { return nil }
    return Tensor([rows.count, width], rows.flatMap { $0.prefix(width) })
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
    "Hugging Face ViT": "vit.", "Hugging Face DINOv2": "dinov2.", "Hugging Face Swin": "swin.",
    "Hugging Face Swin V2": "swinv2.",
    "Hugging Face ConvNeXt": "convnext.",
  ]
  /// The path of the tower by `model_type`, where a table of names serves several.
  private static let types = [
    "deit": "deit.", "beit": "beit.", "dinov2_with_registers": "dinov2_with_registers.", "convnextv2": "convnextv2.",
  ]
  private static let modelPrefixes = (Array(towers.values) + Array(types.values)).sorted()
  /// `vision_model.` is the tower of a whole CLIP; transformers 5 leaves it out where the tower is alone.
  private static let wrappers = [
    "base_model.model.", "_orig_mod.", "module.", "model.", "base_encoder.", "vision_model.",
  ]

  private static let stackedGate = ".weights_in"
  private typealias Names = [(older: String, newer: String)]
  /// What version 5 calls the modules of a table. In this order: the output of an MLP ends as that of attention does.
  private static let renamed: [String: Names] = [
    "Hugging Face ViT": [("encoder.layer.", "layers.")] + attention("attention") + mlp,
    "Hugging Face Swin": attention("self") + mlp,
    "Hugging Face DINOv2": attention("attention") + [("mlp.weights_out", "mlp.down_proj")],
  ]
  private static let mlp: Names = [("intermediate.dense", "mlp.fc1"), ("output.dense", "mlp.fc2")]

  private static func attention(_ inner: String) -> Names {
    [("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")].map {
      ("attention.\(inner).\($0.0)", "attention.\($0.1)")
    } + [("attention.output.dense", "attention.o_proj")]
  }

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
