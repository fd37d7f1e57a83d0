import Models
import Tensor

/// A bottleneck on image features, blended with them (Gao et al., *CLIP-Adapter*, IJCV 2024, eq. 5 to 8).
///
///     f' = a A(f) + (1 − a) f,   A(f) = ReLU(U ReLU(D f)),   z_c = s ⟨f' / ‖f'‖, t_c / ‖t_c‖⟩
///
/// - D: [embedding / 4, embedding], U: [embedding, embedding / 4], without biases; f is not normalised
///   (CLIP-Adapter (a) to (c)).
/// - Both start uniform in ±1/√in, as PyTorch starts linear maps (CLIP-Adapter (d)).
struct FeatureAdapter: Head {
  /// T: [classes, embedding]
  let textFeatures: Tensor
  /// log s
  let logitScale: Parameter
  /// a
  let ratio: Real
  /// D and U.
  let trainables: [Trainable]

  /// An adapter with the initial values of a seed.
  init(textFeatures: Tensor, logitScale: Parameter, ratio: Real, seed: UInt64) {
    (self.textFeatures, self.logitScale, self.ratio) = (textFeatures, logitScale, ratio)
    let width = textFeatures.shape[1]
    let hidden = max(1, width / 4)
    func start(_ shape: Shape, part: Int) -> Tensor {
      // Indices of the encoder's sites begin at 0, so the largest steps are free.
      let random = Random(seed: seed, purpose: .initialization, step: Int(UInt32.max) - part)
      return .uniform(shape, bound: 1 / Real(shape[1]).squareRoot(), random)
    }
    trainables = [
      Trainable(DeltaEntry.classifier(part: "adapter.down").name, start([hidden, width], part: 1)),
      Trainable(DeltaEntry.classifier(part: "adapter.up").name, start([width, hidden], part: 2)),
    ]
  }

  /// z
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    let adapted = features.linear(values[0]).relu().linear(values[1]).relu()
    let rest = Variable(Tensor([features.shape.width], repeating: 1 - ratio))
    return features.scaledChannels(by: rest).adding(adapted, scale: ratio)
      .contrastiveLogits(classifier: Variable(textFeatures), logitScale: logitScale, pass)
  }

  /// D, U and a.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(["adapter.down": values[0], "adapter.up": values[1]], settings: ["ratio": ratio])
  }
}

extension Tensor {
  /// Uniform numbers in ±bound.
  static func uniform(_ shape: Shape, bound: Real, _ random: Random) -> Tensor {
    Tensor(shape, random.uniform(shape).values.map { (2 * $0 - 1) * bound })
  }
}

/// D, U and a in a delta.
enum FeatureAdapterDelta: StoredHead {
  static let subject = "an adapter of image features"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] {
    ["adapter.down": [nil, width], "adapter.up": [width, nil]]
  }

  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    guard let tensors = tensors(of: delta), let down = tensors["adapter.down"], let up = tensors["adapter.up"],
      down.shape[0] != up.shape[1]
    else { return }
    throw DeltaError(
      file, expected: "one rank of the adapter of features", found: "\(down.shape[0]) and \(up.shape[1])")
  }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    let start = FeatureAdapter(
      textFeatures: textFeatures, logitScale: logitScale, ratio: description.setting("ratio"), seed: 0)
    return FixedHead(head: start, values: [tensors["adapter.down"], tensors["adapter.up"]].compactMap(\.self))
  }
}
