import Formats

/// The manifest of a trace: its tensors in the order of calculation, and what each is calculated from.
///
/// The values of a step of training come from its gradients, everything of a later step from the values and the state
/// of the step before. Other tensors are traces of their own, which depend on nothing traced.
struct TraceManifest {
  private(set) var manifest = Manifest(tensors: [])
  /// The values and states of a step, by what comes before `step N`, and N.
  private var results: [String: [Int: [String]]] = [:]
  private var gradients: Set<String> = []

  /// Adds a tensor; tensors come in the order of calculation.
  mutating func add(_ name: String) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let index = parts.lastIndex { $0.hasPrefix("step ") && Int($0.dropFirst(5)) != nil }
    var entry = Manifest.Entry(name: name)
    if let index, index + 1 < parts.count, let step = Int(parts[index].dropFirst(5)) {
      let subject = parts[..<index].joined(separator: "/")
      let tensor = parts[(index + 2)...].joined(separator: "/")
      let isResult = parts[index + 1] == "value" || parts[index + 1] == "state"
      let own = "\(subject)/step \(step)/gradient/\(tensor)"
      let before = results[subject]?[step - 1] ?? []
      var from = parts[index + 1] == "value" && gradients.contains(own) ? [own] : []
      from += isResult ? before.filter { $0.hasSuffix("/\(tensor)") } : before
      if !from.isEmpty { entry.from = from }
      if isResult { results[subject, default: [:]][step, default: []].append(name) }
      if parts[index + 1] == "gradient" { gradients.insert(name) }
    }
    manifest.tensors.append(entry)
  }

  /// The manifest as metadata of a file.
  func text() throws -> String { String(decoding: try JSON.encoded(manifest), as: UTF8.self) }
}
