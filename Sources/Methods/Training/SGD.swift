import Tensor

/// Stochastic gradient descent with momentum μ, weight decay w and the look-ahead of Nesterov (Sutskever et al. 2013,
/// in the form of PyTorch).
///
/// With gradient g and learning rate η:
///
///     g ← g + w θ
///     b ← g at the first step, then μ b + g
///     θ ← θ − η u,   u = g without momentum, b with it, g + μ b with Nesterov
public struct SGD: Optimizer {
  /// The optimised parameters.
  public let slots: [ParameterSlot]
  /// μ.
  public let momentum: Double
  /// w.
  public let weightDecay: Double
  /// True for Nesterov momentum.
  public let isNesterov: Bool
  /// The number of steps taken.
  public private(set) var stepCount = 0
  /// b; none without momentum.
  private var buffers: [OptimizerMemory]

  /// An optimiser that has taken no step; traps on factors outside of their ranges, and on Nesterov without momentum.
  public init(
    _ slots: [ParameterSlot], momentum: Double = 0.9, weightDecay: Double = 0, isNesterov: Bool = false
  ) {
    require(
      momentum >= 0 && weightDecay >= 0 && (!isNesterov || momentum > 0),
      "SGD: expected momentum and decay of 0 or more, and Nesterov with momentum only, found \(momentum), "
        + "\(weightDecay)"
    )
    self.slots = slots
    (self.momentum, self.weightDecay) = (momentum, weightDecay)
    self.isNesterov = isNesterov
    buffers = momentum > 0 ? [OptimizerMemory("momentum", slots)] : []
  }

  /// b of every parameter, `NAME.momentum`; nothing without momentum.
  public var state: [String: Tensor] { buffers.state(slots) }

  /// Continues from the state of another optimiser.
  ///
  /// - Throws: `OptimizerError` for a state that is not of these parameters.
  public mutating func restore(_ state: [String: Tensor], stepCount: Int) throws(OptimizerError) {
    buffers = try buffers.restored(state, slots, stepCount: stepCount)
    self.stepCount = stepCount
  }

  /// One step for all parameters, with the formula above.
  public mutating func step(parameters: inout [Tensor], gradients: [Tensor], learningRate: Double) {
    check(parameters, gradients)
    let isFirst = stepCount == 0
    stepCount += 1
    let rate = Real(learningRate)
    // At the first step b = 0 · b + g.
    let keep: Real = isFirst ? 0 : Real(momentum)
    // u = ownShare · g + bufferShare · b
    let ownShare: Real = isNesterov ? 1 : 0
    let bufferShare: Real = isNesterov ? Real(momentum) : 1
    for (index, slot) in slots.enumerated() {
      let decay: Real = slot.isDecayed ? Real(weightDecay) : 0
      let count = slot.shape.count
      parameters[index].write { theta in
        Tensor.read(gradients[index]) { g in
          guard !buffers.isEmpty else {
            return Parallel.forEachRange(count, grain: updateGrain) { range in
              for index in range { theta[index] -= rate * (g[index] + decay * theta[index]) }
            }
          }
          buffers[0].tensors[index].write { b in
            Parallel.forEachRange(count, grain: updateGrain) { range in
              for index in range {
                let gradient = g[index] + decay * theta[index]
                b[index] = keep * b[index] + gradient
                theta[index] -= rate * (ownShare * gradient + bufferShare * b[index])
              }
            }
          }
        }
      }
    }
  }
}
