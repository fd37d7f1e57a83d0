/// The record of a computation, read backwards for gradients (reverse-mode differentiation).
///
/// Each node stands for one operation and holds a closure that turns the gradient of its output, ∂y, into the
/// gradients of its inputs. The closure captures what it will read and nothing else, so what is kept for the backward
/// pass is visible in the operation's own file.
public final class Tape {
  /// The gradient of one output → the gradients of the inputs; `nil` where an input needs none.
  typealias Backward = (Tensor) -> [Tensor?]

  private struct Node {
    let operation: Operation?
    let inputs: [Int?]
    let shape: Shape
    let backward: Backward?
  }

  private var nodes: [Node] = []

  /// An empty tape.
  public init() {}

  /// A variable to which gradients are wanted: a parameter, or an input under test.
  public func leaf(_ value: Tensor) -> Variable {
    append(Node(operation: nil, inputs: [], shape: value.shape, backward: nil), value)
  }

  /// The operations on the tape, each once.
  public var operations: Set<Operation> { Set(nodes.compactMap(\.operation)) }

  private func append(_ node: Node, _ value: Tensor) -> Variable {
    nodes.append(node)
    return Variable(value, at: .init(tape: self, node: nodes.count - 1))
  }

  /// Puts an operation on the tape its inputs stand on; a constant where they stand on none.
  ///
  /// Traps when the inputs stand on two tapes.
  static func record(
    _ operation: Operation, _ value: Tensor, from inputs: [Variable], backward: @escaping Backward
  ) -> Variable {
    guard let tape = inputs.lazy.compactMap({ $0.place?.tape }).first else { return Variable(value) }
    let nodes = inputs.map { input in
      input.place.map { place in
        precondition(place.tape === tape, "\(operation.rawValue): expected inputs of one tape, found two")
        return place.node
      }
    }
    return tape.append(Node(operation: operation, inputs: nodes, shape: value.shape, backward: backward), value)
  }

  /// The gradients of a scalar with respect to leaves: `result[i]` has the shape of `leaves[i]`, zeros where the
  /// scalar does not depend on it.
  ///
  /// Traps when `loss` is not a scalar.
  public func gradients(of loss: Variable, for leaves: [Variable]) -> [Tensor] {
    gradients(of: [loss], for: leaves)[0]
  }

  /// One list of gradients per loss: the tape may be read as often as there are losses.
  ///
  /// Traps when a loss is not a scalar, or a leaf is a constant or of another tape.
  public func gradients(of losses: [Variable], for leaves: [Variable]) -> [[Tensor]] {
    let wanted = leaves.map { leaf in
      guard let place = leaf.place, place.tape === self else {
        preconditionFailure("Tape.gradients: expected leaves of this tape, found a constant or another tape's")
      }
      return place.node
    }
    return losses.map { loss in
      precondition(loss.value.count == 1, "Tape.gradients: expected a scalar loss, found shape \(loss.shape)")
      // A loss that depends on no leaf is a constant, and its gradients are zero.
      var gradients: [Int: Tensor] = [:]
      if let place = loss.place {
        precondition(place.tape === self, "Tape.gradients: expected a loss of this tape, found another tape's")
        gradients = backward(from: place.node, keeping: Set(wanted))
      }
      return zip(leaves, wanted).map { leaf, node in gradients[node] ?? .zeros(leaf.shape) }
    }
  }

  private func backward(from last: Int, keeping leaves: Set<Int>) -> [Int: Tensor] {
    var pending: [Tensor?] = Array(repeating: nil, count: last + 1)
    var kept: [Int: Tensor] = [:]
    pending[last] = Tensor(nodes[last].shape, repeating: 1)
    for index in stride(from: last, through: 0, by: -1) {
      guard let gradient = pending[index] else { continue }
      pending[index] = nil
      if leaves.contains(index) { kept[index] = gradient }
      let node = nodes[index]
      guard let backward = node.backward else { continue }
      for (input, share) in zip(node.inputs, backward(gradient)) {
        guard let input, let share else { continue }
        precondition(
          share.shape == nodes[input].shape,
          "\(node.operation?.rawValue ?? "leaf"): expected a gradient of shape \(nodes[input].shape), found \(share.shape)"
        )
        pending[input] = pending[input].map { $0.adding(share) } ?? share
      }
    }
    return kept
  }
}
