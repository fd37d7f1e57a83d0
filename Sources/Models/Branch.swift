import Tensor

/// A bottleneck network at a linear map: down to a low rank and up again.
///
///     parallel:    y = W x + b + s drop(U φ(D dropout(x)))
///     sequential:  y = z + s drop(U φ(D dropout(z))),   z = W x + b
///
/// LoRA (Hu et al. 2022) is parallel and has no φ and no biases; an adapter (Houlsby et al. 2019) is sequential, φ is
/// GELU, and both maps have biases. `drop` skips the branch sample by sample (stochastic depth). In evaluation
/// nothing is dropped.
public struct Branch {
  /// D: [rank, in], with in the width of what it reads.
  public let down: Variable
  /// The bias of D: [rank]
  public let downBias: Variable?
  /// U: [out, rank]
  public let up: Variable
  /// The bias of U: [out]
  public let upBias: Variable?
  /// The form of the branch.
  public let form: Form

  /// The form of a branch: everything besides its tensors.
  public struct Form: Sendable, Hashable, Codable {
    /// True if sequential: it reads the output of the linear map, not its input.
    public var isSequential: Bool
    /// True if φ is GELU, not the identity.
    public var hasActivation: Bool
    /// The probability that an element of its input is dropped in training.
    public var dropout: Double
    /// The probability that a sample skips the branch in training.
    public var dropPath: Double
    /// The key of its dropout: branches that read one input under one key share the sample.
    public var dropoutSite: Int
    /// The key of its drop path.
    public var dropPathSite: Int
    /// s, the factor of what the branch adds; `nil`, as in deltas of the first versions, for 1.
    public var scale: Double?

    /// A form by its parts.
    public init(
      isSequential: Bool, hasActivation: Bool, dropout: Double, dropPath: Double, dropoutSite: Int, dropPathSite: Int,
      scale: Double? = nil
    ) {
      (self.isSequential, self.hasActivation, self.dropout, self.dropPath) = (
        isSequential, hasActivation, dropout, dropPath
      )
      (self.dropoutSite, self.dropPathSite, self.scale) = (dropoutSite, dropPathSite, scale)
    }

    private enum CodingKeys: String, CodingKey {
      case isSequential = "isBehind"
      case hasActivation, dropout, dropPath, dropoutSite, dropPathSite, scale
    }
  }

  /// A branch by its parts.
  public init(down: Variable, downBias: Variable?, up: Variable, upBias: Variable?, form: Form) {
    (self.down, self.downBias, self.up, self.upBias, self.form) = (down, downBias, up, upBias, form)
  }
}

extension Parameter {
  /// True for the weight of a linear map, where alone a branch can be.
  package var takesBranch: Bool {
    switch site.role {
    case .query, .key, .value, .attentionOutput, .mlpUp, .mlpDown, .projection, .downsampling: value.shape.rank == 2
    default: false
    }
  }
}

extension Pass {
  /// A linear map with its branch (SPT (i), (j)).
  func linear(_ x: Variable, _ weight: Variable, bias: Variable?, _ branch: Branch, at site: Site) -> Variable {
    let form = branch.form
    if form.isSequential {
      let z = x.linear(weight, bias: bias)
      return z.adding(dropped(hidden(z, branch, site).linear(branch.up, bias: branch.upBias), form, site))
    }
    guard let upBias = branch.upBias else {
      // Both factors, of samples and of all, may as well act before U, where a token has width `rank`.
      return x.linear(weight, bias: bias, adding: dropped(hidden(x, branch, site), form, site), through: branch.up)
    }
    let y = hidden(x, branch, site).linear(branch.up, bias: upBias)
    return x.linear(weight, bias: bias).adding(dropped(y, form, site))
  }

  /// y, the output of a map of x, with a branch of the map.
  func addingBranch(_ branch: Branch, to y: Variable, of x: Variable, at site: Site) -> Variable {
    let hidden = hidden(branch.form.isSequential ? y : x, branch, site)
    return y.adding(dropped(hidden.linear(branch.up, bias: branch.upBias), branch.form, site))
  }

  /// y with the branches that earlier trainings left at the map, one after another.
  func addingBranches(_ kept: [Tuning], to y: Variable, of x: Variable, at site: Site) -> Variable {
    kept.reduce(y) { y, tuning in
      switch tuning {
      case .branched(let branch): addingBranch(branch, to: y, of: x, at: site)
      case .factored(let own): y.adding(update(x, own, at: site), scale: own.scale)
      default: trap("Pass: \(site): expected a branch of an earlier training, found another tuning")
      }
    }
  }

  /// φ(D dropout(x))
  private func hidden(_ x: Variable, _ branch: Branch, _ site: Site) -> Variable {
    let narrow = dropout(x, branch.form, site).linear(branch.down, bias: branch.downBias)
    return branch.form.hasActivation ? narrow.gelu() : narrow
  }

  private func dropout(_ x: Variable, _ form: Branch.Form, _ site: Site) -> Variable {
    guard let draws, form.dropout > 0 else { return x }
    let draw = DropDraw(seed: draws.seed, site: form.dropoutSite, step: draws.step)
    return samples.dropped(x, site: form.dropoutSite) {
      guard let replacing else { return x.dropout(Real(form.dropout), draw: draw) }
      return x.dropout(Real(form.dropout), uniform: replacing("\(site.name).dropout", draw.elements(x.shape)))
    }
  }

  /// s drop(y)
  private func dropped(_ y: Variable, _ form: Branch.Form, _ site: Site) -> Variable {
    let y = form.scale.map { y.scaledChannels(by: Variable(Tensor([y.shape.width], repeating: Real($0)))) } ?? y
    guard let draws, form.dropPath > 0 else { return y }
    let key = Self.branchSites + form.dropPathSite
    let draw = DropDraw(seed: draws.seed, site: key, step: draws.step)
    return dropPath(y, Real(form.dropPath), draw, at: site.name)
  }

  /// The first key of the branches' drop paths: after those of residual connections.
  static let branchSites = 1 << 16

  /// The last input that dropout was applied to: query, key and value read the same one, and may share the result.
  final class DropoutSamples {
    private var last: (x: Variable, site: Int, dropped: Variable)?

    func dropped(_ x: Variable, site: Int, _ drop: () -> Variable) -> Variable {
      if let last, last.site == site, last.x.isSame(as: x) { return last.dropped }
      let dropped = drop()
      last = (x, site, dropped)
      return dropped
    }
  }
}
