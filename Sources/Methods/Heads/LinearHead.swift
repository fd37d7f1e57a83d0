import Models
import Tensor

/// A linear classifier on the features of an image tower, trained from random weights.
///
///     z = V f + c
///
/// V starts from N(0, 0.02²), c at zero: as timm starts a new head.
public struct LinearHead: Head {
  /// The width of the features.
  public let width: Int
  /// The number of classes.
  public let classes: Int
  /// V: [classes, width], and c: [classes], which does not decay.
  public let trainables: [Trainable]

  /// A head with the given number of classes, with the initial values of a seed.
  public init(width: Int, classes: Int, seed: UInt64) {
    (self.width, self.classes) = (width, classes)
    // Indices of the encoder's sites begin at 0, so the largest step is free.
    let random = Random(seed: seed, purpose: .initialization, step: Int(UInt32.max))
    trainables = [
      Trainable(DeltaEntry.headWeight.name, random.normal([classes, width], deviation: 0.02)),
      Trainable(DeltaEntry.headBias.name, .zeros([classes]), isDecayed: false),
    ]
  }

  /// V f + c
  public func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.linear(values[0], bias: values[1])
  }
}
