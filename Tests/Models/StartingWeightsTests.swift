import Tensor
import Testing

@testable import Models

@Suite struct StartingWeightsTests {
  private static func transformer(_ width: Int, _ blocks: Int) -> TransformerConfiguration {
    TransformerConfiguration(
      width: width, hiddenWidth: 4 * width, blocks: blocks, heads: 2, activation: .quickGELU, epsilon: 1e-5)
  }

  private static let model = CLIP.untrained(
    CLIPConfiguration(
      vision: VisionConfiguration(transformer: transformer(64, 3), imageSize: 16, patchSize: 4),
      text: TextConfiguration(transformer: transformer(48, 2), vocabulary: 120, contextLength: 20), embedding: 32),
    seed: 7)

  private func deviation(_ name: String) throws -> (deviation: Double, count: Int) {
    let parameter = try #require(Self.model.parameters.first { $0.site.name == name })
    let values = parameter.value.values.map { Double($0) }
    return ((values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot(), values.count)
  }

  @Test func deviationsFollowTheRole() throws {
    let expected: [(String, Double)] = [
      ("vision.patchEmbedding", 1 / 48.0.squareRoot()), ("vision.classToken", 0.125), ("vision.positions", 0.125),
      ("vision.blocks.1.attention.query", 0.125), ("vision.blocks.2.attention.output", 0.125 / 6.0.squareRoot()),
      ("vision.blocks.0.mlp.up", 1 / 128.0.squareRoot()), ("vision.blocks.0.mlp.down", 0.125 / 6.0.squareRoot()),
      ("vision.projection", 0.125), ("text.tokens", 0.02), ("text.positions", 0.01),
      ("text.blocks.1.attention.output", 1 / (48.0 * 4).squareRoot()), ("text.projection", 1 / 48.0.squareRoot()),
    ]
    for (name, value) in expected {
      let (found, count) = try deviation(name)
      // Five standard errors of a deviation: 5 / √(2 n).
      #expect(abs(found / value - 1) < 5 / Double(2 * count).squareRoot(), "\(name): \(found) for \(value)")
    }
  }

  @Test func whatIsNotDrawn() {
    for parameter in Self.model.parameters {
      let values = Set(parameter.value.values)
      switch parameter.site.role {
      case .normScale: #expect(values == [1])
      case .normShift, .bias: #expect(values == [0])
      case .logitScale: #expect(abs(Double(parameter.value.scalar) - 2.659_260) < 1e-6)
      default: #expect(values.count > 1, "\(parameter.site)")
      }
    }
  }

  @Test func noTwoTensorsAreTheSame() {
    let drawn = Self.model.parameters.filter { Set($0.value.values).count > 1 }.map {
      Array($0.value.values.prefix(32))
    }
    #expect(Set(drawn).count == drawn.count && drawn.count > 20)
  }

  @Test func aHeadStartsSmall() throws {
    let size = VisionConfiguration(
      transformer: Self.transformer(64, 1), imageSize: 16, patchSize: 4, form: .classifier)
    let backbone = ImageBackbone.untrained(size, classes: 50, seed: 1)
    let head = try #require(backbone.head)
    let values = head.weight.value.values.map { Double($0) }
    let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    #expect(abs(deviation / 0.01 - 1) < 0.07 && backbone.classes == 50)
    #expect(ImageBackbone.untrained(size, classes: 50, seed: 2).head?.weight.value != head.weight.value)
  }
}
