import Formats
import Foundation
import Methods
import Tensor

/// The tensors of a trace as they come: written if they are asked for, and with draws of a file in place of their own.
final class TraceRecorder {
  private(set) var writer = SafeTensorsWriter()
  private(set) var manifest: TraceManifest
  private(set) var shapes: [(name: String, shape: Shape)] = []
  private let patterns: [NamePattern]
  private let draws: SafeTensorsFile?
  private var problem: FileError?

  /// - patterns: of the names that are written, all without; draws: the file that random draws are read from.
  init(only patterns: [String], draws: SafeTensorsFile?, method: MethodName) {
    (self.patterns, self.draws) = (patterns.map { NamePattern($0) }, draws)
    manifest = TraceManifest(of: method)
  }

  /// The observer of a training.
  var observer: StepObserver {
    StepObserver(
      show: { [self] in record($0, $1) },
      draw: { [self] name, own in
        let value = draws.map { given(name, own, $0) } ?? own
        record(name, value)
        return value
      })
  }

  /// Throws what was wrong with a draw.
  func check() throws { if let problem { throw problem } }

  /// Throws where a pattern selected nothing.
  func checkPatterns() throws(UsageError) {
    guard let idle = patterns.first(where: { pattern in !shapes.contains { pattern.matches($0.name) } }) else { return }
    throw UsageError("--only", expected: "a pattern of names that are traced (--list)", found: "\"\(idle.text)\"")
  }

  private func record(_ name: String, _ value: Tensor) {
    let isWritten = patterns.isEmpty || patterns.contains { $0.matches(name) }
    manifest.add(name, isWritten: isWritten)
    guard isWritten else { return }
    shapes.append((name, value.shape))
    writer.add(name, value)
  }

  /// A draw of the file; its own, and a problem, where the file has none that fits.
  private func given(_ name: String, _ own: Tensor, _ file: SafeTensorsFile) -> Tensor {
    func refuse(_ expected: String, _ found: String) -> Tensor {
      problem = problem ?? FileError(file: file.file, expected: "\"\(name)\": \(expected)", found: found)
      return own
    }
    guard file.contains(name) else { return refuse("a draw of shape \(own.shape)", "none") }
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
