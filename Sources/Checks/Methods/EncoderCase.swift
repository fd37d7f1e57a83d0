import Methods
import Models
import Tensor

/// How an encoder half is checked: on a small model, from values where its rules matter.
package struct EncoderCase: Sendable {
  /// The name of the half.
  package let name: String
  /// Its checks with the zero-shot classifier; their names begin with that of the half.
  package let checks: @Sendable (MethodName) -> [any Check]
  /// The image tower that it is checked on.
  let vision: ImageConfiguration
  /// The tuning of a small tower, chosen by a batch where the method chooses: images [batch, 3, size, size].
  let tuning: @Sendable (MethodSetting, any Head, _ images: Tensor, _ labels: [Int32]) -> any EncoderTuning
  /// A tuning whose losses are differentiable and equal those of the other at `values`.
  let relaxed: @Sendable (any EncoderTuning) -> any EncoderTuning
  /// Whether that is another tuning.
  let isRelaxed: Bool
  /// Values of its tensors that are neither where they start nor zero.
  let values: @Sendable (any EncoderTuning, inout CheckNumbers) -> [Tensor]
  /// Values from which three steps with a rate of `reach` change what the rules decide; `nil` for `values`.
  let tracedValues: (@Sendable (any EncoderTuning, _ rate: Real, inout CheckNumbers) -> [Tensor])?

  init(
    _ name: String, vision: ImageConfiguration = MethodBatch.transformer,
    tuning: (@Sendable (MethodSetting, any Head, Tensor, [Int32]) -> any EncoderTuning)? = nil,
    relaxed: (@Sendable (any EncoderTuning) -> any EncoderTuning)? = nil,
    values: @escaping @Sendable (any EncoderTuning, inout CheckNumbers) -> [Tensor] = Self.moved,
    tracedValues: (@Sendable (any EncoderTuning, Real, inout CheckNumbers) -> [Tensor])? = nil,
    checks: @escaping @Sendable (MethodName) -> [any Check]
  ) {
    (self.name, self.vision) = (name, vision)
    self.tuning = tuning ?? { setting, head, _, _ in Self.published(setting, name, head) }
    (self.relaxed, isRelaxed, self.values) = (relaxed ?? { $0 }, relaxed != nil, values)
    (self.tracedValues, self.checks) = (tracedValues, checks)
  }

  /// The tuning of a method that looks at no images.
  static func published(_ setting: MethodSetting, _ name: String, _ head: any Head) -> any EncoderTuning {
    guard let method = MethodList.encoders.first(where: { $0.name == name }) else {
      trap("EncoderCase: expected a method, found \(name)")
    }
    do { return try method.tuning(setting, head: head, choosing: nil) } catch { trap("EncoderCase: \(error)") }
  }

  /// Tensors near where they start, and nowhere zero.
  static func moved(_ tuning: any EncoderTuning, _ numbers: inout CheckNumbers) -> [Tensor] {
    moved(tuning, by: 0.3, &numbers)
  }

  /// The same at a distance of this size.
  static func moved(_ tuning: any EncoderTuning, by distance: Real, _ numbers: inout CheckNumbers) -> [Tensor] {
    tuning.trainables.map { trainable in
      let moves = numbers.next(trainable.initial.shape, scale: distance)
      return Tensor(trainable.initial.shape, zip(trainable.initial.values, moves.values).map { $0 + $1 })
    }
  }
}
