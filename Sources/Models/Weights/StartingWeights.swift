import Formats
import Tensor

/// The initial weights of a network trained from scratch.
///
/// Normally distributed, with a deviation by role, as in CLIP (Radford et al. 2021; width w, L blocks):
///
///     query, key, value: w^−½       attention output, MLP down: w^−½ (2 L)^−½       MLP up: (2 w)^−½
///     token table: 0.02             text positions: 0.01                           class token, image positions: w^−½
///     projections: w^−½             patch embedding: (3 p²)^−½                      head: 0.01
///
/// Scales are 1, shifts and biases 0, log s = log(1 / 0.07).
struct StartingWeights: TensorSource {
  let label = "initial weights"
  private let shapes: [String: Shape]
  private let indices: [String: Int]
  private let blocks: [String: Int]
  private let seed: UInt64

  /// - blocks: the number of blocks of a tower, by its name.
  init(_ shapes: ParameterShapes, blocks: [String: Int], seed: UInt64) {
    (self.shapes, self.blocks, self.seed) = (shapes.bySite, blocks, seed)
    indices = Dictionary(uniqueKeysWithValues: self.shapes.keys.sorted().enumerated().map { ($1, $0) })
  }

  var names: [String] { shapes.keys.sorted() }
  func shape(of name: String) -> Shape? { shapes[name] }

  func tensor(_ name: String) throws -> Tensor {
    guard let shape = shape(of: name), let index = indices[name] else {
      throw WeightsError.unreadable("\(label): tensor \"\(name)\": expected one, found none")
    }
    if name == "logitScale" { return Tensor(Real(2.659_260_036_932_778)) }
    if name.hasSuffix(".scale") { return Tensor(shape, repeating: 1) }
    if name.hasSuffix(".shift") || name.hasSuffix(".bias") { return .zeros(shape) }
    return Random(seed: seed, purpose: .initialization, step: index).normal(shape, deviation: deviation(name, shape))
  }

  private func deviation(_ name: String, _ shape: Shape) -> Double {
    func inverseRoot(_ number: Int) -> Double { 1 / Double(number).squareRoot() }
    let fanIn = shape.count / max(1, shape.rank > 1 ? shape[0] : 1)
    if name == "text.tokens" { return 0.02 }
    if name == "text.positions" { return 0.01 }
    if name == "head" { return 0.01 }
    if name.hasSuffix(".mlp.up") { return inverseRoot(2 * fanIn) }
    if name.hasSuffix(".attention.output") || name.hasSuffix(".mlp.down") {
      let width = name.hasSuffix(".output") ? fanIn : shape[0]
      let tower = String(name.prefix { $0 != "." })
      return inverseRoot(width) * inverseRoot(2 * (blocks[tower] ?? 1))
    }
    return inverseRoot(fanIn)
  }
}

extension CLIP {
  /// A model with a vision transformer, to be trained from scratch; the same for every use of a seed.
  package static func untrained(_ configuration: CLIPConfiguration, seed: UInt64) -> CLIP {
    guard case .visionTransformer(let vision) = configuration.vision else {
      trap("CLIP.untrained: expected a vision transformer, found a ResNet")
    }
    let blocks = ["vision": vision.transformer.blocks, "text": configuration.text.transformer.blocks]
    do throws(WeightsError) {
      return try CLIP(
        configuration, from: StartingWeights(configuration.shapes, blocks: blocks, seed: seed), layout: .canonical)
    } catch { trap("CLIP.untrained: \(error)") }
  }
}

extension ImageBackbone {
  /// A vision transformer with a head, to be trained from scratch; the same for every use of a seed.
  package static func untrained(_ size: VisionConfiguration, classes: Int, seed: UInt64) -> ImageBackbone {
    let configuration = ImageConfiguration.visionTransformer(size)
    let weights = StartingWeights(
      configuration.shapes(classes: classes), blocks: ["vision": size.transformer.blocks], seed: seed)
    return make(configuration, weights, classes: classes)
  }
}
