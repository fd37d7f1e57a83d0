import Tensor

/// A tensor that a closure may change, for results that are written again and again.
final class Buffer {
  var tensor: Tensor
  init(_ tensor: Tensor) { self.tensor = tensor }
}
