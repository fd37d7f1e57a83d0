import Formats
import Foundation
import Methods
import Tensor

/// The tensors of a trace as they come: written if they are asked for, and with draws of a file in place of their own.
final class TraceRecorder {
  private(set) var writer = SafeTensorsWriter()
  private(set) var shapes: [(name: String, shape: Shape)] = []
  /// All names in the order of calculation, and whether each is written.
  private var names: [(name: String, isWritten: Bool)] = []
  private let patterns: [NamePattern]
  private let draws: SafeTensorsFile?
  private var problem: FileError?
  /// What was shown, where it is written only after `Reference` has calculated it again.
  private var kept: [(name: String, value: Tensor)] = []
  private let isKept: Bool

  /// - patterns: of the names that are written, all without; draws: the file that random draws are read from;
  ///   keepsAll: whether tensors wait for `replacing` instead of being written as they come.
  init(only patterns: [String], draws: SafeTensorsFile?, keepsAll: Bool = false) {
    (self.patterns, self.draws) = (patterns.map { NamePattern($0) }, draws)
    isKept = keepsAll
  }

  /// The observer of a training.
  var observer: StepObserver {
    StepObserver(show: { [self] in record($0, $1) }, draw: { [self] in drawn($0, $1) })
  }

  /// The draw that is used: that of the file, if there is one, else its own.
  func drawn(_ name: String, _ own: Tensor) -> Tensor {
    let value = draws.map { given(name, own, $0) } ?? own
    record(name, value)
    return value
  }

  /// The manifest of what was shown.
  ///
  /// - method: that of the training.
  func manifest(of method: MethodName) -> TraceManifest {
    var manifest = TraceManifest(of: method)
    for (name, isWritten) in names { manifest.add(name, isWritten: isWritten) }
    return manifest
  }

  /// Writes what was kept, in double precision: what a step calculates as `numbers` has it, what is given as it is.
  ///
  /// - numbers: called for each step with all that was shown of it; step 0 is what is given before the first.
  func replacing(_ numbers: (_ step: Int, _ shown: [String: Tensor]) -> [String: [Double]]) {
    func step(_ name: String) -> (number: Int, rest: String) {
      guard name.hasPrefix("step "), let slash = name.firstIndex(of: "/"),
        let number = Int(name[..<slash].dropFirst("step ".count))
      else { return (0, name) }
      return (number, String(name[name.index(after: slash)...]))
    }
    var steps: [Int: [String: Tensor]] = [:]
    for (name, value) in kept { steps[step(name).number, default: [:]][step(name).rest] = value }
    let found = steps.keys.sorted().map { (number: $0, numbers: numbers($0, steps[$0] ?? [:])) }
    let calculated = Dictionary(uniqueKeysWithValues: found.map { ($0.number, $0.numbers) })
    for (name, value) in kept where isWritten(name) {
      let (number, rest) = step(name)
      let isGiven = TracePart(name)?.isGiven ?? true
      guard let own = isGiven ? value.values.map({ Double($0) }) : calculated[number]?[rest] else {
        trap("TraceRecorder: \(name): expected numbers in double precision, found none")
      }
      shapes.append((name, value.shape))
      writer.add(name, doubles: own, shape: value.shape)
    }
  }

  /// Throws what was wrong with a draw.
  func check() throws { if let problem { throw problem } }

  /// Throws where a pattern selected nothing.
  func checkPatterns() throws(UsageError) {
    guard let idle = patterns.first(where: { pattern in !shapes.contains { pattern.matches($0.name) } }) else { return }
    throw UsageError("--only", expected: "a pattern of names that are traced (--list)", found: "\"\(idle.text)\"")
  }

  private func record(_ name: String, _ value: Tensor) {
    let isWritten = isWritten(name)
    names.append((name, isWritten))
    guard !isKept else { return kept.append((name, value)) }
    guard isWritten else { return }
    shapes.append((name, value.shape))
    writer.add(name, value)
  }

  private func isWritten(_ name: String) -> Bool {
    patterns.isEmpty || patterns.contains { $0.matches(name) }
  }

  /// A draw of the file; its own, and a problem, where the file has none that fits.
  private func given(_ name: String, _ own: Tensor, _ file: SafeTensorsFile) -> Tensor {
    func refuse(_ expected: String, _ found: String) -> Tensor {
      problem = problem ?? FileError(file: file.file, expected: "\"\(name)\": \(expected)", found: found)
      return own
    }
    guard file.contains(name) else {
      let only = file.metadata[TraceCommand.onlyKey].map { ", as the file was written with --only \($0)" } ?? ""
      return refuse("a draw of shape \(own.shape)", "none\(only)")
    }
    let value: Tensor
    do throws(WeightFileError) { value = try file.tensor(name) } catch {
      return refuse("a readable tensor", "\(error)")
    }
    guard value.shape == own.shape else { return refuse("shape \(own.shape)", "\(value.shape)") }
    let isUniform = name.contains("/draw/") && !name.hasSuffix("/draw/order")
    let odd = value.values.first { isUniform ? !(0..<1).contains($0) : !$0.isFinite }
    return odd.map { refuse(isUniform ? "numbers from 0 to below 1" : "finite numbers", "\($0)") } ?? value
  }
}

/// A pattern of names, in which `*` stands for any text: `step 1/gradient/*`, `*query*`.
struct NamePattern {
  let text: String
  private let pieces: [Substring]

  init(_ text: String) {
    self.text = text
    pieces = text.split(separator: "*", omittingEmptySubsequences: false)
  }

  /// Returns whether the whole name has the form of the pattern.
  func matches(_ name: String) -> Bool {
    guard pieces.count > 1, let first = pieces.first, let last = pieces.last else { return name == text }
    guard name.hasPrefix(first), name.hasSuffix(last), name.count >= first.count + last.count else { return false }
    var rest = name.dropFirst(first.count).dropLast(last.count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let range = rest.range(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}
