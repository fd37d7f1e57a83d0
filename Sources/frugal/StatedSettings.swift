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
    /// As typed; `on` or `off` of a switch.
    let values: [String]
    let source: String
    /// False for what no flag alone can say: what is none, chosen by the data, or decided by another setting.
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

  /// The word for a switch.
  static func word(_ isOn: Bool) -> String { isOn ? "on" : "off" }

  /// A table of settings, values and sources.
  var text: String {
    aligned([["setting", "value", "from"]] + rows.map { [$0.name, $0.values.joined(separator: ", "), $0.source] })
  }

  /// A file for `--config`: numbers as such, `true` or `false` of a switch, a list where a flag is given several times.
  var json: [String: Value] {
    var file: [String: Value] = [:]
    for row in rows where row.isFlag {
      let option = TuneCommand.options.first { $0.flag == "--\(row.name)" }
      let values = row.values.map { Value($0, of: option) }
      file[row.name] = values.count == 1 ? values[0] : .list(values)
    }
    return file
  }

  /// A value of the file.
  enum Value: Encodable, Equatable {
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    indirect case list([Value])

    /// A value as typed. Its kind is that of the flag: a name is a text whatever its letters.
    init(_ text: String, of option: Option?) {
      if let option, option.value == nil {
        self = .flag(text == StatedSettings.word(true))
      } else if option?.isNumeric ?? false, let integer = Int(text) {
        self = .integer(integer)
      } else if option?.isNumeric ?? false, let number = Double(text), number.isFinite {
        self = .number(number)
      } else {
        self = .text(text)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .flag(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .list(let values): try container.encode(values)
      }
    }
  }
}
