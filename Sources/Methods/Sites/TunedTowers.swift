import Models

/// The towers of a CLIP that are tuned.
public enum TunedTowers: String, Sendable, Codable, CaseIterable {
  /// Both.
  case both
  /// The image tower.
  case vision
  /// The text tower.
  case text

  /// The frozen tensors of the towers that are tuned, those of the image tower first.
  func parameters(of pair: TowerPair) -> [Parameter] {
    switch self {
    case .both: pair.parameters
    case .vision: pair.image.parameters
    case .text: pair.text.parameters
    }
  }

  /// The option that names them.
  static func option(_ change: @escaping @Sendable (inout Recipe, TunedTowers) -> Void) -> MethodOption {
    MethodOption(
      "towers", "both|vision|text", .choice(allCases.map(\.rawValue)),
      "towers that are tuned (default both; of masks vision)"
    ) { change(&$0, TunedTowers(rawValue: $1.word) ?? .both) }
  }

  /// Refuses an image tower without blocks of attention, unless only the text tower is tuned.
  func check(_ tower: any ImageTower, for name: String) throws(SettingError) {
    guard self != .text, !tower.parameters.contains(where: { $0.site.block != nil && $0.site.role == .query }) else {
      return
    }
    throw SettingError(
      "method", expected: "one with sites in this model, which has no blocks of attention", found: name)
  }

  /// Refuses branches of images that are skipped at random, for a method whose steps encode texts too.
  static func check(_ recipe: Recipe, for name: String) throws(SettingError) {
    guard let depth = recipe.stochasticDepth, depth > 0 else { return }
    throw SettingError(
      "stochastic-depth", expected: "0, as the steps of \(name) encode texts too", found: "\(depth)")
  }
}
