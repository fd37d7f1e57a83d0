import Models
import Tensor

/// The selection of R-PMT: the single weights with the largest gradients of the task loss (R-AMT (i)).
///
/// One pass over the training images sums
///
///     s = Σ_batches |∂L_ce/∂W|
///
/// of the pretrained model, with all weights kept and the initial classifier. The largest s of all maskable weights are
/// selected together, whatever tensor they belong to.
///
/// The paper reports R-PMT, but neither text nor code fixes the rule; this is the simplest that fits the description.
package struct ParameterSelection {
  /// The weights to choose from.
  package let parameters: [Parameter]
  /// The number of batches summed so far.
  package private(set) var batches = 0
  private let tower: any ImageTower
  private let head: any Head
  /// s, one tensor per weight.
  private var sums: [Tensor]

  /// A selection among `parameters` of an image tower, in the order of `MaskTuning.parameters`.
  package init(among parameters: [Parameter], of tower: any ImageTower, head: any Head) {
    (self.parameters, self.tower, self.head) = (parameters, tower, head)
    sums = parameters.map { .zeros($0.value.shape) }
  }

  /// Adds the gradients of one batch.
  ///
  /// - images: [batch, 3, size, size]; labels: [batch].
  package mutating func add(_ images: Tensor, labels: [Int32]) {
    for (index, gradient) in gradients(images, labels: labels).enumerated() {
      sums[index].write { sum in
        Tensor.read(gradient) { g in
          Parallel.forEachRange(gradient.count, grain: 1 << 15) { for k in $0 { sum[k] += abs(g[k]) } }
        }
      }
    }
    batches += 1
  }

  /// ∂L_ce/∂W, one tensor per weight.
  private func gradients(_ images: Tensor, labels: [Int32]) -> [Tensor] {
    let tape = Tape()
    let weights = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, weights).map { ($0.site, .replaced($1)) }))
    let logits = head.logits(tower(Variable(images), pass), head.trainables.map { Variable($0.initial) }, pass)
    return tape.gradients(of: logits.crossEntropy(labels: labels), for: weights)
  }

  /// The `count` weights with the largest sums, one mask per weight tensor: the argument `tuned` of `MaskTuning`.
  ///
  /// Of equal sums those of earlier weights come first. Traps unless `count` is in 0 ... the number of weights.
  package func largest(_ count: Int) -> [BitMask] { TopK.masks(of: sums, keeping: count) }

  /// The number of maskable weights that are tuned: the given share of them, or as many as R-AMT masks.
  ///
  /// - share: 0 ... 1, or `nil`; parameters: the tensors of the towers that are tuned.
  package static func count(
    share: Double?, among groups: [[Parameter]], of parameters: [Parameter], _ fidelity: Fidelity
  ) -> Int {
    func size(_ groups: [[Parameter]]) -> Int { groups.joined().reduce(0) { $0 + $1.value.count } }
    let all = size(groups)
    guard let share else { return min(all, size(MaskSites.attention.groups(among: parameters, fidelity))) }
    return min(all, max(0, Int((share * Double(all)).rounded())))
  }
}
