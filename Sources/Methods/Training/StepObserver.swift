import Tensor

/// One who follows training: shown every intermediate in the order of calculation, and asked for every random draw.
///
/// | name | what |
/// | --- | --- |
/// | `draw/images`, `draw/choice` | the images that were sampled, and what the method chose to tune (`RunDraws`) |
/// | `initial/TENSOR` | what training starts from |
/// | `step N/draw/…` | uniform numbers of a site, and `order`, the indices of the images of the batch |
/// | `step N/input/…` | images as the model sees them, or features, and labels |
/// | `step N/forward/…` | the tuned model: what `Pass` shows, then `features` and `logits` |
/// | `step N/teacher/logits` | those of the untuned model, where the method compares with it |
/// | `step N/loss/TERM` | the terms of the loss |
/// | `step N/gradient K/TENSOR` | the gradient of loss K, where there are several |
/// | `step N/gradient/TENSOR` | what the optimiser gets |
/// | `step N/rate/HALF`, `…/value/TENSOR`, `…/state/TENSOR.MEMORY` | learning rate, and what the step leaves |
public struct StepObserver {
  /// Receives an intermediate.
  let show: (_ name: String, _ value: Tensor) -> Void
  /// Receives the draw that would be used, and returns the one that is, of the same shape.
  let draw: (_ name: String, _ own: Tensor) -> Tensor

  /// An observer by what it does.
  public init(
    show: @escaping (_ name: String, _ value: Tensor) -> Void,
    draw: @escaping (_ name: String, _ own: Tensor) -> Tensor
  ) {
    (self.show, self.draw) = (show, draw)
  }

  /// The same for names below another one.
  package func below(_ name: String) -> StepObserver {
    StepObserver(show: { show("\(name)/\($0)", $1) }, draw: { draw("\(name)/\($0)", $1) })
  }

  /// Shows one tensor for every name.
  func show(_ role: String, _ names: [String], _ values: [Tensor]) {
    for (name, value) in zip(names, values) { show("\(role)/\(name)", value) }
  }
}

extension TrainingState {
  /// The state before the first step, with initial values that the observer may replace.
  package init(
    startOf method: Method, _ recipe: Recipe, stepsPerEpoch: Int = 1, seed: UInt64, _ observer: StepObserver
  ) {
    self.init(startOf: method, recipe, stepsPerEpoch: stepsPerEpoch, seed: seed)
    values = zip(method.trainables, values).map { observer.draw("initial/\($0.name)", $1) }
  }

  /// A step of training with all that happens in it.
  package mutating func step(
    _ method: Method, _ input: Method.Input, labels: [Int32], seed: UInt64, epoch: Int, _ observer: StepObserver
  ) {
    let observer = observer.below("step \(steps + 1)")
    let step = method.step(input, labels: labels, values: values, seed: seed, step: steps, stage: stage, observer)
    for (name, rate) in rates(epoch: epoch, step: steps) { observer.show("rate/\(name)", Tensor(Real(rate))) }
    take(step, of: method, epoch: epoch, count: labels.count)
    observer.show("value", method.trainables.map(\.name), values)
    for group in optimizers {
      for (name, tensor) in group.optimizer.state.sorted(by: { $0.key < $1.key }) {
        observer.show("state/\(name)", tensor)
      }
    }
  }
}

extension TrainingState {
  /// The learning rate of each half that a step of the run trains, which is in the given epoch.
  package func rates(epoch: Int, step: Int) -> [(name: String, rate: Double)] {
    optimizers.filter { $0.steps.contains(step) }.map { ($0.name, $0.rate(epoch: epoch, step: step)) }
  }
}

extension Trainer {
  /// Takes the first steps of the run and shows them; writes nothing.
  ///
  /// - check: called before the first step and after each; throws to stop.
  /// - Throws: `SettingError` for more steps than the run has; `RunError` for an order that is none; `ImageError`; what
  ///   `check` throws.
  package func trace(steps count: Int, _ observer: StepObserver, check: () throws -> Void) throws {
    let total = totalSteps
    guard count <= total else {
      throw SettingError("steps", expected: "at most \(total) steps, as many as the run has", found: "\(count)")
    }
    var state = TrainingState(
      startOf: method, recipe, stepsPerEpoch: stepsPerEpoch, seed: UInt64(bitPattern: Int64(seed)), observer)
    try check()
    let labels = source.labels
    for number in 0..<count {
      let (epoch, index) = number.quotientAndRemainder(dividingBy: stepsPerEpoch)
      let own = observer.below("step \(number + 1)")
      let drawn = batches(of: epoch)[index]
      let order = own.draw("draw/order", Tensor([drawn.count], drawn.map { Real($0) })).values
      let rows = order.compactMap { Int(exactly: $0) }.filter(labels.indices.contains)
      guard rows.count == order.count else {
        throw RunError("step \(number + 1)/draw/order: expected indices from 0 to \(labels.count - 1), found others")
      }
      let input = own.shown(try source.input(rows, epoch: epoch), labels: rows.map { labels[$0] })
      state.step(
        method, input, labels: rows.map { labels[$0] }, seed: UInt64(bitPattern: Int64(seed)), epoch: epoch, observer)
      try check()
    }
  }
}

extension StepObserver {
  /// A batch as it is shown; images, which may have been cropped at random, may be replaced.
  package func shown(_ input: Method.Input, labels: [Int32]) -> Method.Input {
    show("input/labels", Tensor([labels.count], labels.map { Real($0) }))
    switch input {
    case .images(let images): return .images(draw("input/images", images))
    case .trunk(let features), .features(let features), .prepared(let features):
      show("input/features", features)
      return input
    }
  }
}
