import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Checkpoints of a ResNet that lack something, or have something wrong.
@Suite(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
struct ResNetWeightsTests {
  private struct Source: TensorSource {
    let label = "weights"
    var tensors: [String: Tensor]
    /// Shapes without numbers.
    var counters: [String] = []
    var names: [String] { (tensors.keys + counters).sorted() }
    func shape(of name: String) -> Shape? { tensors[name]?.shape }
    func tensor(_ name: String) -> Tensor { tensors[name] ?? .zeros([0]) }
  }

  private let configuration: CLIPConfiguration
  private let source: Source

  init() throws {
    let file = try SafeTensorsFile(contentsOf: Fixtures.url("clip/openai-rn.safetensors"))
    configuration = try CLIPConfiguration(deducedFrom: file)
    let counters = file.names.filter { $0.hasSuffix(".num_batches_tracked") }
    source = Source(
      tensors: try Dictionary(
        uniqueKeysWithValues: file.names.filter { !counters.contains($0) }.map { ($0, try file.tensor($0)) }),
      counters: counters)
  }

  private func error(_ source: Source) -> WeightsError? {
    do throws(WeightsError) {
      _ = try CLIP(configuration, from: source, layout: .openAIResNetCLIP)
      return nil
    } catch { return error }
  }

  @Test func everyTensorIsNeeded() {
    #expect(error(source) == nil)
    for (name, tensor) in source.tensors {
      var less = source
      less.tensors[name] = nil
      #expect(error(less) == .missing(file: "weights", tensor: name, expected: tensor.shape), "\(name)")
    }
    var without = source
    without.counters = []
    #expect(error(without) == nil)
  }

  @Test func everyTensorMustHaveItsShape() {
    for (name, tensor) in source.tensors {
      var other = source
      let shape = Shape(tensor.shape.extents + [1])
      other.tensors[name] = tensor.reshaped(to: shape)
      #expect(
        error(other) == .shape(file: "weights", tensor: name, expected: tensor.shape, found: shape, hint: ""), "\(name)"
      )
    }
  }

  @Test func aBottleneckTooManyIsSurplus() {
    var more = source
    more.tensors["visual.layer2.2.conv1.weight"] = .zeros([8, 32, 1, 1])
    more.tensors["visual.layer2.1.downsample.0.weight"] = .zeros([32, 32, 1, 1])
    #expect(
      error(more)
        == .surplus(
          file: "weights", tensors: ["visual.layer2.1.downsample.0.weight", "visual.layer2.2.conv1.weight"]))
  }

  @Test(arguments: [-1, -.infinity, .nan] as [Real]) func variancesAreNotNegative(_ value: Real) {
    var other = source
    var variance = [Real](repeating: 0, count: 8)
    #expect(source.tensors["visual.layer2.1.bn2.running_var"]?.shape == [8])
    other.tensors["visual.layer2.1.bn2.running_var"] = Tensor([8], variance)
    #expect(error(other) == nil)
    variance[7] = value
    other.tensors["visual.layer2.1.bn2.running_var"] = Tensor([8], variance)
    #expect(
      error(other)?.description
        == "weights: tensor \"visual.layer2.1.bn2.running_var\": expected variances of 0 or more, found \(value)")
  }
}
