import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct WeightReaderTests {
  /// Tensors in memory.
  private struct Source: TensorSource {
    let label = "weights"
    var tensors: [String: Tensor]
    var broken: Set<String> = []
    var names: [String] { tensors.keys.sorted() }
    func shape(of name: String) -> Shape? { tensors[name]?.shape }
    func tensor(_ name: String) throws -> Tensor {
      if broken.contains(name) { throw FileError(file: "weights", expected: "bytes", found: "none") }
      return tensors[name] ?? .zeros([0])
    }
  }

  /// The tiny model of the clone, and its tensors by stored name.
  private func tiny() throws -> (CLIPConfiguration, Source) {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip")
    let file = try SafeTensorsFile(contentsOf: url.appendingPathComponent("model.safetensors"))
    let tensors = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor($0)) })
    return (
      try CLIPConfiguration(contentsOf: url.appendingPathComponent("config.json")), Source(tensors: tensors)
    )
  }

  private func error(_ configuration: CLIPConfiguration, _ source: Source) -> WeightsError? {
    do throws(WeightsError) {
      _ = try CLIP(configuration, from: source, layout: .huggingFaceCLIP)
      return nil
    } catch { return error }
  }

  @Test func everyTensorIsNeeded() throws {
    let (configuration, source) = try tiny()
    #expect(error(configuration, source) == nil)
    for (name, tensor) in source.tensors {
      var less = source
      less.tensors[name] = nil
      let found = error(configuration, less)
      #expect(found == .missing(file: "weights", tensor: name, expected: tensor.shape), "\(name)")
      #expect(
        found?.description == "weights: tensor \"\(name)\": expected shape \(tensor.shape), found no such tensor")
    }
  }

  @Test func everyTensorMustHaveItsShape() throws {
    let (configuration, source) = try tiny()
    for (name, tensor) in source.tensors {
      var other = source
      let shape = Shape(tensor.shape.extents.reversed() + [1])
      other.tensors[name] = .zeros(shape)
      #expect(
        error(configuration, other)
          == .shape(file: "weights", tensor: name, expected: tensor.shape, found: shape, hint: ""), "\(name)")
    }
  }

  @Test func transposedMatricesAreSuspected() throws {
    var (configuration, source) = try tiny()
    source.tensors["visual_projection.weight"] = .zeros([64, 32])
    #expect(
      error(configuration, source)?.description
        == "weights: tensor \"visual_projection.weight\": expected shape [32, 64], found [64, 32] (transposed?)")
  }

  @Test func surplusTensorsAreListed() throws {
    var (configuration, source) = try tiny()
    source.tensors["text_model.embeddings.position_ids"] = .zeros([1, 32])
    #expect(error(configuration, source) == nil)
    for index in 0..<7 { source.tensors["x\(index)"] = .zeros([1]) }
    #expect(error(configuration, source) == .surplus(file: "weights", tensors: (0..<7).map { "x\($0)" }))
    #expect(error(configuration, source)?.description.hasSuffix("\"x3\", \"x4\" and 2 more") == true)
  }

  @Test func unreadableTensorsKeepTheirReason() throws {
    var (configuration, source) = try tiny()
    source.broken = ["logit_scale"]
    #expect(error(configuration, source) == .unreadable("weights: expected bytes, found none"))
  }
}
