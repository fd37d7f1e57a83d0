import Formats
import Methods

/// The manifest of a trace: its tensors in the order of calculation, and what each is calculated from.
///
/// Within a step the roles of `StepObserver` say it: gradients come from losses, values from gradients, everything of a
/// step from the values and states of the step before. Other tensors are traces of their own, which depend on nothing
/// traced. What a tensor that is not written depends on takes its place.
struct TraceManifest {
  private(set) var manifest = Manifest(tensors: [])
  /// By what comes before `step N`.
  private var subjects: [String: Subject] = [:]
  /// What stands for the tensors that are not written.
  private var replaced: [String: [String]] = [:]
  private let method: MethodName?

  /// - method: that of a training whose names do not state it.
  init(of method: MethodName? = nil) { self.method = method }

  /// The tensors of one training: names by role, then by tensor.
  private struct Subject {
    var step = 0
    var results: [(role: String, tensor: String, name: String)] = []
    var before: [(role: String, tensor: String, name: String)] = []
    var own: [(role: String, tensor: String, name: String)] = []
    /// Draws that the next tensor of the forward pass uses.
    var draws: [String] = []

    func names(_ role: String, _ tensor: String? = nil) -> [String] {
      own.filter { $0.role == role && (tensor == nil || $0.tensor == tensor) }.map(\.name)
    }

    /// The value of a tensor before the step, and its states.
    func before(_ tensor: String) -> [String] {
      before.filter { $0.tensor == tensor || ($0.role == "state" && $0.tensor.hasPrefix("\(tensor).")) }.map(\.name)
    }
  }

  /// Adds a tensor; tensors come in the order of calculation.
  mutating func add(_ name: String, isWritten: Bool = true) {
    var entry = Manifest.Entry(name: name)
    if let part = TracePart(name, of: method) {
      let from = parents(of: name, part)
      let known = from.flatMap { replaced[$0] ?? [$0] }.unique
      if !isWritten { replaced[name] = known }
      if !known.isEmpty { entry.from = known }
      (entry.equation, entry.site) = (part.equation, part.site)
      entry.isGiven = part.isGiven ? true : nil
    }
    if isWritten { manifest.tensors.append(entry) }
  }

  private mutating func parents(of name: String, _ part: TracePart) -> [String] {
    var subject = subjects[part.subject] ?? Subject()
    defer { subjects[part.subject] = subject }
    if part.step != subject.step {
      (subject.before, subject.results, subject.own) = (subject.results, [], [])
      (subject.step, subject.draws) = (part.step, [])
    }
    let member = (role: part.role, tensor: part.tensor, name: name)
    let from = Self.parents(of: part, in: subject)
    switch part.role {
    case "draw": subject.draws.append(name)
    case "input", "forward": subject.draws = []
    default: break
    }
    if ["initial", "value", "state"].contains(part.role) { subject.results.append(member) }
    subject.own.append(member)
    return from
  }

  private static func parents(of part: TracePart, in subject: Subject) -> [String] {
    let tensor = part.tensor
    let values = subject.before.filter { $0.role != "state" }.map(\.name)
    let output = Array(subject.names("forward").suffix(1))
    switch part.role {
    case "input": return subject.draws
    case "mask": return subject.before.filter { $0.tensor.hasPrefix("\(tensor).") && $0.role != "state" }.map(\.name)
    case "forward":
      return (output.isEmpty ? subject.names("input") + subject.names("mask") + values : output) + subject.draws
    case "teacher": return subject.names("input")
    case "loss": return output + subject.names("teacher") + values
    case "keep": return subject.names("gradient 1", tensor) + subject.names("gradient 2", tensor)
    case "gradient":
      let own = ["gradient 1", "keep", "draw"].flatMap { subject.names($0, tensor) }
      return own.isEmpty ? subject.names("loss") : own
    case "value": return subject.names("gradient", tensor) + subject.names("rate") + subject.before(tensor)
    case "state":
      let parameter = tensor.split(separator: ".").dropLast().joined(separator: ".")
      return subject.names("gradient", parameter) + subject.before.filter { $0.tensor == tensor }.map(\.name)
    default: return part.role.hasPrefix("gradient ") ? subject.names("loss") : []
    }
  }

  /// The manifest as metadata of a file.
  func text() throws -> String { String(decoding: try JSON.encoded(manifest), as: UTF8.self) }
}
