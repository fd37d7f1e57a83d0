import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Checkpoints of a ResNet that lack something, or have something wrong.
@Suite(.golden(.clip, having: "openai-rn.safetensors")) struct ResNetWeightsTests {
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
    let file = try SafeTensorsFile(contentsOf: GoldenSet.clip.url("openai-rn.safetensors"))
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

  @Test func aBottleneckTooManyIsSurplus() throws {
    guard case .resNet(let size) = configuration.vision else { return }
    // A bottleneck after the last of a stage, and a downsample of one that is not the first.
    let stage = try #require(size.stages.firstIndex { $0 > 1 }, "expected a stage of several bottlenecks")
    let surplus = [
      "visual.layer\(stage + 1).1.downsample.0.weight", "visual.layer\(stage + 1).\(size.stages[stage]).conv1.weight",
    ]
    var more = source
    for name in surplus { more.tensors[name] = .zeros([8, 32, 1, 1]) }
    #expect(error(more) == .surplus(file: "weights", tensors: surplus.sorted()))
  }

  @Test(arguments: [-1, -.infinity, .nan] as [Real]) func variancesAreNotNegative(_ value: Real) throws {
    var other = source
    let name = "visual.layer2.0.bn2.running_var"
    let shape = try source.tensors.required(name, [nil]).shape
    var variance = [Real](repeating: 0, count: shape.count)
    other.tensors[name] = Tensor(shape, variance)
    #expect(error(other) == nil)
    variance[shape.count - 1] = value
    other.tensors[name] = Tensor(shape, variance)
    let expected = value.isFinite ? "variances of 0 or more" : "finite numbers"
    #expect(
      error(other)?.description.hasPrefix("weights: tensor \"\(name)\": expected \(expected), found \(value)") == true)
  }
}
