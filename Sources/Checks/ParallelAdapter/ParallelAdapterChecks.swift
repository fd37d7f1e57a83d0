import Methods
import Tensor

/// The checks of bottlenecks parallel to MLPs, four wide.
enum ParallelAdapterChecks {
  /// The case of the method.
  static let cases = [
    EncoderCase(
      "adaptformer",
      tuning: { setting, head, _, _ in
        var setting = setting
        setting.recipe[ParallelAdapterSettings.self]?.bottleneck.rank = 4
        return EncoderCase.published(setting, "adaptformer", head)
      }, values: values, checks: SiteChecks.checks)
  ]

  /// Values with two ReLUs open and two closed for every token: beside a kink differences say nothing. Products with D
  /// are below 2 in size, as tokens are below 7 in every channel of six; biases of 3 decide.
  @Sendable private static func values(_ tuning: any EncoderTuning, _ numbers: inout CheckNumbers) -> [Tensor] {
    tuning.trainables.map { trainable in
      let shape = trainable.initial.shape
      if trainable.name.hasSuffix(".down") { return numbers.next(shape, scale: 0.05) }
      guard trainable.name.hasSuffix(".down.bias") else { return numbers.next(shape, scale: 0.5) }
      return Tensor(shape, (0..<shape.count).map { $0 % 2 == 0 ? 3 : -3 })
    }
  }
}
