import Foundation
import Tensor

/// The weights of a pretrained model: those of a folder, or a file of any format.
///
/// In a folder, the first of `preferred` that exists; without any of them the one file with an extension of
/// `WeightFiles.extensions`; several are refused, as the choice would be arbitrary.
public struct PretrainedWeights: TensorSource, Sendable {
  /// The files, several only where an index names shards.
  public let files: [any WeightFile]
  /// The names of all tensors, sorted.
  public let names: [String]
  /// The file that was named or found: the index of shards, or the file of the weights.
  public let label: String
  private let fileIndices: [String: Int]
  private let digest = WeightDigest()

  /// The names under which models are published, in order of preference.
  package static let preferred = [
    "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
    "pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "model.bin", "model.npz",
  ]

  /// Opens a folder, a shard index or a weight file.
  ///
  /// - Throws: `WeightFileError`, naming the file, or the folder and the expected files.
  public init(contentsOf url: URL) throws { try self.init(contentsOf: url, preferred: Self.preferred) }

  /// The same, with another order of preference in a folder.
  package init(contentsOf url: URL, preferred: [String]) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let file = exists && isFolder.boolValue ? try Self.file(in: url, preferred) : url
    guard file.pathExtension == "json" else {
      let opened = try WeightFiles.open(file)
      (files, label) = ([opened], opened.file)
      names = opened.names
      fileIndices = Dictionary(uniqueKeysWithValues: names.map { ($0, 0) })
      return
    }
    let shards = try ShardIndex(contentsOf: file)
    (files, fileIndices, label) = (shards.files, shards.fileIndices, file.shown)
    names = fileIndices.keys.sorted()
  }

  /// What a reader should know about the choice of the tensors: a moving average that was preferred.
  package var notes: [String] {
    files.flatMap { file in ((file as? TorchFile)?.notes ?? []).map { "\(file.file): \($0)" } }
  }

  /// Everything other than tensors in a PyTorch checkpoint, by name.
  package var values: [String: PythonValue] { (files.first as? TorchFile)?.values ?? [:] }

  /// A description of the files: "one safetensors file", "3 shards, each a PyTorch archive".
  public var format: String {
    guard let first = files.first else { return "no file" }
    return files.count == 1 ? "one \(first.format)" : "\(files.count) shards, each a \(first.format)"
  }

  /// The file that holds the weights of a folder.
  private static func file(in folder: URL, _ preferred: [String]) throws -> URL {
    for name in preferred {
      let file = folder.appendingPathComponent(name)
      if FileManager.default.fileExists(atPath: file.path) { return file }
    }
    let entries: [String]
    do { entries = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw WeightFileError.unreadable(
        FileError(file: folder.shown, expected: "a readable folder", found: "\(error)"))
    }
    let candidates = entries.filter { name in
      WeightFiles.extensions.contains { name.lowercased().hasSuffix(".\($0)") }
    }.sorted()
    if candidates.isEmpty, let foreign = ForeignWeights.description(of: entries) {
      throw WeightFileError.unreadable(
        FileError(file: folder.shown, expected: ForeignWeights.expected, found: "only \(foreign)"))
    }
    guard candidates.count == 1 else {
      let known = Self.preferred.joined(separator: ", ")
      let found = candidates.isEmpty ? "none of them" : candidates.prefix(5).map(quoted).joined(separator: ", ")
      throw WeightFileError.unreadable(
        FileError(
          file: folder.shown, expected: "\(known), or one other weight file (\(endings))", found: found))
    }
    return folder.appendingPathComponent(candidates[0])
  }

  /// The SHA-256 of the file, or, for several shards, of their digests, one per line; computed on first use.
  public var sha256: String { digest.value(of: files) }

  private static let endings = WeightFiles.extensions.map { ".\($0)" }.joined(separator: ", ")

  /// The file that holds a tensor; `nil` if there is none of this name.
  package func file(of name: String) -> (any WeightFile)? { fileIndices[name].map { files[$0] } }

  /// The type in which the elements of a tensor are stored; `nil` if there is none of this name.
  public func type(of name: String) -> ElementType? { file(of: name)?.type(of: name) }

  /// The extents of a tensor, without reading it; `nil` if there is none of this name.
  public func shape(of name: String) -> Shape? { file(of: name)?.shape(of: name) }

  /// A tensor as `Real` elements; see `TensorSource.tensor`.
  public func tensor(_ name: String) throws -> Tensor { try known(name).tensor(name) }

  /// The elements of a tensor of integers or booleans; see `WeightFile.integers`.
  public func integers(_ name: String) throws -> [Int64] { try known(name).integers(name) }

  private func known(_ name: String) throws(WeightFileError) -> any WeightFile {
    guard let file = file(of: name) else {
      throw .missing(file: label, name: name)
    }
    return file
  }
}
