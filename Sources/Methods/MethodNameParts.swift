extension MethodName {
  /// The method of a name as typed: a pair of halves, or one of them.
  ///
  /// - Throws: `SettingError` with the part that is unknown, or the reason why the parts are no pair.
  package init(parts text: String) throws(SettingError) {
    if let name = MethodName(text) {
      self = name
      return
    }
    let all = MethodList.encoders.map(\.name) + MethodList.heads.map(\.name)
    let parts = Self.parts(of: text, all)
    if let unknown = parts.first(where: { !all.contains($0) }) {
      let known = MethodList.names
      throw SettingError("method", expected: known.joined(separator: ", "), found: "\"\(unknown)\"", among: known)
    }
    throw SettingError("method", expected: Self.obstacle(parts), found: "\"\(text)\"")
  }

  /// The names between the pluses of a text; a name may have pluses of its own.
  private static func parts(of text: String, _ known: [String]) -> [String] {
    var parts: [String] = []
    var rest = text[...]
    while true {
      let name = known.filter { rest == $0 || rest.hasPrefix("\($0)+") }.max { $0.count < $1.count }
      let part = name.map { rest.prefix($0.count) } ?? rest.prefix { $0 != "+" }
      parts.append(String(part))
      rest = rest.dropFirst(part.count)
      if rest.isEmpty { return parts }
      rest = rest.dropFirst()
    }
  }

  /// What is expected instead of known parts that are no pair.
  private static func obstacle(_ parts: [String]) -> String {
    let encoders = parts.filter { name in MethodList.encoders.contains { $0.name == name } }
    if parts.count > 2 { return "at most two parts, an encoder tuning and a head" }
    if encoders.count == 2 {
      return "one encoder tuning, as both parts are (a run on top of another one has both)"
    }
    return "one head, as both parts are"
  }
}
