/// Contents that are often found under the name of another file after a download.
package enum FileImpostor {
  /// The number of first bytes that are looked at.
  package static let length = 256

  /// A description of contents that no model file has; `nil` for all others.
  ///
  /// - head: the first `length` bytes of the file, or all if it is shorter.
  package static func description(of head: some Collection<UInt8>) -> String? {
    if head.isEmpty { return "an empty file" }
    let text = String(decoding: head, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }.lowercased()
    if text.hasPrefix("version https://git-lfs.github.com/spec/") {
      return "a Git LFS pointer, which stands for the file (\"git lfs pull\" downloads it)"
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
      return "an HTML page, as a server answers instead of a download"
    }
    if text.hasPrefix("<?xml") { return "an XML document, as a server answers instead of a download" }
    return nil
  }
}

extension MappedFile {
  /// What the file is, if not what its name says.
  var impostor: String? { withBytes { FileImpostor.description(of: $0.prefix(FileImpostor.length)) } }
}
