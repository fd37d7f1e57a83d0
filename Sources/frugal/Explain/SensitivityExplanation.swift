import Methods
import Models
import Tensor

extension Explanation {
  /// A step of SPT: one matrix of four weights that gives the logits, two images of two pixels, two classes.
  static func sensitivity() -> Explanation {
    let weight = matrix([0.5, -0.25, 0.75, 1])
    let (images, labels) = (matrix([1, 2, -1, 1]), [0, 1] as [Int32])
    let (kind, rules) = (SensitivitySite.Kind.matrix(out: 2, in: 2), rules())

    // Batches of one image: the paper's sum over samples.
    let scores = zip([[1, 2], [-1, 1]] as [[Real]], labels).map { image, label in
      let tape = Tape()
      let leaf = tape.leaf(weight)
      let loss = Variable(Tensor([1, 2], image)).linear(leaf).crossEntropy(labels: [label])
      return tape.gradients(of: loss, for: [leaf])[0]
    }
    let sum = matrix(zip(scores[0].values, scores[1].values).map { $0 * $0 + $1 * $1 })
    let ranking = Ranking(of: [sum], largest: 4)
    let sweep = AllocationSweep(ranking, thresholds: [1, 2, 3, 4], kinds: [kind], classToken: 0, rules)

    // τ = 2 leaves too few selected entries for a module: they are trained one by one.
    let selected = ranking.indices(first: 2)
    let indices = SparseIndices(selected, in: weight.shape)
    let tape = Tape()
    let shifts = tape.leaf(.zeros([2]))
    let logits = Variable(images).linear(Variable(weight), shiftedBy: shifts, at: indices)
    let loss = logits.crossEntropy(labels: labels)
    let gradient = tape.gradients(of: loss, for: [shifts])[0]
    var (optimizer, updated) = (Adam([ParameterSlot("d", [2])], decay: .decoupled), [Tensor.zeros([2])])
    optimizer.step(parameters: &updated, gradients: [gradient], learningRate: 1e-3)
    let tuned = Variable(weight).scatterAdding(Variable(updated[0]), at: indices).value

    // τ = 4 makes it a module: LoRA of rank 1.
    let (down, up) = (matrix([0.5, -0.5]), Tensor([2, 1], [0.25, 0.5]))
    let hidden = Variable(images).linear(Variable(down))
    let branched = Variable(images).linear(Variable(weight), adding: hidden, through: Variable(up)).value
    return Explanation(
      introduction: """
        SPT: z = W x with four weights W, two images x, two classes. First the sensitivity of every weight, then what
        each threshold τ would tune, then one step on the single entries that τ = 2 selects, and the module of τ = 4.
        Numbers in brackets are those of docs/methods/spt.md. α = 1, r = 1, η = 1e-3, no weight decay.
        """,
      quantities: [
        Quantity("", "x, one image per row", images), Quantity("", "y", row(labels)),
        Quantity("", "W", weight),
        Quantity("(b)", "∂L_1/∂W, of image 1", scores[0]), Quantity("(b)", "∂L_2/∂W, of image 2", scores[1]),
        Quantity("(b)", "S = Σ_b (∂L_b/∂W)²", sum),
        Quantity("(d)", "indices by rank", row(ranking.indices(first: 4, sorted: false))),
        Quantity("(f)", "cost = r (in + out)", Double(rules.form.cost(out: 2, in: 2, rank: rules.rank))),
        Quantity("(e)", "τ of the sweep", row(sweep.allocations.map(\.threshold))),
        Quantity("(f)", "module, as n ≥ cost/α", row(sweep.allocations.map(\.modules.count))),
        Quantity("(h)", "total", row(sweep.allocations.map(\.total))),
        Quantity("(k)", "selected, of τ = 2", row(selected)),
        Quantity("", "L, the mean of both images", loss.value), Quantity("(k)", "∂L/∂d", gradient),
        Quantity("(l)", "d ← −η m̂/(√v̂ + ε)", updated[0]), Quantity("(k)", "W' = W + scatter(d)", tuned),
        Quantity("(i)", "D", down), Quantity("(i)", "U", up), Quantity("(i)", "z = W x + U D x", branched),
      ])
  }

  /// Rules small enough for four weights.
  private static func rules() -> Allocation.Rules {
    var rules = Allocation.Rules(form: .lora)
    (rules.rank, rules.alpha) = (1, 1)
    return rules
  }
}

extension Ranking {
  /// The indices of the first ranks of a single tensor; ascending, or by rank.
  fileprivate func indices(first count: Int, sorted: Bool = true) -> [Int32] {
    sorted ? positions(first: count, of: 1)[0] : Array(positions.prefix(count))
  }
}
