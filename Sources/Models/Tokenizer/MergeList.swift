/// Pairs of tokens, one per line, best first.
struct MergeList {
  let merges: [(String, String)]
  /// The number of the line that holds the first merge, from 1.
  let firstLine: Int

  /// - hasHead: true if the first line is a header whatever it says; else only if it starts with `#version`.
  /// - limit: the maximal number of merges read.
  init(_ text: String, name: String, hasHead: Bool = false, limit: Int = Tokenizer.countLimit + 1)
    throws(TokenizerError)
  {
    var lines = text.utf8.split(
      separator: UInt8(ascii: "\n"), maxSplits: max(limit, 0) + 1, omittingEmptySubsequences: false)
    // What follows the last line of interest is one long piece.
    if lines.count == limit + 2 { lines.removeLast() }
    while let last = lines.last, last.isEmpty || last.elementsEqual("\r".utf8) { lines.removeLast() }
    let isHeaded = hasHead || lines.first.map { $0.starts(with: "#version".utf8) } ?? false
    firstLine = isHeaded ? 2 : 1
    var merges: [(String, String)] = []
    merges.reserveCapacity(lines.count)
    for (index, line) in lines.dropFirst(firstLine - 1).enumerated().prefix(limit) {
      let bare = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      let parts = bare.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw .file(
          "\(name) line \(firstLine + index)", expected: "two tokens with a space between",
          found: "\"\(String(Substring(bare)).prefix(60))\"")
      }
      merges.append((String(Substring(parts[0])), String(Substring(parts[1]))))
    }
    self.merges = merges
  }
}
