/// A piece of work that leaves named tensors: the same ones, with the same bits, whenever and wherever it is run.
public struct Trace: Sendable, CustomStringConvertible {
  /// What is run: `subject`, or `subject/variant`.
  public let name: String
  private let run: @Sendable () -> [(name: String, value: Tensor)]

  /// A piece of work and what it leaves, in the order in which it is calculated.
  public init(_ name: String, _ run: @escaping @Sendable () -> [(name: String, value: Tensor)]) {
    (self.name, self.run) = (name, run)
  }

  /// The name.
  public var description: String { name }

  /// Runs it: tensors whose names begin with that of the trace, each name once.
  public func tensors() -> [(name: String, value: Tensor)] {
    run().map { (name: "\(name)/\($0.name)", value: $0.value) }
  }
}

extension GradientCheck {
  /// `NAME/output`, and `NAME/gradient/INPUT` for every input.
  public var trace: Trace {
    Trace(name) {
      let (output, gradients) = outputAndGradients()
      return [("output", output)] + zip(inputs, gradients).map { ("gradient/\($0.name)", $1) }
    }
  }
}
