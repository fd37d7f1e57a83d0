import Tensor

/// The form of a site's tensor, given the frozen one.
public enum Tuning {
  /// A replacement tensor: one that is trained in full, or a frozen one that was tuned before.
  case replaced(Variable)
  /// W ⊙ 1[M > α], with the real mask M learned by the straight-through estimator.
  case masked(by: ThresholdedMask)
  /// W + scatter(d): a few entries are shifted.
  case shifted(by: Variable, at: SparseIndices)
  /// W with a parallel or sequential branch; for the weight of a linear map only.
  case branched(Branch)
  /// The output of a map or norm with a factor for every channel, γ; of a vector γ ⊙ b + β, as its bias or shift then
  /// is.
  case scaled(by: Variable, adding: Variable?)
  /// Tokens that join the sequence before a block: [count, width]; for the sites of `ImageTower.promptSites` only. In
  /// training each of their elements is dropped with a probability, for every image by itself.
  case prompted(by: Variable, dropout: Double)
  /// A bottleneck parallel to an MLP; for the sites of `ImageTower.parallelSites` only.
  case parallel(ParallelBottleneck)
  /// A linear bottleneck between a norm and the maps that read it; for the sites of `ImageTower.inputSites` only.
  case adapted(InputAdapter)
  /// A bottleneck with a convolution parallel to an attention or MLP; for the sites of `ImageTower.bypassSites` only.
  case bypassed(ConvolutionalBypass)
  /// W with a low-rank update whose outer factors it shares with other maps; for the weight of a linear map only.
  case factored(FactoredUpdate)
}

/// The random draws of a training pass, by seed and step; evaluation has none.
public struct TrainingDraws: Sendable, Hashable {
  /// The seed of the run.
  public let seed: UInt64
  /// The training step.
  public let step: Int
  /// p, the probability that a sample skips a residual branch of the last block.
  public let stochasticDepth: Real

  /// The draws of a step; traps unless p is in 0 ... 1.
  public init(seed: UInt64, step: Int, stochasticDepth: Real = 0) {
    require(
      0...1 ~= stochasticDepth, "TrainingDraws: expected a probability from 0 to 1, found \(stochasticDepth)")
    (self.seed, self.step, self.stochasticDepth) = (seed, step, stochasticDepth)
  }
}

/// One run of a network: the tunings of its sites, its random draws, and its observer.
///
/// The network is the same for the plain and the tuned run, the teacher and the student; what differs is the pass.
public struct Pass {
  let tunings: [Site: Tuning]
  let draws: TrainingDraws?
  /// What earlier trainings made of the network; `nil` for nothing.
  private(set) var prior: PriorTunings?
  let samples = DropoutSamples()
  private let observer: ((_ name: String, _ value: Tensor) -> Void)?
  /// Sees the random numbers of a site and returns those to use.
  let replacing: ((_ name: String, _ uniform: Tensor) -> Tensor)?

  /// A run with the given tunings; sites without one keep their frozen tensor. A run of training has draws, one of
  /// evaluation none.
  ///
  /// The observer receives every named intermediate, in the order of computation. A block shows each of its residual
  /// branches, `BLOCK.attention` being what attention adds and `BLOCK.attention.residual` the sum, then `BLOCK.mlp` and
  /// `BLOCK.mlp.residual`, and last its output, `BLOCK`. The one branch of a bottleneck is `BLOCK.norm3`.
  ///
  /// `replacing` receives the uniform numbers that dropout, `SITE.dropout`, and stochastic depth, `SITE.dropPath` or
  /// `BRANCH.dropPath`, would use, and returns those that they do use, of the same shape.
  public init(
    tunings: [Site: Tuning] = [:], draws: TrainingDraws? = nil,
    observer: ((_ name: String, _ value: Tensor) -> Void)? = nil,
    replacing: ((_ name: String, _ uniform: Tensor) -> Tensor)? = nil
  ) {
    (self.tunings, self.draws, self.replacing, self.observer) = (tunings, draws, replacing, observer)
  }

  /// The same run of the network that earlier trainings left.
  package func over(_ prior: PriorTunings) -> Pass {
    var pass = self
    pass.prior = prior
    return pass
  }

  /// A frozen tensor as earlier trainings left it.
  func settled(_ parameter: Parameter) -> Parameter { prior?(parameter) ?? parameter }

  /// The tunings of a site that holds no tensor: those of earlier trainings, then its own.
  func all(at site: Site) -> [Tuning] { (prior?.tunings(at: site) ?? []) + (tunings[site].map { [$0] } ?? []) }

  /// The tensor of a site in this run.
  public subscript(_ parameter: Parameter) -> Variable {
    let frozen = Variable(settled(parameter).value)
    return switch tunings[parameter.site] {
    case nil: frozen
    case .replaced(let variable): variable
    case .masked(let mask): frozen.masked(by: mask)
    case .shifted(let shifts, let indices): frozen.scatterAdding(shifts, at: indices)
    case .branched, .factored:
      trap("Pass: \(parameter.site): expected a branch at a linear map, found one elsewhere")
    case .prompted, .parallel, .adapted, .bypassed:
      trap("Pass: \(parameter.site): expected a tuning of a tensor, found one of a block")
    case .scaled(let factors, let offsets):
      scaled(frozen, by: factors, adding: offsets)
    }
  }

  /// The factors of a map's output channels; `nil` without.
  func factors(of weight: Parameter) -> Variable? {
    guard case .scaled(let factors, _) = tunings[weight.site] else { return nil }
    return factors
  }

  /// γ ⊙ x + β by channel: x: [..., width]; γ, β: [width].
  func scaled(_ x: Variable, by factors: Variable, adding offsets: Variable?) -> Variable {
    let scaled = x.scaledChannels(by: factors)
    return offsets.map { scaled.adding($0) } ?? scaled
  }

  /// x Wᵀ + b with the tensors of two sites; masks and shifts are applied within the product.
  ///
  /// - x: [..., in]; weight: [out, in]; bias: [out] or none; activation: applied to the result, if any; result: [...,
  ///   out].
  func linear(_ x: Variable, _ weight: Parameter, bias: Parameter?, then activation: Activation? = nil) -> Variable {
    let (weight, bias) = (settled(weight), bias.map { self[$0] })
    let (own, kept) = (tunings[weight.site], prior?.tunings(at: weight.site) ?? [])
    if let activation, own == nil, kept.isEmpty {
      return x.linear(Variable(weight.value), bias: bias, packed: weight.packed, then: activation)
    }
    var y: Variable
    if case .branched(let branch) = own, !kept.isEmpty {
      // Branches of earlier trainings belong to the map, and a new one comes last.
      y = addingBranches(kept, to: linear(x, weight, bias: bias, nil), of: x, at: weight.site)
      y = addingBranch(branch, to: y, of: x, at: weight.site)
    } else {
      y = addingBranches(kept, to: linear(x, weight, bias: bias, own), of: x, at: weight.site)
    }
    return activation.map { $0(y) } ?? y
  }

  /// x Wᵀ + b with one tuning of W, or none.
  private func linear(_ x: Variable, _ weight: Parameter, bias: Variable?, _ own: Tuning?) -> Variable {
    let frozen = Variable(weight.value)
    return switch own {
    case nil: x.linear(frozen, bias: bias, packed: weight.packed)
    case .replaced(let variable): x.linear(variable, bias: bias)
    case .masked(let mask): x.linear(frozen, maskedBy: mask, bias: bias)
    case .shifted(let shifts, let indices): x.linear(frozen, shiftedBy: shifts, at: indices, bias: bias)
    case .branched(let branch): linear(x, frozen, bias: bias, branch, at: weight.site)
    case .factored(let own):
      x.linear(frozen, bias: bias, packed: weight.packed)
        .adding(update(x, own, at: weight.site), scale: own.scale)
    case .prompted, .parallel, .adapted, .bypassed: self[weight]  // which traps
    case .scaled(let factors, _):
      scaled(x.linear(frozen, bias: nil, packed: weight.packed), by: factors, adding: bias)
    }
  }

  /// z + y, where y is a residual branch of block i of n; in training with stochastic depth (Huang et al. 2016) a
  /// sample skips it with probability p i / (n − 1), and kept branches are divided by the probability of being kept.
  ///
  /// An observer sees y as NAME and the sum as `NAME.residual`.
  ///
  /// - z, y: [samples, ...], one shape; name: that of the branch; part: which of the branches of the block, 0 or 1.
  func residual(
    _ z: Variable, _ y: Variable, named name: @autoclosure () -> String, block: Int, of blocks: Int, part: Int
  ) -> Variable {
    observer?(name(), y.value)
    guard let draws, draws.stochasticDepth > 0, block > 0 else {
      return observed("\(name()).residual", z.adding(y))
    }
    let draw = DropDraw(seed: draws.seed, site: 2 * block + part, step: draws.step)
    let kept = dropPath(y, draws.stochasticDepth * Real(block) / Real(blocks - 1), draw, at: name())
    return observed("\(name()).residual", z.adding(kept))
  }

  /// Stochastic depth of a branch, with the numbers of the draw or those that replace them.
  func dropPath(_ y: Variable, _ probability: Real, _ draw: DropDraw, at name: @autoclosure () -> String) -> Variable {
    guard let replacing else { return y.dropPath(probability, draw: draw) }
    return y.dropPath(probability, uniform: replacing("\(name()).dropPath", draw.samples(y.shape[0])))
  }

  /// Shows an intermediate to the observer and hands it on; the name is made only where there is one.
  package func observed(_ name: @autoclosure () -> String, _ variable: Variable) -> Variable {
    observer?(name(), variable.value)
    return variable
  }
}
