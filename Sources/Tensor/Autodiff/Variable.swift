/// A tensor in a computation, with its node on a tape if gradients flow through it.
///
/// A constant is on no tape. An operation whose inputs are all constants yields a constant and keeps nothing: a
/// frozen network run on plain images costs a forward pass and no memory beyond it.
public struct Variable {
  /// The tensor itself.
  public let value: Tensor
  let position: Position?

  /// A node of a tape.
  struct Position {
    let tape: Tape
    let node: Int
  }

  /// A constant: no gradient flows into it.
  public init(_ value: Tensor) {
    self.value = value
    position = nil
  }

  init(_ value: Tensor, at position: Position) {
    self.value = value
    self.position = position
  }

  /// True if a gradient can be requested: false for constants and everything computed from constants only.
  public var needsGradient: Bool { position != nil }

  /// Returns whether it is the same node on the same tape or, for constants, the same memory.
  package func isSame(as other: Variable) -> Bool {
    switch (position, other.position) {
    case (let own?, let other?): own.tape === other.tape && own.node == other.node
    case (nil, nil): shape == other.shape && value.sharesMemory(with: other.value)
    default: false
    }
  }

  /// The extents of the tensor.
  public var shape: Shape { value.shape }
}
