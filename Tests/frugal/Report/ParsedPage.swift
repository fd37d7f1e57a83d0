/// What is in a document of well-formed XML without namespaces: enough of a parser to hold a report to it.
///
/// Foundation's own parser needs a library of the system that a machine with the toolchain alone may lack.
struct ParsedPage {
  /// How often each element occurs.
  private(set) var counts: [String: Int] = [:]
  /// The text of each cell of a table, by row.
  private(set) var rows: [[String]] = []
  /// The text of every element but script and style.
  private(set) var text = ""
  /// Why it is not well-formed.
  private(set) var problem: String?
  /// The elements around the present place.
  private var open: [String] = []

  private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

  init(_ document: String) {
    var rest = Substring(document)
    if rest.hasPrefix("<!DOCTYPE html>") { rest = rest.dropFirst(15) }
    while problem == nil, let next = rest.first {
      if next == "<" {
        guard let end = rest.firstIndex(of: ">") else {
          problem = "a tag without end"
          return
        }
        read(tag: rest[rest.index(after: rest.startIndex)..<end])
        rest = rest[rest.index(after: end)...]
      } else {
        let end = rest.firstIndex(of: "<") ?? rest.endIndex
        read(text: rest[..<end])
        rest = rest[end...]
      }
    }
    if problem == nil, let last = open.last { problem = "<\(last)> without end" }
    if problem == nil, counts.isEmpty { problem = "no element" }
  }

  private mutating func read(tag: Substring) {
    if tag.hasPrefix("/") {
      let name = String(tag.dropFirst())
      if open.popLast() != name { problem = "</\(name)> where another element is open" }
      return
    }
    let isEmpty = tag.hasSuffix("/")
    var rest = isEmpty ? tag.dropLast() : tag
    let name = String(rest.prefix { $0.isLetter || $0.isNumber })
    rest = rest.dropFirst(name.count)
    if name.isEmpty { problem = "<\(tag)>: expected a name" }
    if open.isEmpty, !counts.isEmpty { problem = "<\(name)> behind the end of the document" }
    var seen: Set<Substring> = []
    while problem == nil, !rest.allSatisfy(\.isWhitespace) {
      // name="value", a space before it, and each name once.
      guard let match = rest.prefixMatch(of: /\s+([A-Za-z][A-Za-z0-9:_-]*)="([^"<]*)"/), seen.insert(match.1).inserted
      else {
        problem = "<\(tag)>: expected attributes with values in quotes, each once"
        return
      }
      _ = unescaped(match.2)
      rest = rest[match.range.upperBound...]
    }
    counts[name, default: 0] += 1
    if name == "tr" { rows.append([]) }
    if name == "td" || name == "th" {
      guard !rows.isEmpty else {
        problem = "<\(name)> outside of a row"
        return
      }
      rows[rows.count - 1].append("")
    }
    if !isEmpty { open.append(name) }
  }

  private mutating func read(text raw: Substring) {
    let found = unescaped(raw)
    if open.isEmpty, !found.allSatisfy(\.isWhitespace) { problem = "text outside of all elements" }
    if !open.contains("script"), !open.contains("style") { text += found }
    if open.contains("td") || open.contains("th"), let row = rows.indices.last, let cell = rows[row].indices.last {
      rows[row][cell] += found
    }
  }

  /// The text behind entities; an ampersand that begins none is a problem.
  private mutating func unescaped(_ raw: Substring) -> String {
    let parts = raw.split(separator: "&", omittingEmptySubsequences: false)
    return parts.dropFirst().reduce(into: String(parts[0])) { result, part in
      guard let end = part.firstIndex(of: ";"), let character = Self.character(part[..<end]) else {
        problem = "&\(part.prefix(12)): expected an entity"
        return
      }
      result += character + part[part.index(after: end)...]
    }
  }

  private static func character(_ entity: Substring) -> String? {
    guard entity.hasPrefix("#") else { return entities[String(entity)] }
    let isHex = entity.hasPrefix("#x")
    return UInt32(entity.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10).flatMap { Unicode.Scalar($0) }.map {
      "\($0)"
    }
  }
}
