import Formats
import Foundation

/// A list of images: comma- or tab-separated values with a header, or JSON lines, with a path, a label and a split
/// each.
struct DataList {
  struct Entry {
    let line: Int
    let path: String
    let label: String
    /// `nil` if the list has no splits.
    let split: SplitName?
  }

  private static let names = ["path", "label", "split"]
  /// A million images stay below it.
  private static let limit = 1 << 28

  let entries: [Entry]
  private let file: URL

  /// The file, as it was named.
  var shown: String { file.shown }

  /// Reads a list; whether its images are there is not looked at.
  ///
  /// - Throws: `ImageFolderError` for a file that cannot be read, a header without path and label, a row that is too
  ///   short or empty, an unknown split, and a path that occurs twice.
  init(_ file: URL) throws(ImageFolderError) {
    self.file = file
    var bytes: ArraySlice<UInt8>
    do throws(FileError) { bytes = try MappedFile.text(of: file, limit: Self.limit)[...] } catch {
      throw .unreadable(error)
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    let start = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let rows = try start == UInt8(ascii: "{") ? Self.objects(bytes, file) : Self.table(bytes, file)
    var entries: [Entry] = []
    var seen: Set<[UInt8]> = []
    for row in rows {
      func wrong(_ expected: String, _ found: String) -> ImageFolderError {
        .list(file: file.shown, line: row.line, expected: expected, found: found)
      }
      for (name, value) in zip(Self.names, row.fields) where value.isEmpty { throw wrong("a \(name)", "none") }
      let (path, label) = (row.fields[0], row.fields[1])
      guard seen.insert(Self.plain(path)).inserted else {
        throw wrong("each path once", "\"\(FileName.shown(path))\" again")
      }
      var split: SplitName?
      if row.fields.count == 3 {
        split = SplitName(row.fields[2])
        guard split != nil else { throw wrong("split train, val or test", "\"\(FileName.shown(row.fields[2]))\"") }
      }
      entries.append(Entry(line: row.line, path: path, label: label, split: split))
    }
    guard !entries.isEmpty else {
      throw .list(file: file.shown, line: 0, expected: "a row for each image", found: "none")
    }
    self.entries = entries
  }

  /// The bytes of a path without what leads nowhere: `./a//b/../c` is `a/c`.
  private static func plain(_ path: String) -> [UInt8] {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return FileName.bytes((path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/"))
  }

  /// An error about an entry.
  func wrong(_ entry: Entry, _ expected: String, _ found: String) -> ImageFolderError {
    .list(file: file.shown, line: entry.line, expected: expected, found: found)
  }

  /// The labels: in the order of their numbers if they are numbers, else of their bytes; the first form of those that
  /// differ in how letters are composed only.
  var labels: [String] {
    let unique = Set(entries.map(\.label))
    if let numbers = Self.numbers(unique) { return numbers }
    return unique.sorted { FileName.bytes($0).lexicographicallyPrecedes(FileName.bytes($1)) }
  }

  private static func numbers(_ labels: Set<String>) -> [String]? {
    let numbered = labels.compactMap { label in Int(label).map { (number: $0, label: label) } }
    return numbered.count == labels.count
      ? numbered.sorted { ($0.number, $0.label) < ($1.number, $1.label) }.map(\.label) : nil
  }

  /// The rows of a table, the columns in the order of `names`.
  private static func table(_ bytes: ArraySlice<UInt8>, _ file: URL) throws(ImageFolderError) -> [DelimitedText.Row] {
    let header = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let delimiters = [UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")]
    let delimiter = delimiters.first { header.contains($0) } ?? delimiters[0]
    let text = DelimitedText(bytes, delimiter: delimiter)
    func wrong(_ line: Int, _ expected: String, _ found: String) -> ImageFolderError {
      .list(file: file.shown, line: line, expected: expected, found: found)
    }
    if let line = text.openQuote { throw wrong(line, "a quote at the end of the field", "none") }
    guard let first = text.rows.first else { throw wrong(0, "a header with path, label and split", "an empty file") }
    let titles = first.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    let columns = names.compactMap { titles.firstIndex(of: $0) }
    guard titles.contains(names[0]), titles.contains(names[1]) else {
      let found = first.fields.prefix(5).map { "\"\(FileName.shown(String($0.prefix(40))))\"" }.joined(separator: ", ")
      throw wrong(first.line, "a header with path, label and split", found)
    }
    var rows: [DelimitedText.Row] = []
    for row in text.rows.dropFirst() {
      guard row.fields.count == titles.count else {
        throw wrong(row.line, "\(titles.count) fields", "\(row.fields.count)")
      }
      rows.append(.init(line: row.line, fields: columns.map { row.fields[$0] }))
    }
    return rows
  }

  /// A row of JSON; a label may be a number.
  private struct Object: Decodable {
    let fields: [String]

    private enum CodingKeys: String, CodingKey { case path, label, split }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let number = try? container.decode(Int.self, forKey: .label)
      let label = try number.map { "\($0)" } ?? container.decode(String.self, forKey: .label)
      let split = try container.decodeIfPresent(String.self, forKey: .split)
      fields = [try container.decode(String.self, forKey: .path), label] + (split.map { [$0] } ?? [])
    }
  }

  private static func objects(
    _ bytes: ArraySlice<UInt8>, _ file: URL
  ) throws(ImageFolderError) -> [DelimitedText.Row] {
    let decoder = JSONDecoder()
    var rows: [DelimitedText.Row] = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
      guard let object = try? decoder.decode(Object.self, from: Foundation.Data(line)) else {
        throw .list(
          file: file.shown, line: index + 1, expected: "an object with path, label and split", found: "something else")
      }
      if let first = rows.first, first.fields.count != object.fields.count {
        throw .list(
          file: file.shown, line: index + 1, expected: "a split in every line or in none",
          found: object.fields.count == 3 ? "one" : "none")
      }
      rows.append(.init(line: index + 1, fields: object.fields))
    }
    return rows
  }
}
