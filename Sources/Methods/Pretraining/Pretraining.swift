import Datasets
import Foundation
import Models
import Tensor

/// Trains a network from scratch with AdamW: one step per batch, in an order that the recipe alone decides.
package struct Pretraining<Objective: PretrainingObjective>: Sendable {
  /// The objective.
  package let objective: Objective
  /// The recipe.
  package let recipe: PretrainingRecipe
  private let slots: [ParameterSlot]

  /// A pretraining.
  package init(_ objective: Objective, _ recipe: PretrainingRecipe) {
    (self.objective, self.recipe) = (objective, recipe)
    slots = objective.parameters.map {
      ParameterSlot($0.site.name, $0.value.shape, isDecayed: $0.value.shape.rank > 1)
    }
  }

  /// The mutable state.
  package struct State: Sendable {
    /// The trainable tensors, in the order of the objective's parameters.
    package internal(set) var values: [Tensor]
    /// Steps taken.
    package internal(set) var step = 0
    var optimizer: Adam
  }

  /// The progress after a step.
  package struct Progress: Sendable, Codable, Equatable {
    /// Steps taken, including this one.
    package var step: Int
    /// The loss of its batch.
    package var loss: Double
    /// Accuracy on its batch, in percent.
    package var accuracy: Double
    /// ‖g‖ before clipping.
    package var gradientNorm: Double
    /// The learning rate.
    package var learningRate: Double
    /// True if the batch was a lesson.
    package var isLesson: Bool
    /// The evaluation of the network, at steps that have one.
    package var milestones: [String: Double]?
  }

  /// The state before the first step.
  package func start() -> State {
    State(
      values: objective.parameters.map(\.value),
      optimizer: Adam(
        slots, weightDecay: recipe.weightDecay, decay: .decoupled, beta2: recipe.beta2, epsilon: 1e-6))
  }

  /// Returns whether the batch of a step, counted from 0, is a lesson.
  package func isLesson(_ step: Int) -> Bool {
    if Double(step) < recipe.lessonShare * Double(recipe.steps) { return true }
    let draw = Random(seed: UInt64(recipe.seed), purpose: .shuffle, step: step).fineUniform(at: 0)
    return draw < recipe.lessonShareAfterwards
  }

  /// The batches of the remaining steps, prefetched.
  package func batches(from step: Int) -> Prefetcher<Objective.Batch> {
    let pretraining = self
    return Prefetcher(step..<recipe.steps) { step in
      try pretraining.objective.batch(step, size: pretraining.recipe.batchSize, isLesson: pretraining.isLesson(step))
    }
  }

  /// Takes a step.
  package func step(_ state: inout State, on batch: Objective.Batch) -> Progress {
    let tape = Tape()
    let leaves = state.values.map { tape.leaf($0) }
    let (loss, correct) = objective.loss(batch, objective.pass(leaves))
    let found = tape.gradients(of: [loss], for: leaves, releasing: true)[0]
    let (gradients, norm) = GradientClipping.clipped(found, to: recipe.largestNorm)
    let rate = recipe.schedule.rate(at: state.step)
    state.optimizer.step(parameters: &state.values, gradients: gradients, learningRate: rate)
    clampScale(&state.values)
    state.step += 1
    return Progress(
      step: state.step, loss: Double(loss.value.scalar), accuracy: 100 * Double(correct) / Double(recipe.batchSize),
      gradientNorm: norm, learningRate: rate, isLesson: isLesson(state.step - 1))
  }

  /// The evaluation of the network after the given number of steps.
  package func milestones(_ state: State) -> [String: Double] {
    objective.milestones(objective.pass(state.values.map { Variable($0) }))
  }

  /// s ≤ 100 (Radford et al. 2021, section 2.5).
  private func clampScale(_ values: inout [Tensor]) {
    for (index, parameter) in objective.parameters.enumerated() where parameter.site.role == .logitScale {
      values[index] = Tensor(min(values[index].scalar, 4.605_170_185_988_092))
    }
  }
}
