import Checks
import Methods
import Models
import Tensor

/// A training of TaskRes: 100 classes of 16 images, features of width 512 computed before, batches of 256.
var taskResItems: [Item] {
  [("train", 200), ("train-20ep", 20)].map { name, epochs in Item(name) { work(epochs: epochs) } }
}

private func work(epochs: Int) -> Work {
  let (classes, shots, width, batch) = (100, 16, 512, 256)
  let training = TaskResTraining(classes: classes, shots: shots, width: width, batch: batch, epochs: epochs)
  let steps = epochs * (classes * shots / batch)
  return Work(
    shape: "\(classes)x\(shots)x\(width), \(epochs) epochs, batch \(batch)",
    amount: .gflop(4e-9 * Double(steps * batch * classes * width)), run: training.run)
}

private final class TaskResTraining {
  private let features: Variable
  private let method: Method
  private let pictures, batch, epochs, shots: Int

  init(classes: Int, shots: Int, width: Int, batch: Int, epochs: Int) {
    (pictures, self.batch, self.epochs, self.shots) = (classes * shots, batch, epochs, shots)
    features = Variable(noise([classes * shots, width], seed: 1)).l2Normalized()
    let model = RealSize.clip(textBlocks: 0)
    method = Method(
      encoder: FrozenEncoder(),
      head: TaskRes(textFeatures: noise([classes, width], seed: 2), alpha: 0.5, logitScale: model.logitScale),
      tower: model.vision)
  }

  func run() {
    var values = method.trainables.map(\.initial)
    var optimizer = Adam(method.slots)
    let schedule = Schedule(base: 2e-3, period: epochs)
    for epoch in 0..<epochs {
      var numbers = CheckNumbers(seed: UInt64(epoch))
      let order = (0..<pictures).shuffled(using: &numbers)
      for start in stride(from: 0, through: pictures - batch, by: batch) {
        let indices = order[start..<start + batch].map { Int32($0) }
        let step = method.step(
          .prepared(features.embedding(indices, shape: [batch]).value), labels: indices.map { $0 / Int32(shots) },
          values: values, seed: 1, step: 0)
        optimizer.step(parameters: &values, gradients: step.gradients, learningRate: schedule.rate(at: epoch))
      }
    }
    use(values[0].values[0])
  }
}
