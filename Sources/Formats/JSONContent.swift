import Foundation

/// JSON of mixed contents, keys sorted.
package indirect enum JSONContent: Encodable {
  case string(String)
  case number(Int)
  case real(Double)
  case bool(Bool)
  case list([JSONContent])
  case object([String: JSONContent])

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .string(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .real(let value): try container.encode(value)
    case .bool(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// Writes it as a file, whole or not at all.
  package func write(to url: URL) throws {
    try AtomicFile.write(Array(try JSON.encoded(self, isPretty: true)) + [10], to: url)
  }
}
