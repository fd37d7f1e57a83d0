import Formats
import Foundation

/// A list of captions: a table or JSON lines.
enum CaptionList {
  /// What one line says of an image.
  struct Row {
    let line: Int
    let path: String
    let texts: [String]
  }

  /// The names of the column, or key, with the path of an image.
  static let pathNames = ["file", "file_name", "filename", "filepath", "path", "image"]
  /// The names of the column, or key, with its text.
  static let textNames = ["text", "caption", "title", "captions"]

  private static var expected: String { "file and text (or filepath and title, file_name and caption)" }

  /// The rows of a table; one without a header has a path and a text in each.
  static func table(_ bytes: ArraySlice<UInt8>, _ file: URL, _ root: URL) throws -> [Row] {
    let first = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let delimiters = [UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: ";")]
    let text = DelimitedText(bytes, delimiter: delimiters.first { first.contains($0) } ?? delimiters[1])
    if let line = text.openQuote {
      throw CaptionError(file.shown, line: line, expected: "a quote at the end of the field", found: "none")
    }
    guard let header = text.rows.first else {
      throw CaptionError(file.shown, expected: "a header with \(expected)", found: "an empty file")
    }
    let titles = header.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    var columns: (path: Int, text: Int)? = column(pathNames, titles).flatMap { path in
      column(textNames, titles).map { (path, $0) }
    }
    var rows = text.rows.dropFirst()
    if columns == nil, header.fields.count == 2,
      try FolderListing.kind(of: root.appendingPathComponent(header.fields[0])).kind == .file
    {
      (columns, rows) = ((0, 1), text.rows[...])
    }
    guard let columns else {
      let found = header.fields.prefix(5).map { "\"\(FileName.shown(String($0.prefix(40))))\"" }.joined(separator: ", ")
      throw CaptionError(file.shown, line: header.line, expected: "a header with \(expected)", found: found)
    }
    return try rows.map { row in
      guard row.fields.count == titles.count else {
        throw CaptionError(
          file.shown, line: row.line, expected: "\(titles.count) fields (text with delimiters in quotes)",
          found: "\(row.fields.count)")
      }
      return Row(line: row.line, path: row.fields[columns.path], texts: [row.fields[columns.text]])
    }
  }

  private static func column(_ names: [String], _ titles: [String]) -> Int? {
    names.lazy.compactMap { titles.firstIndex(of: $0) }.first
  }

  /// The rows of JSON lines; a text may be a list of texts.
  static func objects(_ bytes: ArraySlice<UInt8>, _ file: URL) throws -> [Row] {
    let decoder = JSONDecoder()
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return try lines.enumerated().compactMap { index, line in
      guard line.contains(where: { $0 > 0x20 }) else { return nil }
      guard let object = try? decoder.decode(Object.self, from: Data(line)) else {
        throw CaptionError(
          file.shown, line: index + 1, expected: "an object with \(expected)", found: "something else")
      }
      return Row(line: index + 1, path: object.path, texts: object.texts)
    }
  }

  private struct Object: Decodable {
    let path: String
    let texts: [String]

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      func key(_ names: [String]) throws -> Key {
        guard let key = names.map(Key.init).first(where: values.contains) else {
          throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: names[0]))
        }
        return key
      }
      path = try values.decode(String.self, forKey: key(pathNames))
      let text = try key(textNames)
      texts =
        try (try? values.decode(String.self, forKey: text)).map { [$0] } ?? values.decode([String].self, forKey: text)
    }
  }
}
