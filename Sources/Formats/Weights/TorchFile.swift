import Foundation
import Tensor

/// A PyTorch checkpoint (`torch.save`) or a TorchScript archive: named tensors and plain values.
///
/// Opening maps the file and interprets its pickle, which describes the tensors; a tensor's data are read when it is
/// requested. Nothing in the pickle is executed: the globals it may mention are listed in `PickleGlobal`, and every
/// other one is refused by name. `TorchContents` defines the names.
///
/// Opening takes at most 64 MB + 4 × the file of memory, and time in proportion to the file, whatever the pickle says;
/// a tensor takes what its elements need. A file that would exceed it is refused.
public struct TorchFile: WeightFile {
  /// The file, as it was named; errors begin with it.
  public let file: String
  /// The kind of file.
  public let format: String
  /// The names of the tensors, sorted.
  public let names: [String]
  /// Everything other than tensors, by name: counters, settings, bytes.
  package let values: [String: PythonValue]
  /// What a reader should know about the choice of the tensors.
  package let notes: [String]

  private let mapped: MappedFile
  private let tensors: [String: StoredTensor]
  private let storages: TorchStorages
  /// The pickle itself, which is small beside the tensors.
  private let pickle: (root: PickleValue, graph: PickleGraph)
  /// What is left to make of it.
  private let budget: PickleBudget

  private struct StoredTensor {
    let elements: StoredElements
    /// The storage, and the bytes of it that the elements count from.
    let key: String
    let bytes: Range<Int>
  }

  /// Opens a file by its first bytes: the archive of PyTorch 1.6 and later, or the older format.
  ///
  /// - Throws: `WeightFileError` if the file is unreadable or breaks a rule of its format, if its pickle mentions a
  ///   global that tensors do not need, or if a tensor does not lie within its storage.
  public init(contentsOf url: URL) throws(WeightFileError) {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    try self.init(mapped, url)
  }

  init(_ mapped: MappedFile, _ url: URL) throws(WeightFileError) {
    (self.mapped, file) = (mapped, url.shown)
    let contents: TorchContents
    let graph: PickleGraph
    var budget = PickleBudget(fileSize: mapped.count)
    do throws(FormatProblem) {
      let root: PickleValue
      if ZipArchive.isArchive(mapped) {
        let archive = try TorchArchive(ZipArchive(mapped))
        (root, graph, budget) = try archive.pickled(budget)
        storages = .archive(archive)
        format = archive.isScript ? "TorchScript archive" : "PyTorch archive"
      } else {
        let legacy = try TorchLegacyFile(mapped, budget)
        (root, graph, budget) = (legacy.root, legacy.graph, legacy.budget)
        storages = .legacy(mapped, legacy.ranges)
        format = "PyTorch file from before version 1.6"
      }
      let name = url.deletingPathExtension().lastPathComponent
      contents = try TorchContents(root, in: graph, tensorName: name, &budget)
      pickle = (root, graph)
    } catch { throw .of(error, file: url.shown) }
    var tensors: [String: StoredTensor] = [:]
    for (name, tensor) in contents.tensors.sorted(by: { $0.key < $1.key }) {
      do throws(FormatProblem) {
        // A storage's key can be shared by any number of tensors, which all look for it.
        try budget.charge(graph.storages[tensor.storage].key.utf8.count)
        tensors[name] = try Self.checked(tensor, graph.storages[tensor.storage], storages)
      } catch {
        throw .tensor(file: url.shown, name: name, expected: error.expected, found: error.found)
      }
    }
    self.tensors = tensors
    names = tensors.keys.sorted()
    (values, notes) = (contents.values, contents.notes)
    self.budget = budget
  }

  /// A tensor whose elements all lie in its storage, and whose storage is all there.
  private static func checked(
    _ tensor: PickleGraph.Tensor, _ storage: PickleGraph.Storage, _ storages: TorchStorages
  ) throws(FormatProblem) -> StoredTensor {
    let stored = try storages.size(of: storage.key)
    // A storage without a type counts bytes.
    let unit = storage.type?.size ?? 1
    let (size, overflow) = storage.count.multipliedReportingOverflow(by: unit)
    guard !overflow, size <= stored else {
      throw FormatProblem(
        expected: "storage \(quoted(storage.key)) of \(storage.count) × \(unit) bytes", found: "\(stored) bytes")
    }
    let bytes = storage.view.map { $0.lowerBound * unit..<$0.upperBound * unit } ?? 0..<size
    let elements = try StoredElements(
      tensor.type, tensor.extents, strides: tensor.strides, offset: tensor.offset,
      available: bytes.count / tensor.type.size, isBigEndian: storages.isBigEndian)
    return StoredTensor(elements: elements, key: storage.key, bytes: bytes)
  }

  /// The length of the file in bytes.
  public var byteCount: Int { mapped.count }
  /// The SHA-256 of the whole file.
  public var sha256: SHA256.Digest { mapped.sha256 }
  /// The type in which the elements of a tensor are stored; `nil` if there is none of this name.
  public func type(of name: String) -> ElementType? { tensors[name]?.elements.type }
  /// The extents of a tensor, without reading it; `nil` if there is none of this name.
  public func shape(of name: String) -> Shape? { tensors[name]?.elements.shape }

  /// Everything in the file with its structure; see `PythonObject`.
  ///
  /// - Throws: `WeightFileError` for one of too many or too deeply nested objects.
  package func object() throws(WeightFileError) -> PythonObject {
    var objects = PythonObjects(pickle.graph, budget)
    do throws(FormatProblem) { return try objects.object(pickle.root) } catch { throw .of(error, file: file) }
  }

  /// A tensor as `Real` elements; see `TensorSource.tensor`.
  public func tensor(_ name: String) throws(WeightFileError) -> Tensor {
    try read(name) { [mapped = storages.mapped] elements, bytes throws(FormatProblem) in
      try elements.tensor(from: bytes, of: mapped)
    }
  }

  /// The elements of a tensor of integers or booleans; see `WeightFile.integers`.
  public func integers(_ name: String) throws(WeightFileError) -> [Int64] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.integers(from: bytes) }
  }

  /// The elements of a tensor in double precision; see `WeightFile.doubles`.
  public func doubles(_ name: String) throws(WeightFileError) -> [Double] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.doubles(from: bytes) }
  }

  private func read<Result>(
    _ name: String, _ body: (StoredElements, UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(WeightFileError) -> Result {
    guard let tensor = tensors[name] else { throw .missing(file: file, name: name) }
    do throws(FormatProblem) {
      return try storages.withBytes(of: tensor.key) { bytes throws(FormatProblem) in
        try body(tensor.elements, UnsafeRawBufferPointer(rebasing: bytes[tensor.bytes]))
      }
    } catch { throw .tensor(file: file, name: name, expected: error.expected, found: error.found) }
  }
}

/// The location of the elements of storages.
enum TorchStorages: Sendable {
  case archive(TorchArchive)
  case legacy(MappedFile, [String: Range<Int>])

  /// The file that holds them.
  var mapped: MappedFile {
    switch self {
    case .archive(let archive): archive.zip.mapped
    case .legacy(let mapped, _): mapped
    }
  }

  /// True for big-endian elements.
  var isBigEndian: Bool { if case .archive(let archive) = self { archive.isBigEndian } else { false } }

  /// The bytes of a storage.
  func size(of key: String) throws(FormatProblem) -> Int {
    switch self {
    case .archive(let archive): try archive.entry(of: key).size
    case .legacy(_, let ranges): try Self.range(key, ranges).count
    }
  }

  /// Calls `body` with the bytes of a storage; the pointer must not outlive the call.
  func withBytes<Result>(
    of key: String, _ body: (UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(FormatProblem) -> Result {
    switch self {
    case .archive(let archive): try archive.withBytes(of: key, body)
    case .legacy(let mapped, let ranges): try mapped.withBytes(in: try Self.range(key, ranges), body)
    }
  }

  private static func range(_ key: String, _ ranges: [String: Range<Int>]) throws(FormatProblem) -> Range<Int> {
    guard let range = ranges[key] else { throw FormatProblem(expected: "storage \(quoted(key))", found: "none") }
    return range
  }
}

extension WeightFileError {
  /// An error about a whole file.
  static func of(_ problem: FormatProblem, file: String) -> WeightFileError {
    if let global = problem.global { return .refused(file: file, global: global) }
    return .malformed(file: file, expected: problem.expected, found: problem.found)
  }
}
