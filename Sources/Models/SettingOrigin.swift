/// The origin of a setting of a model that its results depend on.
package enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
  /// A key of a configuration file: `config.json: vision_config.hidden_act`.
  case stated(String)
  /// The default of a library for a key that the file leaves out.
  case standard(library: String, key: String)
  /// The shape or the presence of a tensor.
  case deduced(tensor: String)
  /// A published model that has these shapes.
  case published(String)
  /// Nothing that comes with the weights, for the given reason; a warning repeats it.
  case assumed(String)

  /// The origin as `frugal inspect` prints it.
  package var description: String {
    switch self {
    case .stated(let key): key
    case .standard(let library, let key): "default of \(library), as there is no \(key)"
    case .deduced(let tensor): "tensor \"\(tensor)\""
    case .published(let name): "as in the published \(name)"
    case .assumed(let reason): "assumed: \(reason)"
    }
  }
}

/// The settings of a model with their values and origins, in the order in which they were found.
package struct SettingOrigins: Sendable, Equatable {
  /// One setting: `vision heads`, `16`, and where that comes from.
  package struct Setting: Sendable, Equatable {
    package let name, value: String
    package let origin: SettingOrigin
  }

  /// All settings.
  package private(set) var all: [Setting] = []

  package init() {}

  /// Adds a setting.
  package mutating func add(_ name: String, _ value: some CustomStringConvertible, _ origin: SettingOrigin) {
    all.append(Setting(name: name, value: "\(value)", origin: origin))
  }

  /// A warning for each setting that nothing states and no shape determines.
  package var warnings: [String] {
    all.compactMap { setting in
      guard case .assumed(let reason) = setting.origin else { return nil }
      return "\(setting.name): assumed \(setting.value): \(reason)"
    }
  }
}

extension StatedKeys {
  /// The origin of a setting that has a key of this file, or else the default of a library.
  package func origin(_ key: String, defaultOf library: String) -> SettingOrigin {
    has(key) ? .stated(name(of: key)) : .standard(library: library, key: name(of: key))
  }
}
