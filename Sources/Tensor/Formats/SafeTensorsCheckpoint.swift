import Foundation

/// The weights of a model folder: one safetensors file, or several shards behind an index.
///
/// The index is the JSON of the Hugging Face layout, `{"metadata": {…}, "weight_map": {"tensor": "shard file", …}}`.
/// Shards lie beside it, and a shard's tensors that the index does not list are not seen.
public struct SafeTensorsCheckpoint: Sendable {
  /// The files, in the order of their names.
  public let files: [SafeTensorsFile]
  /// The names of all tensors, sorted.
  public let names: [String]
  private let shard: [String: Int]

  /// The file name of an index.
  public static let indexName = "model.safetensors.index.json"
  /// The file name of unsharded weights.
  public static let weightsName = "model.safetensors"

  /// Opens a folder with `model.safetensors` or else `model.safetensors.index.json`, an index, or a single file.
  ///
  /// - Throws: `SafeTensorsError` if neither is there, if a file breaks a rule of its format, or if the index names a
  ///   shard outside its folder, a missing one, or a tensor that its shard does not contain.
  public init(contentsOf url: URL) throws(SafeTensorsError) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    guard exists, isFolder.boolValue else {
      if url.pathExtension == "json" { try self.init(index: url) } else { try self.init(file: url) }
      return
    }
    let weights = url.appendingPathComponent(Self.weightsName)
    let index = url.appendingPathComponent(Self.indexName)
    if FileManager.default.fileExists(atPath: weights.path) {
      try self.init(file: weights)
    } else if FileManager.default.fileExists(atPath: index.path) {
      try self.init(index: index)
    } else {
      throw .unreadable(
        FileError(file: url.shown, expected: "\(Self.weightsName) or \(Self.indexName)", found: "neither"))
    }
  }

  private init(file url: URL) throws(SafeTensorsError) {
    let file = try SafeTensorsFile(contentsOf: url)
    files = [file]
    names = file.names
    shard = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
  }

  private init(index url: URL) throws(SafeTensorsError) {
    let places = try Self.places(in: url)
    let fileNames = Set(places.values).sorted()
    var files: [SafeTensorsFile] = []
    for name in fileNames {
      // One name of a folder entry: no path leads out of the folder.
      guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0") else {
        throw .malformed(file: url.shown, expected: "shards in the same folder", found: quoted(name))
      }
      files.append(try SafeTensorsFile(contentsOf: url.deletingLastPathComponent().appendingPathComponent(name)))
    }
    let order = Dictionary(uniqueKeysWithValues: fileNames.enumerated().map { ($1, $0) })
    shard = places.mapValues { order[$0]! }
    names = places.keys.sorted()
    self.files = files
    for name in names { _ = try entry(name) }
  }

  /// The weight map of an index.
  private static func places(in url: URL) throws(SafeTensorsError) -> [String: String] {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    var places: [String: String]?
    do throws(JSONScanner.Problem) {
      try mapped.withBytes { bytes throws(JSONScanner.Problem) in
        var scanner = JSONScanner(bytes)
        try scanner.object { (key, scanner) throws(JSONScanner.Problem) in
          guard key == "weight_map" else { return try scanner.skipValue() }
          guard places == nil else { throw .init(expected: "one \"weight_map\"", found: "two") }
          places = try SafeTensorsHeader.strings(&scanner)
        }
        try scanner.end()
      }
    } catch { throw .malformed(file: url.shown, expected: error.expected, found: error.found) }
    guard let places else { throw .malformed(file: url.shown, expected: "a \"weight_map\"", found: "none") }
    return places
  }

  /// The file that holds a tensor; throws `SafeTensorsError.missing`.
  public func file(of name: String) throws(SafeTensorsError) -> SafeTensorsFile {
    guard let index = shard[name] else {
      throw .missing(file: files.map(\.file).joined(separator: ", "), name: name)
    }
    return files[index]
  }

  /// Whether there is a tensor of that name.
  public func contains(_ name: String) -> Bool { shard[name] != nil }

  /// Type, shape and place of a tensor in its file.
  public func entry(_ name: String) throws(SafeTensorsError) -> SafeTensorsEntry { try file(of: name).entry(name) }

  /// A tensor as numbers; see `SafeTensorsFile.tensor`.
  public func tensor(_ name: String) throws(SafeTensorsError) -> Tensor { try file(of: name).tensor(name) }

  /// The bytes of a tensor of type U8 or BOOL.
  public func bytes(_ name: String) throws(SafeTensorsError) -> [UInt8] { try file(of: name).bytes(name) }

  /// The elements of a tensor of an integer type or of booleans.
  public func integers(_ name: String) throws(SafeTensorsError) -> [Int64] { try file(of: name).integers(name) }
}
