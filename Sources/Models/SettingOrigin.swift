/// The origin of a setting of a model that its results depend on.
public enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
  /// A key of a configuration file, `config.json: vision_config.hidden_act`, or whoever else states it.
  case stated(String)
  /// The default of a library for a key that the file leaves out.
  case standard(library: String, key: String)
  /// The shape or the presence of a tensor.
  case deduced(tensor: String)
  /// The absence of a tensor.
  case absent(tensor: String)
  /// A published model that has these shapes.
  case published(String)
  /// Nothing that comes with the weights, for the given reason; a warning repeats it.
  case assumed(String)

  /// A setting stated in code, or by a flag.
  package static let caller = SettingOrigin.stated("stated by the caller")

  /// The origin as `frugal inspect` prints it.
  public var description: String {
    switch self {
    case .stated(let key): key
    case .standard(let library, let key): "default of \(library) where \(key) is not stated"
    case .deduced(let tensor): "tensor \"\(tensor)\""
    case .absent(let tensor): "no tensor \"\(tensor)\""
    case .published(let name): "as in the published \(name)"
    case .assumed(let reason): "assumed: \(reason)"
    }
  }
}

/// The settings of a model with their values and origins, in the order in which they were found.
public struct SettingOrigins: Sendable, Equatable {
  /// One setting: `vision heads`, `16`, and where that comes from.
  public struct Setting: Sendable, Equatable {
    /// The name.
    public let name: String
    /// The value, as text.
    public let value: String
    /// The origin of the value.
    public let origin: SettingOrigin
  }

  /// All settings.
  public private(set) var all: [Setting] = []

  package init() {}

  /// The setting of a name.
  public subscript(name: String) -> Setting? { all.first { $0.name == name } }

  /// Adds a setting.
  package mutating func add(_ name: String, _ value: some CustomStringConvertible, _ origin: SettingOrigin) {
    all.append(Setting(name: name, value: "\(value)", origin: origin))
  }

  /// Warnings about the settings that nothing states and no shape determines, one for all that share a reason.
  public var warnings: [String] {
    var reasons: [(text: String, settings: [Setting])] = []
    for setting in all {
      guard case .assumed(let text) = setting.origin else { continue }
      if let index = reasons.firstIndex(where: { $0.text == text }) {
        reasons[index].settings.append(setting)
      } else {
        reasons.append((text, [setting]))
      }
    }
    return reasons.map { text, settings in
      let (names, values) = (settings.map(\.name), settings.map(\.value))
      return "\(names.joined(separator: ", ")): assumed \(values.joined(separator: "; ")): \(text)"
    }
  }
}

extension StatedKeys {
  /// The origin of a setting that has a key of this file, or else the default of a library.
  package func origin(_ key: String, defaultOf library: String) -> SettingOrigin {
    has(key) ? .stated(name(of: key)) : .standard(library: library, key: name(of: key))
  }
}
