import Tensor

/// A sequence of tokens in which prompts may stand between the tokens before the patches and the patches (Jia et al.
/// 2022, Visual Prompt Tuning, eq. 4 to 7).
///
///     [c, p_0, e] → block 0 → [c', q, e'],   [c', p_1, e'] → block 1 → …
///
/// Prompts p_i of a block take the place of those of earlier blocks; q, what a block made of its prompts, stays where
/// the next block has none. What is behind the last block sees the tokens that the model has without prompts. Prompts
/// of one training stand behind those of the trainings before it, and take the place of none of these.
struct PromptedSequence {
  /// [batch, tokens, width]
  private(set) var state: Variable
  /// The number of tokens before the prompts.
  private let prefix: Int
  /// The numbers of prompts in `state`, those of the first training first.
  private var counts: [Int] = []

  /// A sequence without prompts.
  init(_ state: Variable, prefix: Int) { (self.state, self.prefix) = (state, prefix) }

  /// Puts the prompts of a site in place of earlier ones, if it has any.
  mutating func insertPrompts(at site: Site, _ pass: Pass) {
    let kept = pass.prior?.kept.map { $0[site]?.tuning } ?? []
    for (training, tuning) in (kept + [pass.tunings[site]]).enumerated() {
      if counts.count == training { counts.append(0) }
      guard case .prompted(let prompts, let dropout) = tuning else { continue }
      let start = prefix + counts[..<training].reduce(0, +)
      let own = pass.dropped(prompts, dropout, samples: state.shape[0], at: site)
      state = state.removingTokens(counts[training], after: start).prepending(own, after: start)
      counts[training] = prompts.shape[0]
    }
  }

  /// Replaces the tokens by what a block makes of them.
  mutating func apply(_ block: (Variable) -> Variable) { state = block(state) }

  /// The tokens without prompts.
  var withoutPrompts: Variable { state.removingTokens(counts.reduce(0, +), after: prefix) }
}

extension Pass {
  /// Prompts with dropped elements in training: [count, width] → [samples, count, width]; as they are elsewhere.
  fileprivate func dropped(_ prompts: Variable, _ probability: Double, samples: Int, at site: Site) -> Variable {
    guard let draws, probability > 0 else { return prompts }
    let (count, width) = (prompts.shape[0], prompts.shape[1])
    let repeated = Variable(.zeros([samples, count, width])).adding(prompts)
    let draw = DropDraw(seed: draws.seed, site: site.block ?? 0, step: draws.step)
    guard let replacing else { return repeated.dropout(Real(probability), draw: draw) }
    return repeated.dropout(
      Real(probability), uniform: replacing("\(site.name).dropout", draw.elements(repeated.shape)))
  }
}
