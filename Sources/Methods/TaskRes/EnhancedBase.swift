import Models
import Tensor

/// The training of the enhanced base (TaskRes (j)): the map from what is read of a text to its features is tuned on the
/// images of the run, with all else frozen; residuals are added to the features that it gives.
///
///     t_c = P ū_c
///
/// ū_c is the mean over templates of what the projection P of the text tower reads. As nothing before P changes it is
/// computed once. P starts as that of the model, where t is the regular base.
package struct EnhancedBase: ContrastiveHead {
  /// ū: [classes, width]
  let trunk: Tensor
  /// P: [embedding, width]
  let projection: Parameter
  /// log s
  package let logitScale: Parameter

  /// P
  package var trainables: [Trainable] { [Trainable(projection.site.name, projection.value)] }

  /// P ū
  package func classifier(_ values: [Variable]) -> Variable { Variable(trunk).linear(values[0]) }
}

extension EnhancedBase {
  /// The training for the prompts of the classes.
  package init(_ texts: ClassTexts, logitScale: Parameter) {
    self.init(
      trunk: texts.combined(texts.trunk()), projection: texts.tower.projection.weight, logitScale: logitScale)
  }

  /// The settings of the training.
  struct Settings: Sendable, Codable, Equatable {
    /// The published number.
    var epochs = 50
    /// Ours, as none is published.
    var learningRate = 1e-4

    /// A value that no training can have: key, expected and found.
    var problem: String? {
      if !(1...1_000_000 ~= epochs) { return "epochs: expected 1 to 1000000, found \(epochs)" }
      return learningRate >= 0 ? nil : "learningRate: expected 0 or more, found \(learningRate)"
    }
  }
}
