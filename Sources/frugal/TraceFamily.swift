import Checks
import Methods
import Models
import Tensor

/// A trace and its family: the first part of the name `operations/gelu/[3, 7]`.
struct TraceMember: Selectable {
  let family: String
  let trace: Trace

  var path: String { trace.name }

  /// Everything that can be traced, parts before wholes.
  ///
  /// - seed: of the random rules; steps: of every method.
  static func all(seed: UInt64, steps: Int = MethodTraces.stepCount) -> [TraceMember] {
    families(seed: seed, steps: steps).flatMap { family in
      family.traces.map { TraceMember(family: family.name, trace: $0) }
    }
  }

  private static func families(seed: UInt64, steps: Int) -> [(name: String, traces: [Trace])] {
    [
      ("operations", (OperationChecks.all + LargeOperationChecks.all).map(\.trace)),
      ("rules", MethodChecks.rules(seed: seed)),
      ("optimizers", MethodTraces.optimizers),
      ("layers", LayerChecks.all.map(\.trace)),
      ("methods", MethodTraces.methods(seed: seed, steps: steps)),
    ]
  }
}

/// A position in the order of calculation of a trace, from the name of a tensor: families as above, forward before
/// backward. A safetensors file keeps its tensors by name only.
struct TracePosition: Comparable {
  private let parts: [(rank: Int, text: Substring)]

  init(_ name: String) {
    let order = [
      "initial", "input", "draw", "mask", "forward", "teacher", "output", "loss", "gradient 1", "gradient 2", "keep",
      "gradient", "rate", "value", "state",
    ]
    let families = ["operations", "rules", "optimizers", "layers", "methods"]
    parts = name.split(separator: "/", omittingEmptySubsequences: false).map { part in
      let text = String(part)
      if let rank = families.firstIndex(of: text) ?? order.firstIndex(of: text) { return (rank, part) }
      // Step 10 comes after step 2.
      if part.hasPrefix("step "), let step = Int(part.dropFirst(5)), step < 1 << 40 { return (order.count + step, "") }
      return (.max, part)
    }
  }

  static func == (a: TracePosition, b: TracePosition) -> Bool {
    a.parts.count == b.parts.count && zip(a.parts, b.parts).allSatisfy { $0 == $1 }
  }

  static func < (a: TracePosition, b: TracePosition) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) { $0 < $1 } }
}
