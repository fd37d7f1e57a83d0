import Formats
import Foundation
import Models
import Tensor

/// A folder with a low-rank adapter as Hugging Face's PEFT saves it: `adapter_config.json` and
/// `adapter_model.safetensors`, or `.bin`.
///
/// It names neither the weights that it was made from nor prompts, and classes only if this library wrote it: whoever
/// reads it says for which.
public struct PEFTAdapterFolder: Sendable {
  /// The folder.
  public let url: URL
  /// Keys of the configuration that are not known here, each of which may change what the adapter calculates.
  public let unknownKeys: [String]
  /// The names of the classes, if this library wrote them.
  public let classNames: [String]?
  private let configuration: PEFTConfiguration
  private let file: any WeightFile

  /// The adapter in a folder; `nil` where there is no `adapter_config.json`.
  ///
  /// - Throws: `DeltaError` for an adapter of another kind, which names the key; the error of a file that cannot be
  ///   read.
  public init?(at url: URL) throws {
    let stated = url.appendingPathComponent(PEFTAdapter.configurationName)
    guard FileManager.default.fileExists(atPath: stated.path) else { return nil }
    configuration = try PEFTConfiguration(contentsOf: stated)
    let names = [PEFTAdapter.weightsName, "adapter_model.bin"]
    let files = names.map { url.appendingPathComponent($0) }
    guard let weights = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw DeltaError(url.shown, expected: names.joined(separator: " or "), found: "neither")
    }
    file = try WeightFiles.open(weights)
    (self.url, unknownKeys) = (url, configuration.unknownKeys)
    let list = (file as? SafeTensorsFile)?.metadata[PEFTAdapter.classesKey]
    classNames = list.flatMap { try? JSON.decoded([String].self, from: $0.utf8) }
  }

  /// The number of classes of the head for a model; `nil` if the adapter has none.
  public func classes(for model: any PretrainedModel) -> Int? {
    let reader = AdapterReader(model, file)
    if let name = file.names.first(where: { reader.headEntry($0) == .headWeight }) {
      return file.shape(of: name)?.extents.first
    }
    return file.names.contains { AdapterReader.factor($0).map { reader.isHead($0.path) } ?? false }
      ? reader.own?.weight.value.shape[0] : nil
  }

  /// The delta of a model, for classes and prompts that the adapter does not name.
  ///
  /// - Throws: `DeltaError` that names the first tensor with no counterpart in the image tower, or of another shape.
  public func delta(of model: any PretrainedModel, classes: [String], templates: [String]) throws -> Delta {
    var delta = Delta(
      Delta.Description(
        method: "PEFT adapter", model: model.sha256, classes: classes, templates: templates, ensembling: .rawMean,
        cleaning: TextCleaning.published.rawValue, alpha: nil))
    let reader = AdapterReader(model, file)
    var modules: [String: AdapterReader.Pair] = [:]
    for name in file.names {
      if try reader.isOtherHead(name) { continue }
      if let entry = reader.headEntry(name) {
        delta.tensors[entry.name] = try reader.head(name, entry, classes: classes.count)
      } else if let (path, side) = AdapterReader.factor(name) {
        modules[path, default: AdapterReader.Pair()][side] = name
      } else {
        throw reader.refusal(name)
      }
    }
    if delta.tensors[DeltaEntry.headWeight.name] != nil {
      let bias = delta.tensors[DeltaEntry.headBias.name] ?? .zeros([classes.count])
      delta.tensors[DeltaEntry.headBias.name] = bias
    } else if delta.tensors[DeltaEntry.headBias.name] != nil {
      throw DeltaError(file.file, expected: "a head of weight and bias", found: "a bias alone")
    }
    var branches: [String: Branch.Form] = [:]
    for (path, pair) in modules.sorted(by: { $0.key < $1.key }) {
      let factors = try reader.factors(path, pair)
      let scale = try configuration.scale(of: path, rank: factors.down.shape[0], file: file.file)
      if reader.isHead(path) {
        // Low-rank factors of the head are added to it, as it has no branches.
        guard delta.tensors[DeltaEntry.headWeight.name] == nil, let head = reader.tunedHead(factors, Real(scale)) else {
          throw reader.refusal(pair.a ?? path)
        }
        delta.tensors[DeltaEntry.headWeight.name] = head.weight
        delta.tensors[DeltaEntry.headBias.name] = head.bias
        continue
      }
      for part in try reader.parts(path, factors, scale: Real(scale)) {
        let index = branches.count
        branches[part.site] = Branch.Form(
          isSequential: false, hasActivation: false, dropout: configuration.dropout, dropPath: 0, dropoutSite: index,
          dropPathSite: index)
        delta.tensors[DeltaEntry.branch(site: part.site, part: "down").name] = part.down
        delta.tensors[DeltaEntry.branch(site: part.site, part: "up").name] = part.up
      }
    }
    if !branches.isEmpty { delta.description.branches = branches }
    return delta
  }
}
