import Tensor

/// A piece of work with named tensors as its result: the same ones, with the same bits, on every run.
package struct Trace: Sendable, CustomStringConvertible {
  /// The name of the trace: `subject`, or `subject/variant`.
  package let name: String
  private let run: @Sendable () -> [(name: String, value: Tensor)]

  /// A piece of work and its tensors, in the order of calculation.
  package init(_ name: String, _ run: @escaping @Sendable () -> [(name: String, value: Tensor)]) {
    (self.name, self.run) = (name, run)
  }

  /// The name.
  package var description: String { name }

  /// Runs it: tensors whose names begin with that of the trace, each name once.
  package func tensors() -> [(name: String, value: Tensor)] {
    run().map { (name: "\(name)/\($0.name)", value: $0.value) }
  }
}

extension GradientCheck {
  /// `NAME/output`, and `NAME/gradient/INPUT` for every input.
  package var trace: Trace {
    Trace(name) {
      let (output, gradients) = outputAndGradients()
      return [("output", output)] + zip(inputs, gradients).map { ("gradient/\($0.name)", $1) }
    }
  }
}
