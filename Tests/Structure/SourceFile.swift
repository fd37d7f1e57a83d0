import Foundation
import FrugalTestSupport

/// A text file of the clone.
struct SourceFile: Sendable {
  /// The path from the root of the clone: `Sources/Tensor/Shape.swift`.
  let path: String
  /// The lines, without line breaks.
  let lines: [Substring]

  /// A file of a given text.
  init(_ path: String, _ text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// A file of the clone.
  init(_ path: String) throws {
    self.init(path, try String(contentsOf: Fixtures.package.appendingPathComponent(path), encoding: .utf8))
  }

  /// The target of a file in `Sources`: the name of the folder, but for that of the module Frugal, whose folder must
  /// differ from `Sources/frugal` on file systems that ignore case.
  var target: String {
    let folder = path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
    return folder == "Library" ? "Frugal" : folder
  }

  /// The lines that satisfy a condition, as `path:line: text`.
  func lines(where condition: (Substring) -> Bool) -> [String] {
    lines.indices.filter { condition(lines[$0]) }.map(shown)
  }

  /// A line as `path:line: text`.
  func shown(_ index: Int) -> String { "\(path):\(index + 1): \(lines[index].drop { $0 == " " })" }

  /// Swift files below a folder of the clone.
  static func all(below folder: String) throws -> [SourceFile] {
    let root = Fixtures.package.appendingPathComponent(folder)
    let names = try FileManager.default.subpathsOfDirectory(atPath: root.path)
    return try names.filter { $0.hasSuffix(".swift") }.sorted().map { try SourceFile("\(folder)/\($0)") }
  }
}

extension Substring {
  /// Whether the line is one of a comment and nothing else.
  var isComment: Bool { drop { $0 == " " }.hasPrefix("//") }

  /// The words of a line: letters, digits, underscores, and hyphens inside.
  ///
  /// By bytes: a regular expression takes a minute for all sources.
  var words: [Substring] {
    utf8.split { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): false
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): false
      default: true
      }
    }.map { Substring($0).drop { $0 == "-" } }
  }
}
