import Tensor

/// A rule that moves parameters along their gradients, with what it remembers of earlier steps.
///
/// The learning rate is given at each step, so that a schedule needs no part in the rule. A step is one pass over memory
/// and copies nothing, unless other tensors share memory with the parameters: drop the tape before it.
public protocol Optimizer: Sendable {
  /// What is optimised, in the order of the tensors handed to `step`.
  var slots: [ParameterSlot] { get }

  /// The number of steps taken: t of the next is `stepCount + 1`.
  var stepCount: Int { get }

  /// What is remembered besides `stepCount`, by names made of those of the parameters.
  var state: [String: Tensor] { get }

  /// Takes up where the optimiser left off whose `state` and `stepCount` these are.
  ///
  /// - Throws: `OptimizerError` unless there is one tensor of the right shape for every name of `state`, and no other.
  mutating func restore(_ state: [String: Tensor], stepCount: Int) throws(OptimizerError)

  /// Moves every parameter by one step.
  ///
  /// - parameters, gradients: one a slot and of its shape, else this traps.
  mutating func step(parameters: inout [Tensor], gradients: [Tensor], learningRate: Double)
}

/// A parameter as an optimiser sees it.
public struct ParameterSlot: Sendable, Hashable {
  /// Its name, unique among those of an optimiser.
  public let name: String
  /// The shape of its value and gradient.
  public let shape: Shape
  /// Whether weight decay applies to it.
  public let isDecayed: Bool

  /// A parameter of a name and a shape.
  public init(_ name: String, _ shape: Shape, isDecayed: Bool = true) {
    (self.name, self.shape, self.isDecayed) = (name, shape, isDecayed)
  }
}

/// A state that does not belong to an optimiser.
public enum OptimizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A tensor is not there.
  case missing(name: String)
  /// A tensor belongs to no parameter.
  case unexpected(name: String)
  /// A tensor has another shape than its parameter.
  case shape(name: String, expected: Shape, found: Shape)
  /// The number of steps is negative.
  case stepCount(found: Int)

  /// What was expected and what was found.
  public var description: String {
    switch self {
    case .missing(let name): "optimizer state: expected a tensor \"\(name)\", found none"
    case .unexpected(let name): "optimizer state: expected no tensor \"\(name)\", found one"
    case .shape(let name, let expected, let found):
      "optimizer state: tensor \"\(name)\": expected shape \(expected), found \(found)"
    case .stepCount(let found): "optimizer state: expected 0 steps or more, found \(found)"
    }
  }
}

/// One remembered tensor a parameter: a moment, a momentum buffer.
struct OptimizerMemory: Sendable {
  /// What it is called in checkpoints, after the name of the parameter.
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

  /// The same memories with the tensors of a state.
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
        "optimizer: \(slot.name): expected shape \(slot.shape), found \(parameters[index].shape), gradient \(gradients[index].shape)"
      )
    }
  }
}

/// Numbers a piece of an update: 128 KiB of `Float` in each of its streams.
let updateGrain = 1 << 15
