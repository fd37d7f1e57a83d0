import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Sizes deduced from the shapes of OpenAI's tensors.
@Suite struct OpenAIConfigurationTests {
  /// Names and shapes; nobody asks for numbers.
  private struct Shapes: TensorSource {
    let label = "model.safetensors"
    var shapes: [String: Shape]
    var names: [String] { shapes.keys.sorted() }
    func shape(of name: String) -> Shape? { shapes[name] }
    func tensor(_ name: String) -> Tensor { preconditionFailure("OpenAIConfigurationTests: nothing reads \(name)") }
  }

  @Test(arguments: PublishedResNet.all) func thePublishedSizes(_ published: PublishedResNet) throws {
    let source = Shapes(shapes: published.shapes)
    #expect(CLIPConfiguration.hasOpenAINames(source))
    let width = published.textWidth
    let text = TransformerConfiguration(
      width: width, hiddenWidth: 4 * width, blocks: 12, heads: width / 64, activation: .quickGELU, epsilon: 1e-5)
    #expect(
      try CLIPConfiguration(deducedFrom: source)
        == CLIPConfiguration(
          vision: .resNet(
            ResNetConfiguration(
              stages: published.stages, width: published.width, heads: published.heads,
              imageSize: published.imageSize)),
          text: TextConfiguration(transformer: text, vocabulary: 49408, contextLength: 77),
          embedding: published.embedding))
  }

  @Test func aVisionTransformer() throws {
    var shapes = PublishedResNet.all[0].shapes.filter { !$0.key.hasPrefix("visual.") }
    shapes["visual.proj"] = [768, 1024]
    shapes["visual.conv1.weight"] = [768, 3, 16, 16]
    shapes["visual.positional_embedding"] = [197, 768]
    for index in 0..<11 { shapes["visual.transformer.resblocks.\(index).ln_1.weight"] = [768] }
    let found = try CLIPConfiguration(deducedFrom: Shapes(shapes: shapes), activation: .gelu)
    let transformer = TransformerConfiguration(
      width: 768, hiddenWidth: 3072, blocks: 11, heads: 12, activation: .gelu, epsilon: 1e-5)
    #expect(
      found.vision == .visionTransformer(VisionConfiguration(transformer: transformer, imageSize: 224, patchSize: 16)))
    #expect(found.text.transformer.activation == .gelu && found.embedding == 1024)
  }

  private func message(_ edit: (inout [String: Shape]) -> Void) -> String {
    var shapes = PublishedResNet.all[0].shapes
    edit(&shapes)
    do throws(ConfigurationError) {
      return "\(try CLIPConfiguration(deducedFrom: Shapes(shapes: shapes)))"
    } catch { return error.description }
  }

  private static let extents = "extents from 1 to 16777216"

  /// A tensor, what takes its place, and what is said of it.
  @Test(
    arguments: [
      ("text_projection", nil, "a tensor of 2 extents, found no such tensor"),
      ("text_projection", [512], "2 \(extents), found [512]"),
      ("text_projection", [512, 0], "2 \(extents), found [512, 0]"),
      ("token_embedding.weight", [1 << 60, 0], "2 \(extents), found [\(1 << 60), 0]"),
      ("positional_embedding", nil, "a tensor of 2 extents, found no such tensor"),
      ("visual.conv3.weight", nil, "a tensor of 4 extents, found no such tensor"),
      ("visual.conv3.weight", [64, 32], "4 \(extents), found [64, 32]"),
      ("visual.conv3.weight", [1 << 61, 0, 3, 3], "4 \(extents), found [\(1 << 61), 0, 3, 3]"),
      ("visual.conv3.weight", [63, 32, 3, 3], "an even number of channels, found 63"),
      ("ln_final.weight", [500], "a multiple of 64, the head width, found 500"),
      (
        "visual.attnpool.positional_embedding", [51, 2048],
        "positions of a square of pixels and one more token, found 51"
      ),
      (
        "visual.attnpool.positional_embedding", [1, 2048],
        "positions of a square of pixels and one more token, found 1"
      ),
    ] as [(String, [Int]?, String)])
  func whatCannotBeIsNamed(tensor: String, extents: [Int]?, text: String) {
    let found = message { $0[tensor] = extents.map { Shape($0) } }
    #expect(found == "model.safetensors: tensor \"\(tensor)\": expected \(text)")
  }

  @Test func aStageWithoutBottlenecksIsNamed() {
    let found = message { shapes in shapes = shapes.filter { !$0.key.hasPrefix("visual.layer3.") } }
    #expect(
      found
        == "model.safetensors: tensor \"visual.layer3.0.conv1.weight\": expected a bottleneck in each of four stages, "
        + "found no such tensor")
  }

  /// A name with a number of its own does not make a loop of that length.
  @Test func numbersAreCountedNotBelieved() throws {
    var shapes = PublishedResNet.all[0].shapes
    shapes["visual.layer1.999999999.conv1.weight"] = [1]
    shapes["visual.layer1.x.conv1.weight"] = [1]
    guard case .resNet(let size) = try CLIPConfiguration(deducedFrom: Shapes(shapes: shapes)).vision else { return }
    #expect(size.stages == [4, 4, 6, 3])
  }
}
