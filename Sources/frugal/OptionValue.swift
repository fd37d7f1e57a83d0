import Formats
import Foundation
import Methods

extension MethodOption {
  /// The value that a recipe has for it, as a user would type it; `nil` for a switch that is off and a setting that is
  /// none.
  ///
  /// An option says how it changes a recipe, not how to read it. So the setting is found by what two different values
  /// change, and what is found holds only if setting it changes nothing.
  func value(of recipe: Recipe, _ method: MethodName) -> String? {
    func holds(_ text: String) -> Bool {
      var changed = recipe
      guard (try? apply(text, to: &changed)) != nil else { return false }
      return changed == recipe
    }
    if isList { return method.encoder.budget(of: recipe).map { "\($0)" } }
    let probes: [String]
    switch values {
    case .flag: return holds("") ? "true" : nil
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
    return keys.sorted().compactMap { own[$0] }.first(where: holds)
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
