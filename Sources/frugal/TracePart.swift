import Methods

/// A tensor of a training, by its name in a trace: `methods/lora/step 2/gradient/vision.blocks.0.attention.query`.
struct TracePart {
  /// What comes before the step: family and method, or nothing for a training of one's own.
  let subject: String
  /// From 1; 0 for initial values.
  let step: Int
  /// `gradient`
  let role: String
  let tensor: String
  /// The method, where the name or the file states it.
  private let method: MethodName?

  /// The parts of a name; `nil` if it is of no training.
  ///
  /// - method: that of a training whose names do not state it.
  init?(_ name: String, of method: MethodName? = nil) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    func number(_ text: Substring) -> Int? { text.hasPrefix("step ") ? Int(text.dropFirst(5)) : nil }
    if let index = parts.lastIndex(where: { number($0) != nil }), index + 1 < parts.count {
      step = number(parts[index]) ?? 0
      subject = parts[..<index].joined(separator: "/")
      (role, tensor) = (String(parts[index + 1]), parts[(index + 2)...].joined(separator: "/"))
    } else if let index = parts.firstIndex(of: "initial"), index + 1 < parts.count {
      (step, subject, role) = (0, parts[..<index].joined(separator: "/"), "initial")
      tensor = parts[(index + 1)...].joined(separator: "/")
    } else if parts[0] == "draw", parts.count > 1 {
      (step, subject, role, tensor) = (0, "", "draw", parts[1...].joined(separator: "/"))
    } else {
      return nil
    }
    self.method = method ?? subject.split(separator: "/").last.flatMap { MethodName(String($0)) }
  }

  /// Whether it is an input, which is not graded.
  var isGiven: Bool { ["initial", "input", "draw"].contains(role) }

  /// The number of its formula, where the method has one.
  var equation: String? {
    guard let method else { return nil }
    let (encoder, head) = (method.encoder.equations, method.head.equations)
    let isOfHead = role == "forward" || DeltaEntry(tensor).isOfHead || tensor == "head"
    let tables = isOfHead ? (role == "forward" ? [head, encoder] : [head]) : [encoder, role == "loss" ? head : [:]]
    return tables.lazy.compactMap { $0["\(role)/\(tensor)"] ?? $0["\(role)/\(kind)"] ?? $0[role] }.first
  }

  /// What the tensor is, whatever its site: `mask`, `entries`, `branch`; of a draw, what it decides on.
  private var kind: String {
    if role == "draw" {
      return tensor.hasPrefix("choice") ? "choice" : String(tensor.split(separator: ".").last ?? "")
    }
    let name = role == "state" ? parameter : tensor
    switch DeltaEntry(name) {
    case .mask: return "mask"
    case .entries, .newEntries, .indices: return "entries"
    case .branch, .shared: return "branch"
    case .factor, .offset: return "scale"
    case .whole: return "whole"
    case .residual, .classifier, .context, .headWeight, .headBias: return "head"
    }
  }

  /// The name of the parameter that a state belongs to.
  private var parameter: String { tensor.split(separator: ".").dropLast().joined(separator: ".") }

  /// The site that it belongs to.
  var site: String? {
    let name = role == "state" ? parameter : tensor.replacing(/^choice\//, with: "")
    guard name.hasPrefix("vision.") else { return nil }
    if role == "draw" {
      for suffix in [".dropout", ".dropPath"] where name.hasSuffix(suffix) {
        return String(name.dropLast(suffix.count))
      }
    }
    switch DeltaEntry(name) {
    case .mask(let site), .entries(let site), .newEntries(let site), .indices(let site), .branch(let site, _),
      .factor(let site), .offset(let site), .whole(let site):
      return site
    case .shared, .residual, .classifier, .context, .headWeight, .headBias: return nil
    }
  }
}
