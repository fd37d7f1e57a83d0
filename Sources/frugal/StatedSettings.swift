/// Every setting of a training as a flag, with its source: what `frugal tune --print-config` prints before anything is
/// read.
///
/// A value is printed as a flag only if giving that flag changes nothing. So the JSON form is a file for `--config`
/// that begins the same training.
struct StatedSettings {
  /// One setting.
  struct Row: Equatable {
    /// The flag without dashes.
    let name: String
    let values: [String]
    let source: String
    /// False for what no flag alone can say: halves with a value each, and what is off or chosen by the data.
    var isFlag = true
  }

  let rows: [Row]

  /// - arguments: flags of `frugal tune`; model, data and folder may be missing.
  /// - Throws: what `frugal tune` throws for flags.
  init(_ arguments: Arguments) throws {
    var listing = try SettingsListing(arguments)
    listing.addRun()
    listing.addRecipe()
    listing.addOptions()
    rows = listing.rows
  }

  /// A table of settings, values and sources.
  var text: String {
    aligned([["setting", "value", "from"]] + rows.map { [$0.name, $0.values.joined(separator: ", "), $0.source] })
  }

  /// A file for `--config`: numbers as such, `true` for a switch, a list where a flag is given several times.
  var json: [String: Value] {
    Dictionary(
      uniqueKeysWithValues: rows.filter(\.isFlag).map { row in
        let values = row.values.map(Value.init)
        return (row.name, values.count == 1 ? values[0] : .list(values))
      })
  }

  /// A value of the file.
  enum Value: Encodable, Equatable {
    case flag
    case integer(Int)
    case number(Double)
    case text(String)
    indirect case list([Value])

    init(_ text: String) {
      if text == "true" {
        self = .flag
      } else if let integer = Int(text) {
        self = .integer(integer)
      } else {
        self = Double(text).map(Value.number) ?? .text(text)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .flag: try container.encode(true)
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .list(let values): try container.encode(values)
      }
    }
  }
}
