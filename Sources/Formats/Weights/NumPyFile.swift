import Foundation
import Tensor

/// Arrays that NumPy saved: a `.npy` file, or a `.npz` archive of such files.
///
/// Opening maps the file and reads the headers. A `.npz` names its arrays by its entries, without `.npy`; the one array
/// of a `.npy` file is named after the file. Types: booleans, integers of 1 to 8 bytes, floating-point numbers of 2, 4
/// and 8, of either byte order and in C or Fortran order. Refused: Python objects, records, complex numbers, text.
public struct NumPyFile: WeightFile {
  /// The file, as it was named; errors begin with it.
  public let file: String
  /// The kind of file.
  public let format: String
  /// The names of the arrays, sorted.
  public let names: [String]

  private let mapped: MappedFile
  private let arrays: [String: StoredArray]
  /// The archive of the arrays, unless the file is a single array.
  private let archive: ZipArchive?

  private struct StoredArray {
    let header: NumPyHeader
    let entry: ZipEntry?
  }

  /// Opens a file, an archive or a single array by its first bytes.
  ///
  /// - Throws: `WeightFileError` if the file is unreadable, neither of both, or breaks a rule of its format.
  public init(contentsOf url: URL) throws(WeightFileError) {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    try self.init(mapped, url)
  }

  init(_ mapped: MappedFile, _ url: URL) throws(WeightFileError) {
    (self.mapped, file) = (mapped, url.shown)
    if ZipArchive.isArchive(mapped) {
      format = "NumPy archive"
      let archive: ZipArchive
      do throws(FormatProblem) { archive = try ZipArchive(mapped) } catch {
        throw .malformed(file: url.shown, expected: error.expected, found: error.found)
      }
      self.archive = archive
      arrays = try Self.arrays(of: archive, file: url.shown)
    } else {
      format = "NumPy array"
      archive = nil
      let header: NumPyHeader
      do throws(FormatProblem) {
        header = try mapped.withBytes { bytes throws(FormatProblem) in try NumPyHeader(bytes, total: bytes.count) }
      } catch { throw .malformed(file: url.shown, expected: error.expected, found: error.found) }
      arrays = [url.deletingPathExtension().lastPathComponent: StoredArray(header: header, entry: nil)]
    }
    names = arrays.keys.sorted()
  }

  private static let suffix = ".npy"

  /// Returns whether an archive has an entry named as an array.
  static func hasArrays(_ archive: ZipArchive) -> Bool { archive.entries.keys.contains { $0.hasSuffix(suffix) } }

  /// The arrays of an archive; entries with other names are not arrays.
  private static func arrays(
    of archive: ZipArchive, file: String
  ) throws(WeightFileError) -> [String: StoredArray] {
    var arrays: [String: StoredArray] = [:]
    for (name, entry) in archive.entries.sorted(by: { $0.key < $1.key }) where name.hasSuffix(suffix) {
      let array = String(name.dropLast(suffix.count))
      do throws(FormatProblem) {
        arrays[array] = try archive.withPrefix(of: entry, count: NumPyHeader.limit) { bytes throws(FormatProblem) in
          StoredArray(header: try NumPyHeader(bytes, total: entry.size), entry: entry)
        }
      } catch { throw .tensor(file: file, name: array, expected: error.expected, found: error.found) }
    }
    guard !arrays.isEmpty || archive.entries.isEmpty else {
      throw .malformed(
        file: file, expected: "an archive of arrays (NAME\(suffix))",
        found: quoted(archive.entries.keys.sorted()[0]) + " and the like")
    }
    return arrays
  }

  /// The length of the file in bytes.
  public var byteCount: Int { mapped.count }
  /// The SHA-256 of the whole file.
  public var sha256: SHA256.Digest { mapped.sha256 }
  /// The type in which the elements of an array are stored; `nil` where there is none of this name.
  public func type(of name: String) -> ElementType? { arrays[name]?.header.elements.type }
  /// The extents of an array, without reading it; `nil` where there is none of this name.
  public func shape(of name: String) -> Shape? { arrays[name]?.header.elements.shape }

  /// An array as numbers; see `TensorSource.tensor`.
  public func tensor(_ name: String) throws(WeightFileError) -> Tensor {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.tensor(from: bytes) }
  }

  /// The elements of an array of integers or booleans; see `WeightFile.integers`.
  public func integers(_ name: String) throws(WeightFileError) -> [Int64] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.integers(from: bytes) }
  }

  /// The elements of an array in double precision; see `WeightFile.doubles`.
  public func doubles(_ name: String) throws(WeightFileError) -> [Double] {
    try read(name) { elements, bytes throws(FormatProblem) in try elements.doubles(from: bytes) }
  }

  private func read<Result>(
    _ name: String, _ body: (StoredElements, UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(WeightFileError) -> Result {
    guard let array = arrays[name] else { throw .missing(file: file, name: name) }
    func elements(_ bytes: UnsafeRawBufferPointer) throws(FormatProblem) -> Result {
      try body(array.header.elements, UnsafeRawBufferPointer(rebasing: bytes[array.header.dataStart...]))
    }
    do throws(FormatProblem) {
      guard let archive, let entry = array.entry else {
        return try mapped.withBytes { bytes throws(FormatProblem) in try elements(bytes) }
      }
      return try archive.withContents(of: entry) { bytes throws(FormatProblem) in try elements(bytes) }
    } catch { throw .tensor(file: file, name: name, expected: error.expected, found: error.found) }
  }
}
