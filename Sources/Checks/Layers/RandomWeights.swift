import Formats
import Models
import Tensor

/// A checkpoint of random weights in memory, for checks that need a network and no trained one.
///
/// Scales follow the roles, so that signals keep their size through the layers: matrices have entries of about
/// 1/√width, norm scales lie around 1, and cosine similarities are multiplied by e^2.5.
package struct RandomWeights: TensorSource {
  package let label = "random weights"
  private let shapes: [String: Shape]
  private var tensors: [String: Tensor] = [:]
  private var numbers: CheckNumbers

  /// Values for the given shapes, drawn from the sequence of a seed in the order of the shapes.
  package init(_ shapes: ParameterShapes, seed: UInt64) {
    (self.shapes, numbers) = (shapes.bySite, CheckNumbers(seed: seed))
    for (site, shape) in shapes.ordered {
      tensors[site] = values(site, shape)
      if site.hasSuffix(".variance") { setClearOfKinks(String(site.dropLast(".variance".count)), shape) }
    }
  }

  package var names: [String] { shapes.keys.sorted() }
  package func shape(of name: String) -> Shape? { shapes[name] }

  package func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors[name] else {
      throw WeightsError.unreadable("\(label): tensor \"\(name)\": expected one, found none")
    }
    return tensor
  }

  /// Puts every channel of a batch norm on one side of the kink of a ReLU, far away from it, where differences take
  /// steps too large to stay on one side: even channels above, odd ones below. In double precision a ReLU cuts through
  /// every channel.
  private mutating func setClearOfKinks(_ norm: String, _ shape: Shape) {
    guard !GradientCheck.isDouble else { return }
    tensors["\(norm).scale"] = numbers.next(shape, in: 0.2...0.4)
    tensors["\(norm).shift"] = alternating(shape, in: 1.6...2.4)
  }

  /// Numbers of a range, every second one negative.
  private mutating func alternating(_ shape: Shape, in range: ClosedRange<Real>) -> Tensor {
    Tensor(shape, numbers.next(shape, in: range).values.enumerated().map { $0 % 2 == 0 ? $1 : -$1 })
  }

  /// A reader of these weights.
  package var reader: WeightReader { WeightReader(self, .canonical) }

  private mutating func values(_ site: String, _ shape: Shape) -> Tensor {
    if site == "logitScale" { return Tensor(2.5) }
    if site == "vision.rotaryPeriods" { return numbers.next(shape, in: 1...9) }
    if site.hasSuffix(".scale") { return numbers.next(shape, in: 0.8...1.2) }
    if site.hasSuffix(".variance") { return numbers.next(shape, in: 0.5...1.5) }
    // The ReLUs of a position network, whose weights and coordinates are too small to change a sign.
    if site.hasSuffix(".positionBias.up.bias"), !GradientCheck.isDouble { return alternating(shape, in: 4...5) }
    if [".mean", ".bias", ".shift"].contains(where: site.hasSuffix) { return numbers.next(shape, scale: 0.2) }
    let isTable = shape.rank < 2 || ["positions", "tokens"].contains { site.hasSuffix($0) }
    // √3 makes the variance of a uniform number that of the width it is summed over.
    return numbers.next(shape, scale: isTable ? 1 : (3 / Real(shape.count / shape[0])).squareRoot())
  }
}

extension CLIP {
  /// A model of random weights, the same for every use of a seed.
  package static func random(_ configuration: CLIPConfiguration, seed: UInt64) -> CLIP {
    do throws(WeightsError) {
      return try CLIP(configuration, from: RandomWeights(configuration.shapes, seed: seed), layout: .canonical)
    } catch { trap("CLIP.random: \(error)") }
  }
}

extension VisionTransformer {
  /// A tower of random weights, the same for every use of a seed; its features are as wide as its tokens unless they
  /// are projected to `embedding` elements.
  package static func random(
    _ configuration: VisionConfiguration, embedding: Int? = nil, seed: UInt64
  ) -> VisionTransformer {
    var shapes = ParameterShapes()
    shapes.add(configuration, embedding: embedding)
    var reader = RandomWeights(shapes, seed: seed).reader
    do throws(WeightsError) {
      return try VisionTransformer(&reader, configuration, embedding: embedding)
    } catch { trap("VisionTransformer.random: \(error)") }
  }
}

extension ImageBackbone {
  /// A classifier of random weights, the same for every use of a seed.
  package static func random(_ configuration: ImageConfiguration, classes: Int?, seed: UInt64) -> ImageBackbone {
    make(configuration, RandomWeights(configuration.shapes(classes: classes), seed: seed), classes: classes)
  }
}
