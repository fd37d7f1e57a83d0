import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct WeightIdentityTests {
  private let tensors: [(name: String, value: Tensor)] = [
    ("vision.blocks.0.mlp.up", CheckNumbers(seed: 1).tensor([3, 4], scale: 1)),
    ("vision.blocks.0.mlp.up.bias", CheckNumbers(seed: 2).tensor([3], scale: 1)),
    ("vision.positions", CheckNumbers(seed: 3).tensor([5, 2], scale: 1)),
  ]

  private func identity(_ change: (inout [(name: String, value: Tensor)]) -> Void = { _ in }) -> WeightIdentity {
    var tensors = tensors
    change(&tensors)
    return WeightIdentity(tensors)
  }

  @Test func theOrderOfTensorsDoesNotMatter() {
    #expect(identity() == identity { $0.reverse() })
    #expect(identity().sha256.utf8.count == 64 && identity().parts.utf8.count == 2 * 4)
  }

  @Test func namesShapesAndValuesMatter() {
    let changed = [
      identity { $0[1].name = "vision.blocks.0.mlp.down.bias" },
      identity { $0[0].value = $0[0].value.reshaped(to: [4, 3]) },
      identity { $0[2].value = $0[2].value.map { Real(Float($0).nextUp) } },
      identity { $0.removeLast() },
    ]
    for (index, other) in changed.enumerated() { #expect(other.sha256 != identity().sha256, "\(index)") }
    // What changed in a block is no other part's business.
    #expect(changed[0].parts.suffix(4) == identity().parts.suffix(4))
    #expect(changed[2].parts.prefix(4) == identity().parts.prefix(4))
    #expect(changed[2].parts.suffix(4) != identity().parts.suffix(4))
  }

  /// 2⁻³⁰ below or above 1 is 1 in 32 bits, in which weights are stored and compared.
  @Test func valuesAreComparedAsTheyAreStored() {
    let one = identity { $0[1].value = Tensor([3], repeating: 1) }
    #expect(one == identity { $0[1].value = Tensor([3], repeating: Real(1 + 0x1p-30)) })
  }

  @Test func thePartsThatDifferAreNamed() throws {
    let folder = try TemporaryFolder()
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip")
    let model = try PretrainedCLIP(contentsOf: url)
    try FileManager.default.copyItem(at: url, to: folder.url.appendingPathComponent("model"))
    let weights = folder.url.appendingPathComponent("model/model.safetensors")
    let source = try SafeTensorsFile(contentsOf: weights)
    func rewrite(_ type: ElementType, _ names: [String], metadata: [String: String]) throws -> PretrainedCLIP {
      var writer = SafeTensorsWriter(metadata: metadata)
      for name in source.names { writer.add(name, try source.tensor(name), as: names.contains(name) ? type : .real) }
      try FileManager.default.removeItem(at: weights)
      try writer.write(to: weights)
      return try PretrainedCLIP(contentsOf: folder.url.appendingPathComponent("model"))
    }
    let own = try WeightIdentity(of: model)
    let same = try rewrite(.f16, [], metadata: ["format": "other"])
    #expect(same.sha256 != model.sha256)
    #expect(try WeightIdentity(of: same) == own)
    let positions = "text_model.embeddings.position_embedding.weight"
    let other = try rewrite(.f16, [positions, "vision_model.encoder.layers.1.mlp.fc1.weight"], metadata: [:])
    let found = try WeightIdentity(of: other)
    #expect(found != own)
    let words = try own.difference(from: found, of: other)
    #expect(words.contains("2 of ") && words.contains("differ (text.positions, vision.blocks.1)"), "\(words)")
    var fewer = own
    fewer.parts.removeLast(4)
    #expect(try fewer.difference(from: found, of: other).hasPrefix("a model of "))
  }
}
