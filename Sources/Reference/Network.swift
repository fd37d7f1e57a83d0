/// The sizes of a stack of transformer blocks that do not follow from its weights, and the forms of its branches.
public struct TransformerSettings: Sendable {
  /// The number of blocks, and that of attention heads, which divides the width.
  public var blocks, heads: Int
  /// ε of every layer norm: 1e-5 in CLIP, 1e-6 in ViT.
  public var epsilon: Double
  /// The nonlinearity of the MLP.
  public var nonlinearity: Nonlinearity
  /// The probability that a sample skips a residual branch of the last block.
  public var stochasticDepth = 0.0
  /// The forms of the low-rank branches and adapters, by the weight they belong to.
  public var branches: [String: BranchForm] = [:]
  /// s, the factor of what bottlenecks parallel to MLPs add (AdaptFormer (a)).
  public var parallelScale = 0.1

  /// Sizes by name, without branches.
  public init(blocks: Int, heads: Int, epsilon: Double, nonlinearity: Nonlinearity) {
    (self.blocks, self.heads, self.epsilon, self.nonlinearity) = (blocks, heads, epsilon, nonlinearity)
  }
}

/// A network as one pass sees it: its tensors by name, its settings, and the random numbers of a training step.
///
/// A method changes a network by other tensors under the same names, W ⊙ B or W + scatter(d), or by branches.
public struct Network: Sendable {
  /// Every tensor. A linear map NAME is its weight [out, in] and, if there is one, its bias NAME.bias [1, out]; a layer
  /// norm NAME is NAME.scale and NAME.shift.
  public var weights: Parameters
  /// The sizes.
  public var settings: TransformerSettings
  /// The random numbers of a training step; `nil` in evaluation, where nothing is dropped.
  public var draws: Draws?

  /// A network by its parts.
  public init(_ weights: Parameters, _ settings: TransformerSettings, draws: Draws? = nil) {
    (self.weights, self.settings, self.draws) = (weights, settings, draws)
  }

  /// The tensor of a name.
  public subscript(_ name: String) -> Matrix { weights.required(name) }

  /// Layer norm NAME of every row; x: [rows, width].
  func norm(_ x: Matrix, _ name: String) -> Matrix {
    layerNorm(x, scale: self["\(name).scale"], shift: self["\(name).shift"], epsilon: settings.epsilon)
  }

  /// ∂x of layer norm NAME; stores the gradients of its scale and shift by their names.
  func normBackward(_ dy: Matrix, x: Matrix, _ name: String, _ gradients: inout Parameters) -> Matrix {
    let d = layerNormBackward(dy, x: x, scale: self["\(name).scale"], epsilon: settings.epsilon)
    gradients["\(name).scale"] = d.scale
    gradients["\(name).shift"] = d.shift
    return d.x
  }

  /// Linear map NAME, with its branch if it has one; x: [samples · tokens, in].
  public func tunedLinear(_ x: Matrix, _ name: String, samples: Int) -> Matrix {
    let y = linear(x, weight: self[name], bias: weights["\(name).bias"])
    guard let form = settings.branches[name] else { return y }
    return y + branch(form.isSequential ? y : x, name, form, samples: samples)
  }

  /// ∂x of linear map NAME; stores the gradients of its weight, bias and branch by their names.
  public func tunedLinearBackward(
    _ dy: Matrix, x: Matrix, _ name: String, samples: Int, _ gradients: inout Parameters
  ) -> Matrix {
    var (dBase, dxOfBranch) = (dy, Matrix(x.rows, x.columns))
    if let form = settings.branches[name] {
      let y = linear(x, weight: self[name], bias: weights["\(name).bias"])
      let read = form.isSequential ? y : x
      let dRead = branchBackward(dy, read: read, name, form, samples: samples, &gradients)
      // What a sequential branch reads is the output of the map, what a parallel one reads is x itself.
      if form.isSequential { dBase = dy + dRead } else { dxOfBranch = dRead }
    }
    let d = linearBackward(dBase, x: x, weight: self[name])
    gradients[name] = d.weight
    if weights["\(name).bias"] != nil { gradients["\(name).bias"] = d.bias }
    return d.x + dxOfBranch
  }

  /// The nonlinearity of an MLP, element by element.
  func activation(_ x: Matrix) -> Matrix { settings.nonlinearity == .gelu ? gelu(x) : quickGELU(x) }

  /// Its gradient.
  func activationBackward(_ dy: Matrix, x: Matrix) -> Matrix {
    settings.nonlinearity == .gelu ? geluBackward(dy, x: x) : quickGELUBackward(dy, x: x)
  }

  /// The random numbers NAME of a training step.
  func uniform(_ name: String) -> [Double] {
    guard let uniform = draws?[name] else { fatalError("Network: expected random numbers \(name), found none") }
    return uniform
  }
}
