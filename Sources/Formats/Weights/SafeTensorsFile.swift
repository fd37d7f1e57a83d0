import Foundation
import Tensor

/// A safetensors file: named tensors, opened by mapping and read one by one.
///
/// Opening reads and checks the header only; a tensor's bytes are read on request.
public struct SafeTensorsFile: Sendable {
  /// The file, as it was named; errors begin with it.
  public let file: String
  /// The names of the tensors, sorted.
  public let names: [String]
  /// The strings under `__metadata__`.
  public let metadata: [String: String]

  private let entries: [String: SafeTensorsEntry]
  let mapped: MappedFile

  /// Opens a file and checks its header against the rules of the format.
  ///
  /// - Throws: `WeightFileError` if the file is unreadable or breaks a rule; the text names the tensor.
  public init(contentsOf url: URL) throws(WeightFileError) {
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    file = url.shown
    let name = url.shown
    if mapped.count > 0, let impostor = mapped.impostor {
      throw .malformed(file: name, expected: "a safetensors file", found: impostor)
    }
    let header = try mapped.withBytes { bytes throws(WeightFileError) in
      try SafeTensorsHeader(bytes, file: name)
    }
    entries = header.entries
    metadata = header.metadata
    names = header.entries.keys.sorted()
  }

  private init(_ file: String, _ entries: [String: SafeTensorsEntry], of other: SafeTensorsFile) {
    (self.file, self.entries, metadata, mapped) = (file, entries, other.metadata, other.mapped)
    names = entries.keys.sorted()
  }

  /// The tensors whose names begin with a prefix, under the rest of their names, as a file of their own.
  package func part(_ prefix: String) -> SafeTensorsFile {
    let own = entries.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
    return SafeTensorsFile("\(file): \(prefix)…", Dictionary(uniqueKeysWithValues: own), of: self)
  }

  /// The tensors whose names do not begin with a prefix.
  package func removing(_ prefix: String) -> SafeTensorsFile {
    SafeTensorsFile(file, entries.filter { !$0.key.hasPrefix(prefix) }, of: self)
  }

  /// The length of the file in bytes.
  public var byteCount: Int { mapped.count }

  /// The SHA-256 of the whole file.
  public var sha256: SHA256.Digest { mapped.sha256 }

  /// Returns whether there is a tensor of that name.
  package func contains(_ name: String) -> Bool { entries[name] != nil }

  /// Type, shape and byte range of a tensor; throws `WeightFileError.missing`.
  public func entry(_ name: String) throws(WeightFileError) -> SafeTensorsEntry {
    guard let entry = entries[name] else { throw .missing(file: file, name: name) }
    return entry
  }

  /// Calls `body` with the stored bytes of a tensor, at any alignment; the pointer must not outlive the call.
  package func withBytes<Result>(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws(WeightFileError) -> Result
  ) throws(WeightFileError) -> Result {
    try mapped.withBytes(in: try entry(name).range, body)
  }
}

/// One tensor of a safetensors file: the type, shape and position of its elements.
public struct SafeTensorsEntry: Hashable, Sendable {
  /// The type of its elements.
  public let type: ElementType
  /// Its extents, outermost first.
  public let shape: Shape
  /// Its bytes, counted from the beginning of the file.
  public let range: Range<Int>
}
