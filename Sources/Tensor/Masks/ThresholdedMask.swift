/// A binary mask that is learned through a real one (R-AMT (c)): M, and B = 1[M > α].
///
/// M is thresholded where this is made, once per step; all operations on the masked weight share B, forward and
/// backward and for every loss.
public struct ThresholdedMask {
  /// M, which the gradient goes to.
  public let real: Variable
  /// B, in the order of the elements of M.
  public let bits: BitMask

  /// The mask of the elements above a threshold: an element equal to it, or NaN, is masked out.
  public init(_ real: Variable, above threshold: Real) {
    (self.real, bits) = (real, BitMask(thresholding: real.value, above: threshold))
  }

  /// The extents of M.
  public var shape: Shape { real.shape }
}
