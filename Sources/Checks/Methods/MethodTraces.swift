import Methods
import Models
import Tensor

/// Training step by step: all methods on a small model, and their updates at a size that uses several threads.
package enum MethodTraces {
  /// Steps of every method that trains something, `METHOD/step N/…` (`StepObserver`).
  ///
  /// - seed: that of the random rules; steps: how many.
  package static func methods(seed: UInt64, steps count: Int = stepCount) -> [Trace] {
    MethodList.pairs.map { name in
      Trace("\(name)") { steps(of: name, seed: seed, count: count) }
    }
  }

  /// The model, pictures and settings of the method's checks, from values near where the method's rules matter.
  private static func start(
    of name: MethodName, steps: Int = stepCount, seed: UInt64
  ) -> (MethodBatch, Recipe, TrainingState) {
    let batch = MethodBatch(name)
    var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: 16, fidelity: .official))
    // Both stages of a run that has two.
    if recipe.encoderShare != nil { recipe.steps = steps }
    // Of matrices this small a sparse optimiser would move one entry.
    recipe.encoder.density = recipe.encoder.density.map { _ in 0.5 }
    var state = TrainingState(startOf: batch.method, recipe, seed: seed)
    state.values = batch.values
    if let traced = MethodChecks.encoderCase(name.encoder).tracedValues {
      var numbers = CheckNumbers(seed: 7)
      let encoder = traced(batch.method.encoder, Real(recipe.encoder.learningRate), &numbers)
      state.values = MethodBatch.opened(
        encoder + batch.method.split(batch.values).head, of: batch.method, batch.images)
    }
    return (batch, recipe, state)
  }

  /// The state after one step: what a checkpoint holds.
  package static func stateAfterOneStep(of name: MethodName, seed: UInt64) -> TrainingState {
    let (batch, _, initial) = start(of: name, seed: seed)
    var state = initial
    let step = batch.method.step(
      .images(batch.images), labels: batch.labels, values: state.values, seed: seed, step: 0, stage: state.stage)
    state.take(step, of: batch.method, epoch: 0, count: batch.labels.count)
    return state
  }

  private static func steps(of name: MethodName, seed: UInt64, count: Int) -> [(name: String, value: Tensor)] {
    let (batch, recipe, initial) = start(of: name, steps: count, seed: seed)
    var state = initial
    var tensors: [(name: String, value: Tensor)] = []
    let observer = StepObserver(
      show: { tensors.append(($0, $1)) },
      draw: {
        tensors.append(($0, $1))
        return $1
      })
    for number in 1...count {
      // One epoch per step, so that the learning rate changes too.
      state.step(
        batch.method, .images(batch.images), labels: batch.labels, seed: seed,
        epoch: min(number, recipe.epochs) - 1, observer)
    }
    return tensors
  }

  /// Three steps of every update rule on given gradients: `RULE/step N/value/SHAPE`, `…/state/SHAPE.MEMORY`.
  package static var optimizers: [Trace] {
    OptimizerRecipe.Kind.allCases.map { kind in
      Trace(kind.rawValue) {
        var recipe = OptimizerRecipe(learningRate: 1e-2)
        (recipe.kind, recipe.weightDecay, recipe.nesterov) = (kind, 5e-4, kind == .sgd)
        let shapes: [Shape] = [[70_001], [3, 5]]
        var optimizer = recipe.optimizer(shapes.map { ParameterSlot($0.description, $0) }, seed: 3)
        var numbers = CheckNumbers(seed: 3)
        var values = shapes.map { numbers.next($0) }
        return (1...stepCount).flatMap { number in
          optimizer.step(
            parameters: &values, gradients: shapes.map { numbers.next($0) }, learningRate: recipe.learningRate)
          return named("step \(number)/value", zip(shapes, values).map { ($0.description, $1) })
            + named("step \(number)/state", optimizer.state.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
      }
    }
  }

  /// The number of steps, unless another is asked for.
  package static let stepCount = 3

  private static func named(
    _ prefix: String, _ tensors: some Sequence<(String, Tensor)>
  ) -> [(name: String, value: Tensor)] {
    tensors.map { (name: "\(prefix)/\($0.0)", value: $0.1) }
  }
}
