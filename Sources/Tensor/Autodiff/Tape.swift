/// The record of a computation, read backwards for gradients (reverse-mode differentiation).
///
/// Each node is one operation and holds a closure that turns the gradient of its output, ∂y, into the
/// gradients of its inputs. The closure captures only what it will read, so what is kept for the backward
/// pass is visible in the operation's own file.
///
/// Several losses are read in one walk, node by node: what an operation computes again or packs for its backward pass
/// is done once for all of them.
public final class Tape {
  /// The gradient of one output → the gradients of the inputs; `nil` if an input needs none.
  typealias Backward = (Tensor) -> [Tensor?]
  /// The same for the gradients that several losses have of one output.
  typealias SharedBackward = ([Tensor]) -> [[Tensor?]]

  private struct Node {
    let operation: Operation?
    let inputs: [Int?]
    let shape: Shape
    var backward: SharedBackward?
  }

  private var nodes: [Node] = []

  /// An empty tape.
  public init() {}

  /// A variable whose gradient is wanted: a parameter, or an input under test.
  public func leaf(_ value: Tensor) -> Variable {
    append(Node(operation: nil, inputs: [], shape: value.shape, backward: nil), value)
  }

  /// The operations on the tape, each once.
  package var operations: Set<Operation> { Set(nodes.compactMap(\.operation)) }

  private func append(_ node: Node, _ value: Tensor) -> Variable {
    nodes.append(node)
    return Variable(value, at: .init(tape: self, node: nodes.count - 1))
  }

  /// Records an operation on the tape of its inputs; returns a constant if they are on none.
  ///
  /// Traps if the inputs are on two tapes.
  static func record(
    _ operation: Operation, _ value: Tensor, from inputs: [Variable], backward: @escaping Backward
  ) -> Variable {
    record(operation, value, from: inputs, sharedBackward: { $0.map(backward) })
  }

  /// The same for an operation that has work to share between the gradients of several losses.
  static func record(
    _ operation: Operation, _ value: Tensor, from inputs: [Variable], sharedBackward: @escaping SharedBackward
  ) -> Variable {
    guard let tape = inputs.lazy.compactMap({ $0.position?.tape }).first else { return Variable(value) }
    let nodes = inputs.map { input in
      input.position.map { position in
        require(position.tape === tape, "\(operation.rawValue): expected inputs of one tape, found two")
        return position.node
      }
    }
    return tape.append(Node(operation: operation, inputs: nodes, shape: value.shape, backward: sharedBackward), value)
  }

  /// The gradients of a scalar with respect to leaves: `result[i]` has the shape of `leaves[i]`, zeros where the
  /// scalar does not depend on it.
  ///
  /// Traps when `loss` is not a scalar.
  public func gradients(of loss: Variable, for leaves: [Variable]) -> [Tensor] {
    gradients(of: [loss], for: leaves)[0]
  }

  /// One list of gradients per loss.
  ///
  /// - releasing: releases what the operations kept as soon as it has been read, so that memory shrinks as the
  ///   gradients grow; the tape cannot be read again.
  ///
  /// Traps when a loss is not a scalar, or a leaf is a constant or of another tape.
  public func gradients(
    of losses: [Variable], for leaves: [Variable], releasing: Bool = false
  ) -> [[Tensor]] {
    for loss in losses {
      require(loss.value.count == 1, "Tape.gradients: expected a scalar loss, found shape \(loss.shape)")
    }
    return gradients(
      of: losses.map { ($0, Tensor($0.shape, repeating: 1)) }, for: leaves, releasing: releasing)
  }

  /// Passes on the gradient of a scalar with respect to each leaf as soon as it is known, and keeps none: the last
  /// layer's come first, and memory never holds them all. Leaves that the scalar does not depend on are skipped.
  ///
  /// The tape is released and cannot be read again. Traps as `gradients(of:for:)` does.
  ///
  /// - body: called with the index of a leaf and its gradient.
  public func forEachGradient(
    of loss: Variable, for leaves: [Variable], _ body: (_ leaf: Int, _ gradient: Tensor) -> Void
  ) {
    require(loss.value.count == 1, "Tape.gradients: expected a scalar loss, found shape \(loss.shape)")
    let leafIndices = Dictionary(uniqueKeysWithValues: zip(nodeIndices(of: leaves), leaves.indices))
    let start = [(loss, Tensor(loss.shape, repeating: 1))]
    backward(from: start, for: Set(leafIndices.keys), releasing: true) { node, gradients in
      if let leaf = leafIndices[node], let gradient = gradients[0] { body(leaf, gradient) }
    }
  }

  /// Vector–Jacobian products: for each output y and its cotangent r of the same shape, the gradients of ⟨r, y⟩.
  ///
  /// Traps when a cotangent has another shape than its output, or a leaf is a constant or of another tape.
  public func gradients(
    of outputs: [(output: Variable, cotangent: Tensor)], for leaves: [Variable], releasing: Bool = false
  ) -> [[Tensor]] {
    let wanted = nodeIndices(of: leaves)
    var gradients: [Int: [Tensor?]] = [:]
    backward(from: outputs, for: Set(wanted), releasing: releasing) { gradients[$0] = $1 }
    // An output that depends on no leaf is a constant, and its gradients are zero.
    return outputs.indices.map { output in
      zip(leaves, wanted).map { leaf, node in gradients[node]?[output] ?? .zeros(leaf.shape) }
    }
  }

  private func nodeIndices(of leaves: [Variable]) -> [Int] {
    leaves.map { leaf in
      guard let position = leaf.position, position.tape === self else {
        trap("Tape.gradients: expected leaves of this tape, found a constant or another tape's")
      }
      return position.node
    }
  }

  /// Calls `finish` with each node of `wanted` and its gradients by output, as soon as they are complete.
  private func backward(
    from outputs: [(output: Variable, cotangent: Tensor)], for wanted: Set<Int>, releasing: Bool,
    _ finish: (_ node: Int, _ gradients: [Tensor?]) -> Void
  ) {
    var pending: [Int: [Tensor?]] = [:]
    for (index, (output, cotangent)) in outputs.enumerated() {
      require(
        output.shape == cotangent.shape,
        "Tape.gradients: expected a cotangent of shape \(output.shape), found \(cotangent.shape)")
      guard let position = output.position else { continue }
      require(position.tape === self, "Tape.gradients: expected a loss of this tape, found another tape's")
      pending.add(cotangent, to: position.node, of: index, outputs.count)
    }
    let lastReaders = lastReaders(of: wanted)
    for index in nodes.indices.reversed() {
      let node = nodes[index]
      defer { if releasing && node.operation != nil { nodes[index].backward = nil } }
      if let gradients = pending.removeValue(forKey: index) {
        if wanted.contains(index) { finish(index, gradients) }
        if let operation = node.operation { pass(gradients, through: node, operation, outputs.count, &pending) }
      }
      for leaf in lastReaders[index] ?? [] {
        if let gradients = pending.removeValue(forKey: leaf) { finish(leaf, gradients) }
      }
    }
  }

  /// Leaves by the node that reads them last in a backward walk: their gradients are complete after it,
  /// long before the walk reaches the leaves, which are all at the beginning.
  private func lastReaders(of leaves: Set<Int>) -> [Int: [Int]] {
    var (found, result): (Set<Int>, [Int: [Int]]) = ([], [:])
    for index in nodes.indices {
      for case let input? in nodes[index].inputs
      where nodes[input].operation == nil && leaves.contains(input) && found.insert(input).inserted {
        result[index, default: []].append(input)
      }
    }
    return result
  }

  /// Turns the gradients of a node into shares of those of its inputs.
  private func pass(
    _ gradients: [Tensor?], through node: Node, _ operation: Operation, _ outputs: Int,
    _ pending: inout [Int: [Tensor?]]
  ) {
    guard let backward = node.backward else {
      trap("Tape.gradients: expected a tape that was not released, found \(operation.rawValue) read again")
    }
    let present = gradients.indices.filter { gradients[$0] != nil }
    for (output, shares) in zip(present, backward(gradients.compactMap(\.self))) {
      for (input, share) in zip(node.inputs, shares) {
        guard let input, let share else { continue }
        require(
          share.shape == nodes[input].shape,
          "\(operation.rawValue): expected a gradient of shape \(nodes[input].shape), found \(share.shape)")
        pending.add(share, to: input, of: output, outputs)
      }
    }
  }
}

extension [Int: [Tensor?]] {
  /// Adds a share to the gradient that one of several outputs has of a node.
  fileprivate mutating func add(_ share: Tensor, to node: Int, of output: Int, _ outputs: Int) {
    let sum = self[node]?[output].map { $0.adding(share) } ?? share
    self[node, default: Array(repeating: nil, count: outputs)][output] = sum
  }
}
