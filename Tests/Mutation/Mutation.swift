/// One change at one position of a source file.
struct Mutation: Sendable {
  /// From the root of the package.
  let path: String
  let line, column: Int
  /// The bytes that are replaced.
  let range: Range<Int>
  let replacement: String
  /// `* -> /`, `drop + bias[i]`.
  let change: String
  /// The line of the source, without the space around.
  let sourceLine: String
  /// The conditions of the `#if` branches around it.
  let conditions: [String]

  var id: String { "\(path):\(line):\(column) \(change)" }

  func applied(to source: [UInt8]) -> [UInt8] {
    Array(source[..<range.lowerBound]) + Array(replacement.utf8) + Array(source[range.upperBound...])
  }
}

/// What may become of a token.
enum Rules {
  /// Binary operators, with space on both sides.
  static let operators: [String: [String]] = [
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"], "&+": ["&-"], "&-": ["&+"], "&*": ["&+"],
    "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "&+=": ["&-="], "&-=": ["&+="],
    "<": ["<=", ">"], ">": [">=", "<"], "<=": ["<", ">="], ">=": [">", "<="], "==": ["!="], "!=": ["=="],
    "===": ["!=="], "!==": ["==="], "&&": ["||"], "||": ["&&"], "&": ["|"], "|": ["&"], "^": ["&"], "|=": ["&="],
    "&=": ["|="], "<<": [">>"], ">>": ["<<"], ">>=": ["<<="], "<<=": [">>="], "&<<": ["&>>"], "&>>": ["&<<"],
    ".<": [".<=", ".>"], ".>": [".>=", ".<"], ".<=": [".<"], ".>=": [".>"], ".==": [".!="], ".!=": [".=="],
    ".&": [".|"], ".|": [".&"],
  ]
  /// Ranges stand with space or without.
  static let ranges = ["..<": "...", "...": "..<"]
  /// Names for names: opposites, and the axes that are easily exchanged.
  static let names: [String: [String]] = [
    "true": ["false"], "false": ["true"], "min": ["max"], "max": ["min"], "lowerBound": ["upperBound"],
    "upperBound": ["lowerBound"], "first": ["last"], "last": ["first"], "prefix": ["suffix"], "suffix": ["prefix"],
    "dropFirst": ["dropLast"], "dropLast": ["dropFirst"], "up": ["down"], "down": ["up"], "continue": ["break"],
    "rows": ["columns", "width"], "columns": ["rows"], "width": ["rows", "height"], "height": ["width"],
    "queries": ["keys"], "keys": ["queries", "values"], "rowStride": ["columnStride"], "columnStride": ["rowStride"],
    "inputs": ["outputs"], "outputs": ["inputs"], "encoder": ["head"], "head": ["encoder"],
  ]
  /// Names that are the same in every scope; the others are tried only where the file knows both.
  static let universal: Set<String> = [
    "true", "false", "min", "max", "lowerBound", "upperBound", "first", "last", "prefix", "suffix", "dropFirst",
    "dropLast", "up", "down", "continue",
  ]
  /// Members without which an expression keeps its type.
  static let droppable: Set<String> = [
    "transposed", "magnitudes", "magnitude", "squareRoot", "reversed", "sorted", "keeping", "shuffled", "withSigns",
    "limited",
  ]

  /// Whether a name reads as a condition, which can be negated.
  static func isFlag(_ name: String) -> Bool {
    ["accumulating", "fresh", "parallel"].contains(name)
      || ["is", "has", "needs"].contains { name.hasPrefix($0) && name.dropFirst($0.count).first?.isUppercase == true }
      || name.hasSuffix("Needs") || name.hasSuffix("NeedsGradient")
  }
}
