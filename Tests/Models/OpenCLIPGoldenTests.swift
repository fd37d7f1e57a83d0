import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// One set of weights under many configurations, against open_clip (`Tests/Fixtures/open-clip/make.py`).
@Suite struct OpenCLIPGoldenTests {
  private static let folder = Fixtures.embedded.appendingPathComponent("open-clip")

  private struct Golden {
    let ids: [[Int32]]
    let cases: [[String: Any]]

    init() throws {
      let data = try Data(contentsOf: OpenCLIPGoldenTests.folder.appendingPathComponent("cases.json"))
      let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      ids = try #require(json["ids"] as? [[Int]]).map { $0.map { Int32($0) } }
      cases = try #require(json["cases"] as? [[String: Any]])
    }
  }

  /// The weights without some of them.
  private struct Source: TensorSource {
    let file: SafeTensorsFile
    let without: Set<String>
    var label: String { file.label }
    var names: [String] { file.names.filter { !without.contains($0) } }
    func shape(of name: String) -> Shape? { without.contains(name) ? nil : file.shape(of: name) }
    func tensor(_ name: String) throws -> Tensor { try file.tensor(name) }
  }

  private func images(_ side: Int) -> Tensor {
    Tensor([2, 3, side, side]) { x in
      for index in 0..<6 * side * side { x[index] = Real(sin(0.37 * Double(index))) }
    }
  }

  private func statement(_ model: [String: Any]) throws -> OpenCLIPConfiguration {
    let folder = try TemporaryFolder()
    let data = try JSONSerialization.data(withJSONObject: ["model_cfg": model])
    try folder.write([UInt8](data), to: "open_clip_config.json")
    return try #require(try OpenCLIPConfiguration(in: folder.url))
  }

  @Test func featuresAreOpenCLIPs() throws {
    let golden = try Golden()
    #expect(golden.cases.count == 16)
    let file = try SafeTensorsFile(contentsOf: Self.folder.appendingPathComponent("model.safetensors"))
    for item in golden.cases {
      let name = try #require(item["name"] as? String)
      let stated = try statement(try #require(item["model_cfg"] as? [String: Any]))
      let source = Source(file: file, without: Set(try #require(item["without"] as? [String])))
      var deduction = OpenAIDeduction(source, stated, (.quickGELU, .assumed("nothing is")))
      let configuration = try deduction.configuration()
      #expect(stated.warnings == [] && deduction.origins.warnings == [], "\(name)")
      let model = try CLIP(configuration, from: source, layout: .openAICLIP)
      let found = model.vision(Variable(images(configuration.vision.imageSize)), Pass()).value.values
      let ends = golden.ids.map { configuration.text.form.pooling.index(in: $0, endOfText: 8) }
      let words = model.text(golden.ids, ends: ends, Pass()).value.values
      for (key, values) in [("image", found), ("text", words)] {
        let wanted = try #require(item[key] as? [Double])
        #expect(wanted.count == values.count, "\(name)")
        // Features are of size 1 to 10, and stored with six digits after the point.
        let worst = zip(wanted, values).map { abs($0 - Double($1)) }.max() ?? .infinity
        #expect(worst < 2e-5, "\(name), \(key): \(worst)")
      }
    }
  }
}
