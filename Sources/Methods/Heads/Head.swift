import Models
import Tensor

/// What turns image features into classes: the other half of a method.
public protocol Head: Sendable {
  /// The tensors to train; none for the zero-shot classifier.
  var trainables: [Trainable] { get }

  /// The classifier for the values of the tensors, in the order of `trainables`: [classes, embedding].
  func classifier(_ values: [Variable]) -> Variable

  /// Writes what the tuned classifier needs into a delta.
  func write(_ values: [Tensor], to delta: inout Delta)
}

/// CLIP's own classifier: the text features of the class names (Radford et al. 2021, section 3.1).
public struct ZeroShot: Head {
  /// T: [classes, embedding]
  public let textFeatures: Tensor

  /// A classifier made of text features.
  public init(textFeatures: Tensor) { self.textFeatures = textFeatures }

  /// None.
  public var trainables: [Trainable] { [] }

  /// T
  public func classifier(_ values: [Variable]) -> Variable { Variable(textFeatures) }

  /// Nothing.
  public func write(_ values: [Tensor], to delta: inout Delta) {}
}
