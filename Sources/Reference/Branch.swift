/// The form of a bottleneck network at a linear map: everything besides its tensors (SPT (i), (j)).
public struct BranchForm: Sendable, Equatable {
  /// True if it reads the output of the linear map (adapter), false if its input (LoRA).
  public var isSequential: Bool
  /// True if φ is GELU (adapter), false if there is none (LoRA).
  public var hasActivation: Bool
  /// The probability that an element of what it reads is dropped in training.
  public var dropout: Double
  /// The probability that a sample skips it in training.
  public var dropPath: Double
  /// The factor of its output, γ of CLIP-LoRA.
  public var scale: Double

  /// A form by its parts.
  public init(isSequential: Bool, hasActivation: Bool, dropout: Double, dropPath: Double, scale: Double = 1) {
    (self.isSequential, self.hasActivation, self.dropout, self.dropPath, self.scale) =
      (isSequential, hasActivation, dropout, dropPath, scale)
  }
}

extension Network {
  /// The output of the branch of linear map NAME, which is added to that of the map (SPT (i), (j), CLIP-LoRA (a)).
  ///
  ///     y = z + γ drop(U φ(D dropout(h) + c) + e),   z = W x + b
  ///     LoRA: h = x, no φ, no biases;   adapter: h = z, φ = GELU;   γ = 1, but in CLIP-LoRA α / √rank
  ///
  /// - read h: [samples · tokens, in]; D = NAME.branch.down: [rank, in]; U = NAME.branch.up: [out, rank]; biases c and
  ///   e under the same names with .bias, if there are any.
  /// - Random numbers: NAME.dropout, one per element of `read`, and NAME.dropPath, one per sample.
  func branch(_ read: Matrix, _ name: String, _ form: BranchForm, samples: Int) -> Matrix {
    let (_, _, hidden) = branchValues(read, name, form)
    let wide = linear(hidden, weight: self["\(name).branch.up"], bias: weights["\(name).branch.up.bias"])
    return skipped(wide, "\(name).dropPath", form.dropPath, samples: samples).map { form.scale * $0 }
  }

  /// The gradient of what the branch of linear map NAME reads; stores the gradients of its tensors by their
  /// names. Every step of the forward pass in reverse.
  func branchBackward(
    _ dy: Matrix, read: Matrix, _ name: String, _ form: BranchForm, samples: Int, _ gradients: inout Parameters
  ) -> Matrix {
    let (kept, narrow, hidden) = branchValues(read, name, form)
    let dWide = skipped(dy.map { form.scale * $0 }, "\(name).dropPath", form.dropPath, samples: samples)
    let up = linearBackward(dWide, x: hidden, weight: self["\(name).branch.up"])
    let dNarrow = form.hasActivation ? geluBackward(up.x, x: narrow) : up.x
    let down = linearBackward(dNarrow, x: kept, weight: self["\(name).branch.down"])
    gradients["\(name).branch.up"] = up.weight
    gradients["\(name).branch.down"] = down.weight
    if weights["\(name).branch.up.bias"] != nil { gradients["\(name).branch.up.bias"] = up.bias }
    if weights["\(name).branch.down.bias"] != nil { gradients["\(name).branch.down.bias"] = down.bias }
    return dropped(down.x, "\(name).dropout", form.dropout)
  }

  /// dropout(read), D dropout(read) + c, and φ of it.
  private func branchValues(
    _ read: Matrix, _ name: String, _ form: BranchForm
  ) -> (kept: Matrix, narrow: Matrix, hidden: Matrix) {
    let kept = dropped(read, "\(name).dropout", form.dropout)
    let narrow = linear(kept, weight: self["\(name).branch.down"], bias: weights["\(name).branch.down.bias"])
    return (kept, narrow, form.hasActivation ? gelu(narrow) : narrow)
  }

  /// Dropout by the random numbers of a name; x itself in evaluation.
  private func dropped(_ x: Matrix, _ name: String, _ probability: Double) -> Matrix {
    draws == nil || probability == 0 ? x : dropout(x, probability: probability, uniform: uniform(name))
  }

  /// Drop path by the random numbers of a name; x itself in evaluation.
  func skipped(_ x: Matrix, _ name: String, _ probability: Double, samples: Int) -> Matrix {
    if draws == nil || probability == 0 { return x }
    let uniform = uniform(name)
    require(uniform.count == samples, "Network: expected \(samples) random numbers \(name), found \(uniform.count)")
    return dropPath(x, probability: probability, uniform: uniform)
  }
}
