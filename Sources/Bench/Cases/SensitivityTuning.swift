import Checks
import Methods
import Models
import Tensor

/// SPT on ViT-B/16 with 100 classes: a training step of its low-rank form, its first stage, and the sweep over budgets.
var sensitivityItems: [Item] {
  [8, 32].map { batch in Item("lora-b\(batch)") { loraStep(batch: batch) } } + [
    Item("sensitivity-2x16") { sensitivityStage() }, Item("sweep") { budgetSweep() },
  ]
}

/// LoRA of rank 8 on query, value and the first map of every MLP, 600 free weights in each of the other three maps.
private func loraStep(batch: Int) -> Work {
  let training = LowRankStep(batch: batch)
  return Work(
    shape: "batch \(batch), \(training.trained) trained, LoRA r8 on q v fc1, 600 free weights on k o fc2",
    amount: .gflop(2 * Double(batch) * RealSize.imageGFLOP), run: training.step)
}

private final class LowRankStep {
  private let method: Method
  private let images: Tensor
  private let labels: [Int32]
  private var values: [Tensor]
  private var optimizer: Adam
  private var steps = 0

  init(batch: Int) {
    let tower = RealSize.visionTransformer()
    method = Method(
      encoder: SiteTuning(Self.designs(of: tower), seed: 1),
      head: LinearHead(width: tower.featureWidth, classes: 100, seed: 1), tower: tower)
    images = RealSize.images(batch)
    labels = (0..<batch).map { Int32($0 * 37 % 100) }
    let trainables = method.trainables
    values = trainables.map(\.initial)
    optimizer = Adam(trainables.map(\.slot), weightDecay: 1e-4, decay: .decoupled)
  }

  var trained: Int { values.reduce(0) { $0 + $1.count } }

  func step() {
    let step = method.step(.images(images), labels: labels, values: values, seed: 1, step: steps)
    optimizer.step(parameters: &values, gradients: step.gradients, learningRate: 1e-3)
    steps += 1
  }

  /// Query and value share a sample of their dropout, as in the released code.
  private static func designs(of tower: any ImageTower) -> [TuningDesign] {
    tower.parameters.enumerated().compactMap { position, parameter -> TuningDesign? in
      let block = parameter.site.block ?? 0
      func branch(_ sample: Int) -> TuningDesign {
        .branched(
          parameter,
          BranchDesign(
            form: Branch.Form(
              isSequential: false, hasActivation: false, dropout: 0.1, dropPath: 0.1, dropoutSite: 2 * block + sample,
              dropPathSite: position), rank: 8, hasBiases: false, start: .zeroUp))
      }
      switch parameter.site.role {
      case .classToken: return .whole(parameter)
      case .query, .value: return branch(0)
      case .mlpUp: return branch(1)
      case .key, .attentionOutput, .mlpDown:
        var numbers = CheckNumbers(seed: UInt64(position))
        var positions: Set<Int32> = []
        while positions.count < 600 {
          positions.insert(Int32.random(in: 0..<Int32(parameter.value.count), using: &numbers))
        }
        return .sparse(parameter, SparseIndices(positions.sorted(), in: parameter.value.shape))
      default: return nil
      }
    }
  }
}

/// The squared gradients of all 86 million weights over two batches of 16.
private func sensitivityStage() -> Work {
  let tower = RealSize.visionTransformer()
  let head = LinearHead(width: tower.featureWidth, classes: 100, seed: 1)
  let images = (0..<2).map { _ in RealSize.images(16) }
  let labels = (0..<16).map { Int32($0 * 37 % 100) }
  return Work(
    shape: "2 batches x 16, all 86M gradients squared", amount: .gflop(3 * 32 * RealSize.imageGFLOP)
  ) {
    var sensitivity = Sensitivity(of: tower.parameters, in: tower, head: head, seed: 1)
    for batch in images { sensitivity.add(batch, labels: labels) }
    use(sensitivity.scores[0].values[0])
  }
}

/// The number of the τ largest of 85 million sensitivities in each matrix, for all 79 τ.
private func budgetSweep() -> Work {
  let (square, wide): (Shape, Shape) = ([768, 768], [3072, 768])
  let shapes = Array(repeating: square, count: 48) + Array(repeating: wide, count: 24)
  let scores = shapes.enumerated().map { position, shape in
    // u⁸ spreads over as many decades as sensitivities do.
    Random(seed: 7, purpose: .check, step: position).uniform(shape).raisedToEighth()
  }
  let kinds = shapes.map { SensitivitySite.Kind.matrix(out: $0[0], in: $0[1]) }
  let count = scores.reduce(0) { $0 + $1.count }
  let thresholds = AllocationSweep.thresholds()
  return Work(shape: "all 79 budgets, \(count) scores", amount: .calls) {
    let ranking = Ranking(of: scores, largest: thresholds.last ?? 0)
    let sweep = AllocationSweep(
      ranking, thresholds: thresholds, kinds: kinds, classToken: 768, Allocation.Rules(form: .lora))
    use(Real(sweep.allocations.last?.total ?? 0))
  }
}

extension Tensor {
  fileprivate func raisedToEighth() -> Tensor {
    var result = self
    result.write { x in
      for index in 0..<count {
        let square = x[index] * x[index]
        x[index] = square * square * square * square
      }
    }
    return result
  }
}
