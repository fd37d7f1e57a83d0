import Tensor

/// A vision transformer with the features of a classifier that reads two vectors: [batch, 2 · width], the normalised
/// class token followed by
///
/// - the normalised distillation token, whose logits DeiT averages with those of the class token (Touvron et al. 2021,
///   section 4): half of each map;
/// - the mean over the normalised patches: DINOv2's linear classifiers (Oquab et al. 2023, appendix B.3).
///
/// It predicts with the classifier that the checkpoint was trained with; no gradient passes through the pair. Methods
/// tune the tower, whose features are one vector.
struct TokenPairTower: ImageTower {
  /// The second vector.
  enum Second { case distillationToken, meanOfPatches }

  let tower: VisionTransformer
  let second: Second

  var imageSize: Int { tower.imageSize }
  var featureWidth: Int { 2 * tower.featureWidth }
  var parameters: [Parameter] { tower.parameters }

  func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    let state = tower.state(images, pass)
    let other =
      switch second {
      case .distillationToken: tower.normalizedToken(1, of: state, pass)
      case .meanOfPatches: tower.normalizedMean(of: state, pass)
      }
    return Variable(Self.joined(tower.normalizedToken(0, of: state, pass).value, other.value))
  }

  /// [rows, width] twice → [rows, 2 · width].
  static func joined(_ first: Tensor, _ second: Tensor) -> Tensor {
    let (rows, width) = (first.shape[0], first.shape[1])
    let (left, right) = (first.values, second.values)
    var values: [Real] = []
    values.reserveCapacity(2 * left.count)
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      values += left[range]
      values += right[range]
    }
    return Tensor([rows, 2 * width], values)
  }
}
