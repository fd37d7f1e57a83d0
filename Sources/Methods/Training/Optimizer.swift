import Tensor

/// A rule that updates parameters by their gradients, with its state from earlier steps.
///
/// The learning rate is given at each step, so that the rule knows no schedule. A step is one pass over memory
/// and copies nothing, unless other tensors share memory with the parameters: drop the tape before it.
public protocol Optimizer: Sendable {
  /// The optimised parameters, in the order of the tensors passed to `step`.
  var slots: [ParameterSlot] { get }

  /// The number of steps taken: t of the next is `stepCount + 1`.
  var stepCount: Int { get }

  /// The state besides `stepCount`, by names derived from those of the parameters.
  var state: [String: Tensor] { get }

  /// Continues from the given `state` and `stepCount` of an optimiser.
  ///
  /// - Throws: `OptimizerError` unless there is one tensor of the right shape for every name of `state`, and no other.
  mutating func restore(_ state: [String: Tensor], stepCount: Int) throws(OptimizerError)

  /// Updates every parameter by one step.
  ///
  /// - parameters, gradients: one per slot and of its shape, else this traps.
  mutating func step(parameters: inout [Tensor], gradients: [Tensor], learningRate: Double)
}

/// A parameter as an optimiser sees it.
public struct ParameterSlot: Sendable, Hashable {
  /// Its name, unique among those of an optimiser.
  public let name: String
  /// The shape of its value and gradient.
  public let shape: Shape
  /// True if weight decay applies to it.
  public let isDecayed: Bool
  /// The matrix that it is a part of, with the parameters next to it that have the same; `nil` for one by itself.
  public let group: String?

  /// A parameter of a name and a shape.
  public init(_ name: String, _ shape: Shape, isDecayed: Bool = true, group: String? = nil) {
    (self.name, self.shape, self.isDecayed, self.group) = (name, shape, isDecayed, group)
  }
}

/// A state that does not belong to an optimiser.
public enum OptimizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A tensor is missing.
  case missing(name: String)
  /// A tensor belongs to no parameter.
  case unexpected(name: String)
  /// A tensor has another shape than its parameter.
  case shape(name: String, expected: Shape, found: Shape)
  /// The number of steps is negative.
  case stepCount(found: Int)
  /// Entries of a matrix that are none, or stand in another order.
  case support(name: String)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .missing(let name): "optimizer state: expected a tensor \"\(name)\", found none"
    case .unexpected(let name): "optimizer state: expected no tensor \"\(name)\", found one"
    case .shape(let name, let expected, let found):
      "optimizer state: tensor \"\(name)\": expected shape \(expected), found \(found)"
    case .support(let name): "optimizer state: tensor \"\(name)\": expected ascending entries, found others"
    case .stepCount(let found): "optimizer state: expected 0 steps or more, found \(found)"
    }
  }
}

/// One state tensor per parameter: a moment, a momentum buffer.
struct OptimizerMemory: Sendable {
  /// Its suffix in checkpoints, after the name of the parameter.
  let suffix: String
  var tensors: [Tensor]

  /// Zeros for every parameter.
  init(_ suffix: String, _ slots: [ParameterSlot]) {
    self.suffix = suffix
    tensors = slots.map { .zeros($0.shape) }
  }

  func state(_ slots: [ParameterSlot]) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: zip(slots, tensors).map { ("\($0.name).\(suffix)", $1) })
  }
}

extension [OptimizerMemory] {
  func state(_ slots: [ParameterSlot]) -> [String: Tensor] {
    reduce(into: [:]) { $0.merge($1.state(slots)) { _, new in new } }
  }

  /// The same buffers with the tensors of a state.
  func restored(
    _ state: [String: Tensor], _ slots: [ParameterSlot], stepCount: Int
  ) throws(OptimizerError) -> [OptimizerMemory] {
    guard stepCount >= 0 else { throw .stepCount(found: stepCount) }
    let own = self.state(slots)
    for name in own.keys.sorted() {
      guard let tensor = state[name] else { throw .missing(name: name) }
      let expected = own[name]?.shape ?? []
      guard tensor.shape == expected else { throw .shape(name: name, expected: expected, found: tensor.shape) }
    }
    if let stranger = state.keys.filter({ own[$0] == nil }).min() { throw .unexpected(name: stranger) }
    return map { memory in
      var memory = memory
      memory.tensors = slots.compactMap { state["\($0.name).\(memory.suffix)"] }
      return memory
    }
  }
}

extension Optimizer {
  /// Traps unless the tensors of a step fit the slots.
  func check(_ parameters: [Tensor], _ gradients: [Tensor]) {
    require(
      parameters.count == slots.count && gradients.count == slots.count,
      "optimizer: expected \(slots.count) parameters and gradients, found \(parameters.count) and \(gradients.count)")
    for (index, slot) in slots.enumerated() {
      require(
        parameters[index].shape == slot.shape && gradients[index].shape == slot.shape,
        "optimizer: \(slot.name): expected shape \(slot.shape), found \(parameters[index].shape), "
          + "gradient \(gradients[index].shape)"
      )
    }
  }
}

/// Elements per piece of an update: 128 KiB of `Float` in each of its streams.
let updateGrain = 1 << 15
