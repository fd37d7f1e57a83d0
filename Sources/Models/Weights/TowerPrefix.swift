import Formats

/// The prefix that all names of an image tower share in a checkpoint: its path in the trained model, or in a wrapper
/// (`module.`, `_orig_mod.`, `backbone.`, `teacher.backbone.`, …).
///
/// It is found by the one tensor that marks a family, at the end of a longer name. Where several towers are in one
/// checkpoint, the one that its authors evaluate is taken, and any other choice is refused.
struct TowerPrefix {
  /// The checkpoint without the prefix.
  let source: any TensorSource
  /// The prefix, empty if there is none.
  let prefix: String
  /// Another tower that is not read, if there is one.
  private let other: Rival?
  private let count: Int

  /// A tower that another one follows or precedes in pretraining.
  private struct Rival {
    /// A word in the prefix of the tower that is read, and one in that of the other.
    let taken, left: Substring
    /// The other one's name in messages.
    let name: String
  }

  /// Towers of which the first is evaluated: DINO (Caron et al. 2021, section 3.1), MoCo v3 (Chen et al. 2021).
  private static let rivals = [
    Rival(taken: "teacher", left: "student", name: "the student of a self-distillation"),
    Rival(taken: "base_encoder", left: "momentum_encoder", name: "the momentum encoder of MoCo v3's pretraining"),
  ]

  /// Prefixes of the names by which transformers and timm save models that have them by design.
  private static let usual: Set<String> = [
    "", "vit.", "deit.", "dinov2.", "dinov2_with_registers.", "dinov3_vit.", "beit.", "swin.", "swinv2.",
    "convnext.", "convnextv2.",
  ]

  private static let inner = "model."
  private static let vit = "vit."

  /// Names under which training scripts keep their own tensors next to a model's.
  private static let training: Set<String> = [
    "optimizer", "optimizer_state_dict", "optim", "lr_scheduler", "scheduler", "scaler", "amp_scaler", "fp16_scaler",
    "dino_loss", "ibot_loss", "loss",
  ]

  /// True if there is any tower.
  static func exists(in source: any TensorSource, marks: [String]) -> Bool {
    source.names.contains { name in marks.contains { name == $0 || name.hasSuffix("." + $0) } }
  }

  /// The prefix of a checkpoint's tower, `nil` if it has no tensor of any of these names.
  ///
  /// - Throws: `ConfigurationError` that lists the towers of which none is to be preferred.
  init?(of source: any TensorSource, marks: [String]) throws(ConfigurationError) {
    var found: Set<String> = []
    for name in source.names {
      for mark in marks where name.hasSuffix(mark) {
        let prefix = String(name.dropLast(mark.count))
        if prefix.isEmpty || prefix.hasSuffix(".") { found.insert(prefix) }
      }
    }
    // A mark may be part of a longer name of its own tower: blocks of a ViT are also inside of the layers of a Swin.
    var towers = found.filter { prefix in !found.contains { $0 != prefix && prefix.hasPrefix($0) } }
    var other: Rival?
    if towers.count > 1 {
      other = Self.rivals.first { rival in
        towers.allSatisfy { $0.words.contains(rival.taken) || $0.words.contains(rival.left) }
          && towers.count { $0.words.contains(rival.taken) } == 1
      }
      if let other { towers = towers.filter { $0.words.contains(other.taken) } }
    }
    guard let path = towers.first else { return nil }
    guard towers.count == 1 else {
      let all = towers.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      throw ConfigurationError("\(source.label): expected one image tower, found some under \(all)")
    }
    // Since transformers 5 the blocks of DINOv3 are below `model` in memory, next to `embeddings`, and in some files.
    let outer = path.hasSuffix(Self.inner) ? String(path.dropLast(Self.inner.count)) : path
    let isSplit = outer != path && source.names.contains { $0.hasPrefix("\(outer)embeddings.") }
    // It writes those of a ViT-MSN without the prefix that its embeddings have.
    let isHalf = path.isEmpty && source.names.contains { $0.hasPrefix("\(Self.vit)embeddings.") }
    let prefix = isSplit ? outer : path
    (self.prefix, self.other) = (prefix, other)
    count = source.names.count { $0.hasPrefix(prefix) }
    let prefixes = isSplit ? [path, outer] : isHalf ? [Self.vit] : [path, Self.wrapper(of: path)].compactMap(\.self)
    self.source = path.isEmpty && !isHalf ? source : StrippedSource(source, prefixes: prefixes)
  }

  /// The prefix of a wrapper around a model that has a tower by design, whose head has that of the wrapper alone:
  /// `module.` of `module.vit.`.
  private static func wrapper(of path: String) -> String? {
    guard let tower = path.words.last, usual.contains("\(tower)."), path.words.count > 1 else { return nil }
    return String(path.dropLast(tower.count + 1))
  }

  /// The other tower, and what training keeps next to a model, as parts that are not loaded.
  var leftAside: [WeightLayout.Part] {
    let training = WeightLayout.Part(
      name: "the state of the training",
      patterns: source.names.filter { $0.words.first.map { Self.training.contains(String($0)) } ?? false })
    guard let other else { return [training] }
    return [
      training,
      WeightLayout.Part(name: other.name, patterns: source.names.filter { $0.words.contains(other.left) }),
      WeightLayout.Part(
        name: "the projection head of the \(other.taken)",
        patterns: source.names.filter { $0.words.first == other.taken }),
    ]
  }

  /// What the name of the tower says: ViT-S of MoCo v3 has 12 heads instead of 6 (Chen et al. 2021, section 4).
  func hints(_ shapes: CanonicalShapes) -> BackboneHints {
    guard prefix.words.contains("base_encoder"), (try? shapes.shape("vision.patchEmbedding", rank: 4)[0]) == 384 else {
      return BackboneHints()
    }
    var hints = BackboneHints(heads: 12)
    hints.origins[.heads] = .published("ViT-S of MoCo v3, by the prefix \"\(prefix)\"")
    return hints
  }

  /// The words that say so, none where a family's names begin like this.
  var notes: [String] {
    Self.usual.contains(prefix)
      ? [] : ["prefix \"\(prefix)\" stripped from the names of \(count) \(count == 1 ? "tensor" : "tensors")"]
  }
}

extension String {
  /// The parts of a dotted name.
  fileprivate var words: [Substring] { split(separator: ".") }
}
