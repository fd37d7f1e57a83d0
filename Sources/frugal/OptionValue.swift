import Formats
import Foundation
import Methods

extension MethodOption {
  /// The value that a recipe has for it, as a user would type it, `on` of a switch; `nil` for a switch that is off, a
  /// setting that is none, and an option that the others leave without effect.
  ///
  /// An option says how it changes a recipe, not how to read it. So the setting is found by what two different values
  /// change, or is the default that the help tells; what is found holds only if setting it changes nothing.
  func value(of recipe: Recipe, _ method: MethodName) -> String? {
    func holds(_ text: String) -> Bool {
      var changed = recipe
      guard (try? apply(text, to: &changed)) != nil else { return false }
      return changed == recipe
    }
    guard (try? checkEffect(in: recipe)) != nil else { return nil }
    if isList { return method.encoder.budget(of: recipe).map { "\($0)" } }
    let probes: [String]
    switch values {
    case .flag: return holds("") ? StatedSettings.word(true) : nil
    case .choice(let words), .choiceOrFile(let words): return words.first(where: holds)
    case .number(let range): probes = ["\(range.lowerBound)", "\(range.upperBound)"]
    case .integer(let range): probes = ["\(range.lowerBound)", "\(range.upperBound)"]
    case .positive: probes = ["1", "2"]
    case .parameters: probes = ["1000", "2000"]
    case .text: probes = ["one two three four", "five six seven eight"]
    }
    let found = probes.map { text -> [String: String] in
      var changed = recipe
      try? apply(text, to: &changed)
      return flattened(changed)
    }
    let own = flattened(recipe)
    let keys = Set(found[0].keys).union(found[1].keys).filter { found[0][$0] != found[1][$0] }
    return (keys.sorted().compactMap { own[$0] } + [usualWord].compactMap(\.self)).first(where: holds)
  }

  /// What the help tells of the default: `0: they start at zero`.
  var toldDefault: String? { help.firstMatch(of: /\(default (.*)\)$/).map { String($0.output.1) } }

  /// The default that the help tells, if it is one word: `0` of `0: they start at zero`, `all`.
  var usualWord: String? {
    guard let told = toldDefault, let first = told.split(separator: " ").first else { return nil }
    let word = first.last == ":" ? first.dropLast() : first
    return word.count == told.count || Double(word) != nil ? String(word) : nil
  }
}

/// Every value of an object by its path: `recipe.epochs`. Lists are joined by commas.
func flattened(_ value: some Encodable) -> [String: String] {
  guard let data = try? JSONEncoder().encode(value), let object = try? JSONSerialization.jsonObject(with: data)
  else { return [:] }
  var flat: [String: String] = [:]
  func add(_ value: Any, _ path: String) {
    if let members = value as? [String: Any] {
      for (key, member) in members { add(member, path.isEmpty ? key : "\(path).\(key)") }
    } else if let list = value as? [Any] {
      flat[path] = list.map { "\($0)" }.joined(separator: ", ")
    } else {
      flat[path] = "\(value)"
    }
  }
  add(object, "")
  return flat
}
