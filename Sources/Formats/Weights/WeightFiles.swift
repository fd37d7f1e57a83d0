import Foundation

/// Opening of weight files whose format is not known.
public enum WeightFiles {
  /// The extensions of files that may hold weights, without the dot.
  package static let extensions = ["safetensors", "npz", "npy", "pt", "pth", "bin", "ckpt", "tar"]

  /// Opens a weight file by its first bytes, and if those are inconclusive, by its extension.
  ///
  /// - Throws: `WeightFileError`.
  public static func open(_ url: URL) throws -> any WeightFile {
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(contentsOf: url) } catch { throw WeightFileError.unreadable(error) }
    if let impostor = mapped.impostor {
      throw WeightFileError.malformed(file: url.shown, expected: "weights", found: impostor)
    }
    if let foreign = mapped.foreign ?? ForeignWeights.description(of: [url.lastPathComponent]) {
      throw WeightFileError.malformed(file: url.shown, expected: ForeignWeights.expected, found: foreign)
    }
    switch try kind(of: mapped, url) {
    case .numPy: return try NumPyFile(mapped, url)
    case .torch: return try TorchFile(mapped, url)
    case .safeTensors: return try SafeTensorsFile(contentsOf: url)
    }
  }

  private enum Kind { case safeTensors, numPy, torch }

  private static func kind(of mapped: MappedFile, _ url: URL) throws(WeightFileError) -> Kind {
    if ZipArchive.isArchive(mapped) {
      do throws(FormatProblem) {
        let archive = try ZipArchive(mapped)
        if TorchArchive.root(of: archive) != nil { return .torch }
        if NumPyFile.hasArrays(archive) { return .numPy }
        let names = archive.entries.keys.sorted()
        guard let first = names.first, !names.contains(where: { $0.hasSuffix("data.pkl") }) else {
          return byEnding(url, else: .numPy)
        }
        throw FormatProblem(
          expected: "a ZIP archive of PyTorch (with data.pkl) or NumPy (with .npy)",
          found: "one of \(names.count) other \(names.count == 1 ? "file" : "files"), \(quoted(first))")
      } catch { throw .malformed(file: url.shown, expected: error.expected, found: error.found) }
    }
    let head = mapped.withBytes { Array($0.prefix(9)) }
    if head.starts(with: NumPyHeader.magic) { return .numPy }
    // Eight bytes of length, which may look like a pickle's first two, before the brace of a header.
    if head.count == 9, head[8] == UInt8(ascii: "{") { return .safeTensors }
    if head.count > 1, head[0] == 0x80, (2...5).contains(head[1]) { return .torch }
    return byEnding(url, else: .safeTensors)
  }

  private static func byEnding(_ url: URL, else other: Kind) -> Kind {
    switch url.pathExtension.lowercased() {
    case "npy", "npz": .numPy
    case "pt", "pth", "bin", "ckpt", "tar": .torch
    case "safetensors": .safeTensors
    default: other
    }
  }
}
