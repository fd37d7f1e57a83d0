import Formats

/// Rows of a file of comma- or tab-separated values (RFC 4180): fields may be quoted, and then hold delimiters, quotes
/// written twice, and line ends.
struct DelimitedText {
  /// A row and the line it begins on, from 1.
  struct Row {
    let line: Int
    var fields: [String]
  }

  private(set) var rows: [Row] = []
  /// The line of a quote without an end, if there is one.
  private(set) var openQuote: Int?

  /// The rows of bytes that need not be UTF-8, as names of files need not; blank lines are skipped.
  init(_ bytes: some Collection<UInt8>, delimiter: UInt8) {
    let (quote, newline, carriage) = (UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    var (field, fields): ([UInt8], [String]) = ([], [])
    var (line, start, quoted) = (1, 1, 0)
    // Between the quotes of a field, or after a quote in it that may be the last.
    var (isInside, mayEnd) = (false, false)
    func isBlank() -> Bool { fields.isEmpty && field.isEmpty && quoted == 0 }
    func endField() {
      fields.append(FileName.string(field))
      field = []
    }
    func endRow() {
      if !isBlank() {
        endField()
        rows.append(Row(line: start, fields: fields))
      }
      (fields, quoted) = ([], 0)
    }
    for byte in bytes {
      if isInside, !mayEnd {
        if byte == quote { mayEnd = true } else { field.append(byte) }
        if byte == newline { line += 1 }
        continue
      }
      if mayEnd {
        mayEnd = false
        if byte == quote {
          field.append(byte)
          continue
        }
        isInside = false
      }
      switch byte {
      case quote where field.isEmpty: (isInside, quoted) = (true, line)
      case delimiter: endField()
      case carriage: continue
      case newline:
        endRow()
        line += 1
        start = line
      default: field.append(byte)
      }
    }
    if isInside, !mayEnd { openQuote = quoted }
    endRow()
  }
}
