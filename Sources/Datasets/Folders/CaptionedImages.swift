import Formats
import Foundation

/// An error in captions: file, line (0 for the whole file), expected and found.
package struct CaptionError: Error, Equatable, CustomStringConvertible {
  /// The message.
  package let description: String

  init(_ file: String, line: Int = 0, expected: String, found: String) {
    description = "\(file)\(line > 0 ? ":\(line)" : ""): expected \(expected), found \(found)"
  }
}

/// The images of a folder with their captions, one or more each: pairs for the pretraining of a CLIP.
///
/// Captions are in one list in the folder, or beside the images.
///
/// - A list is `captions` or `metadata` with the ending `csv`, `tsv` or `jsonl`: a path below the folder and a text per
///   row, under the names of open_clip (`filepath`, `title`), of Hugging Face's image folders (`file_name`, `text`) or
///   plain ones. Several rows may be about one image; in JSON lines the text may be a list. A table without a header
///   has the path first.
/// - Without a list `NAME.txt` beside `NAME.jpg`, as unpacked shards of webdataset have them, has a caption per line.
package struct CaptionedImages: Sendable {
  /// An image and its captions.
  package struct Item: Sendable, Equatable {
    /// The file.
    package let url: URL
    /// Its path below the folder.
    package let name: String
    /// One or more texts, each once.
    package let captions: [String]
  }

  /// The folder.
  package let root: URL
  /// The images, in byte order of their paths.
  package let items: [Item]
  /// Images of the folder that its list does not name.
  package let unlisted: [String]

  private static let lists = ["captions.csv", "captions.tsv", "captions.jsonl", "metadata.csv", "metadata.jsonl"]

  /// Reads the captions of a folder; whether its images can be decoded is not looked at.
  ///
  /// - Throws: `CaptionError` for a folder without captions or images, an image without a caption or a caption without
  ///   an image, and a list that is none; `FileError` and `ImageFolderError` for what cannot be read.
  package init(contentsOf root: URL) throws {
    self.root = root
    let tree = try ImageTree(of: root)
    let found = Self.lists.filter { FileManager.default.fileExists(atPath: root.appendingPathComponent($0).path) }
    guard found.count < 2 else {
      throw CaptionError(root.shown, expected: "one list of captions", found: found.joined(separator: " and "))
    }
    let captions = try found.first.map { try Self.listed(root.appendingPathComponent($0), root) }
    let pairs = try captions ?? Self.beside(tree.images, root)
    items = pairs.keys.sorted { FileName.bytes($0).lexicographicallyPrecedes(FileName.bytes($1)) }.map { name in
      Item(url: root.appendingPathComponent(name), name: name, captions: pairs[name] ?? [])
    }
    unlisted = tree.images.filter { pairs[$0] == nil }
  }

  /// A digest of names and captions: another one is that of other pairs.
  package var sha256: String {
    var hash = SHA256()
    for item in items {
      hash.update(FileName.bytes(item.name) + Array("\t\(item.captions.joined(separator: "\t"))\n".utf8))
    }
    return hash.digest.description
  }

  /// The captions of `NAME.txt` beside every image.
  private static func beside(_ images: [String], _ root: URL) throws -> [String: [String]] {
    guard !images.isEmpty else { throw CaptionError(root.shown, expected: "images with captions", found: "no image") }
    let texts = images.map { image in image.lastIndex(of: ".").map { image[..<$0] + ".txt" } ?? "" }
    let missing = texts.indices.filter {
      !FileManager.default.fileExists(atPath: root.appendingPathComponent(String(texts[$0])).path)
    }
    if let first = missing.first {
      guard missing.count < images.count else {
        throw CaptionError(
          root.shown, expected: "captions in \(lists.joined(separator: ", ")), or NAME.txt beside each NAME.jpg",
          found: "neither")
      }
      throw CaptionError(
        root.appendingPathComponent(images[first]).shown,
        expected: "its captions in \(FileName.shown(String(texts[first])))",
        found: "no such file (\(missing.count) of \(images.count) images have none)")
    }
    var pairs: [String: [String]] = [:]
    for (image, text) in zip(images, texts) {
      let file = root.appendingPathComponent(String(text))
      let lines = FileName.string(try Self.bytes(of: file)).split(
        omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
        add(try caption(String(line), file, index + 1), to: &pairs[image, default: []])
      }
      guard pairs[image] != nil else { throw CaptionError(file.shown, expected: "a caption", found: "none") }
    }
    return pairs
  }

  /// The captions of a list, by the paths of images that are there.
  private static func listed(_ file: URL, _ root: URL) throws -> [String: [String]] {
    let bytes = try Self.bytes(of: file)
    let rows =
      file.pathExtension == "jsonl" ? try CaptionList.objects(bytes, file) : try CaptionList.table(bytes, file, root)
    var pairs: [String: [String]] = [:]
    for row in rows {
      guard !row.path.isEmpty else { throw CaptionError(file.shown, line: row.line, expected: "a path", found: "none") }
      if pairs[row.path] == nil, try FolderListing.kind(of: root.appendingPathComponent(row.path)).kind != .file {
        throw CaptionError(
          file.shown, line: row.line, expected: "the path of an image below \(root.shown)",
          found: "\"\(FileName.shown(row.path))\", which is not there")
      }
      guard !row.texts.isEmpty else {
        throw CaptionError(file.shown, line: row.line, expected: "a caption", found: "none")
      }
      for text in row.texts { add(try caption(text, file, row.line), to: &pairs[row.path, default: []]) }
    }
    guard !pairs.isEmpty else { throw CaptionError(file.shown, expected: "a row per caption", found: "none") }
    return pairs
  }

  private static func add(_ caption: String, to captions: inout [String]) {
    if !captions.contains(caption) { captions.append(caption) }
  }

  private static func caption(_ text: String, _ file: URL, _ line: Int) throws -> String {
    let caption = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !caption.isEmpty else { throw CaptionError(file.shown, line: line, expected: "a caption", found: "none") }
    guard FileName.text(caption) == caption else {
      throw CaptionError(file.shown, line: line, expected: "a caption in UTF-8", found: "other bytes")
    }
    return caption
  }

  /// The bytes of a file of text, without a byte-order mark.
  private static func bytes(of file: URL) throws -> ArraySlice<UInt8> {
    let bytes = try MappedFile.text(of: file, limit: 1 << 30)[...]
    return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
  }
}
