import Foundation

/// Weights in several files with an index, as Hugging Face writes it:
/// `{"metadata": {…}, "weight_map": {"tensor": "shard file", …}}`.
///
/// Shards are in the folder of the index and may have any format (`model.safetensors.index.json`,
/// `pytorch_model.bin.index.json`); a shard's tensors that the index does not list are not seen.
struct ShardIndex: Sendable {
  /// The shards, in the order of their names.
  let files: [any WeightFile]
  /// The shard of each tensor.
  let fileIndices: [String: Int]

  /// Opens an index and its shards.
  ///
  /// - Throws: `WeightFileError` if a file breaks a rule of its format, or if the index names a shard
  ///   outside its folder, a missing one, or a tensor that its shard does not contain.
  init(contentsOf url: URL) throws {
    let map = try Self.map(in: url)
    let names = Set(map.values).sorted()
    files = try names.map { name in
      // One name of a folder entry: no path leads out of the folder.
      guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0") else {
        throw WeightFileError.malformed(file: url.shown, expected: "shards in the same folder", found: quoted(name))
      }
      let shard = url.deletingLastPathComponent().appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: shard.path) else {
        throw WeightFileError.malformed(file: url.shown, expected: "shard \(quoted(name)) next to it", found: "none")
      }
      return try WeightFiles.open(shard)
    }
    let order = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    fileIndices = map.mapValues { order[$0]! }
    for (name, index) in fileIndices.sorted(by: { $0.key < $1.key }) where files[index].shape(of: name) == nil {
      throw WeightFileError.malformed(
        file: url.shown, expected: "a shard with tensor \(quoted(name))", found: "none of that name in \(names[index])")
    }
  }

  /// The weight map of an index.
  private static func map(in url: URL) throws(WeightFileError) -> [String: String] {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    if let impostor = mapped.impostor { throw .malformed(file: url.shown, expected: "an index", found: impostor) }
    var map: [String: String]?
    do throws(JSONScanner.Problem) {
      try mapped.withBytes { bytes throws(JSONScanner.Problem) in
        var scanner = JSONScanner(bytes)
        try scanner.object { (key, scanner) throws(JSONScanner.Problem) in
          guard key == "weight_map" else { return try scanner.skipValue() }
          guard map == nil else { throw .init(expected: "one \"weight_map\"", found: "two") }
          map = try SafeTensorsHeader.strings(&scanner)
        }
        try scanner.end()
      }
    } catch { throw .malformed(file: url.shown, expected: error.expected, found: error.found) }
    guard let map else { throw .malformed(file: url.shown, expected: "a \"weight_map\"", found: "none") }
    guard !map.isEmpty else {
      throw .malformed(file: url.shown, expected: "tensors in \"weight_map\"", found: "none")
    }
    return map
  }
}
