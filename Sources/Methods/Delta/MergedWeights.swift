import Formats
import Foundation
import Models
import Tensor

/// All weights of a tuned model, under the names and in the types of its checkpoint.
public struct MergedWeights {
  /// The number of tensors, and of those that are changed or new.
  public let count, changedCount: Int
  /// The types that changed tensors were rounded to, narrower than what was calculated with.
  public let roundedTo: [ElementType]
  private let writer: SafeTensorsWriter

  /// The weights of a model with a delta.
  ///
  /// A head that the checkpoint does not have is stored under the name that its layout has for one, or its own, in the
  /// type that most weights have. F8 tensors become F16, which holds all of their numbers; integers stay integers.
  /// - Throws: `ExportError` for what no weight can hold, and for a linear head of a CLIP, whose checkpoint has no
  ///   place for one; the error of a tensor that cannot be read.
  public init(_ delta: Delta, of model: any PretrainedModel) throws {
    guard model.clip == nil || !delta.hasLinearHead else {
      throw ExportError(
        "one without a linear head, for which a CLIP's checkpoint has no place (the delta with the model keeps both)",
        found: DeltaEntry.headWeight.name)
    }
    let (weights, layout) = (model.weights, model.layout)
    let merged = try delta.merged(into: model.towers.parameters).map { entry in
      (site: entry.site, value: entry.site == "head" ? layout.storedHead(entry.value) : entry.value)
    }
    let known = Set(weights.names)
    let strangers = merged.filter { entry in layout.location(of: entry.site).map { !known.contains($0.name) } ?? true }
    let strange = Set(strangers.map(\.site))
    var replaced = try layout.stored(merged.filter { !strange.contains($0.site) }) { try weights.tensor($0) }
    // In the layout's name and form where it has one for a head; no added tensor is stacked with others.
    var added = layout.stored(strangers) { _ in Tensor(0) }
    for stranger in strangers where layout.location(of: stranger.site) == nil {
      added[stranger.site == "head" ? DeltaEntry.headWeight.name : stranger.site] = stranger.value
    }
    for (name, value) in replaced.merging(added, uniquingKeysWith: { old, _ in old }) {
      guard let other = layout.otherHead(of: name) else { continue }
      if known.contains(other) { replaced[other] = value } else { added[other] = value }
    }
    var writer = SafeTensorsWriter(metadata: ["format": "pt"])
    var rounded: Set<ElementType> = []
    for name in weights.names {
      let type = weights.type(of: name) ?? .real
      guard type.isFloatingPoint else {
        try Self.add(name, type, of: weights, to: &writer)
        continue
      }
      let stored = type.size == 1 ? .f16 : type
      if replaced[name] != nil, stored.size < ElementType.real.size { rounded.insert(stored) }
      writer.add(name, try replaced[name] ?? weights.tensor(name), as: stored)
    }
    let type = Self.mainType(of: weights)
    if !added.isEmpty, type.size < ElementType.real.size { rounded.insert(type) }
    for (name, value) in added { writer.add(name, value, as: type) }
    (count, changedCount) = (weights.names.count + added.count, replaced.count + added.count)
    (self.writer, roundedTo) = (writer, rounded.sorted { $0.rawValue < $1.rawValue })
  }

  /// Writes a safetensors file.
  ///
  /// - Throws: `FileError` if it cannot be written.
  public func write(to file: URL) throws(FileError) { try writer.write(to: file) }

  private static func add(
    _ name: String, _ type: ElementType, of weights: PretrainedWeights, to writer: inout SafeTensorsWriter
  ) throws {
    let (integers, shape) = (try weights.integers(name), weights.shape(of: name))
    switch type {
    case .u8, .bool: writer.add(name, bytes: integers.map { UInt8(truncatingIfNeeded: $0) }, shape: shape)
    default: writer.add(name, integers: integers, shape: shape)
    }
  }

  /// The floating-point type of most elements.
  private static func mainType(of weights: PretrainedWeights) -> ElementType {
    var counts: [ElementType: Int] = [:]
    for name in weights.names {
      guard let type = weights.type(of: name), type.isFloatingPoint else { continue }
      counts[type.size == 1 ? .f16 : type, default: 0] += weights.shape(of: name)?.count ?? 0
    }
    return counts.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key ?? .real
  }
}

extension MergedWeights {
  /// The files of a model's folder that its weights need and that tuning does not change.
  private static let companions = [
    "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    "merges.txt", "special_tokens_map.json", "added_tokens.json", "open_clip_config.json",
    "bpe_simple_vocab_16e6.txt.gz",
  ]

  /// Writes a new folder that opens as the model's own does: weights, the configuration with the classes of the delta's
  /// head, and the files of tokenizer and preprocessing.
  ///
  /// - source: the folder of the model; of a lone weight file nothing but weights is written.
  /// - Returns: the names of the files, the weights first.
  /// - Throws: `FileError`, where something has the folder's name among others; `ExportError` for a `config.json` that
  ///   is none.
  public func write(
    toFolder folder: URL, likeThatOf source: URL, _ delta: Delta, of model: any PretrainedModel
  ) throws -> [String] {
    let manager = FileManager.default
    let stated = source.appendingPathComponent("config.json")
    let configuration =
      manager.fileExists(atPath: stated.path)
      ? try MergedConfiguration(contentsOf: stated, delta, isClassifier: model.clip == nil) : nil
    let isOpenCLIP = ((model.weights.files.first?.file ?? "") as NSString).lastPathComponent.hasPrefix("open_clip_")
    let name = isOpenCLIP ? "open_clip_model.safetensors" : "model.safetensors"
    let new = try AtomicFolder(folder)
    var written = [name]
    if let configuration {
      try AtomicFile.write(configuration.bytes, to: new.url.appendingPathComponent("config.json"))
      written.append("config.json")
    }
    for companion in Self.companions {
      let file = source.appendingPathComponent(companion)
      guard manager.fileExists(atPath: file.path) else { continue }
      try AtomicFile.write(
        try MappedFile.bytes(of: file, limit: 1 << 28), to: new.url.appendingPathComponent(companion))
      written.append(companion)
    }
    try write(to: new.url.appendingPathComponent(name))
    try new.commit()
    return written
  }
}
