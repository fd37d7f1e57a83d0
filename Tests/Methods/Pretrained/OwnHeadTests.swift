import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The head that a classifier was trained with, and what its folder calls the classes.
@Suite struct OwnHeadTests {
  private static let fixture = Fixtures.embedded.appendingPathComponent("peft/vit")

  private func head(_ json: String?) throws -> OwnHead {
    let folder = try TemporaryFolder()
    if let json { try folder.write(json, to: "config.json") }
    return try #require(try OwnHead(of: Pretrained.model(at: Self.fixture.path), at: folder.url))
  }

  @Test func namesAreThoseOfTheConfiguration() throws {
    let own = try OwnHead(of: Pretrained.model(at: Self.fixture.path), at: Self.fixture)
    #expect(own?.classes == ["tench, Tinca tinca", "goldfish", "a \"quoted\" shark"])
    #expect(try head("{\"num_classes\": 3, \"label_names\": [\"a\", \"b\", \"c\"]}").classes == ["a", "b", "c"])
    #expect(try head("{\"label2id\": {\"b\": 1, \"c\": \"2\", \"a\": 0}}").classes == ["a", "b", "c"])
    for json in [nil, "{}", "{\"id2label\": null}"] {
      #expect(try head(json).classes == ["class 0", "class 1", "class 2"])
    }
    #expect(try head("{\"problem_type\": \"multi_label_classification\"}").isMultiLabel)
    #expect(try !head("{}").isMultiLabel)
  }

  @Test(arguments: [
    ("[", "config.json: expected a JSON value"), ("[]", "config.json: expected a JSON object"),
    ("{\"id2label\": {\"0\": \"a\", \"1\": \"b\"}}", "config.json: id2label: expected 3 names"),
    ("{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"3\": \"c\"}}", "id2label: expected 3 names"),
    ("{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": 5}}", "id2label: expected 3 names"),
    ("{\"id2label\": [\"a\"]}", "id2label: expected 3 names, those of the head's classes, found no object"),
    ("{\"label2id\": {\"a\": 0, \"b\": 1, \"c\": 1}}", "label2id: expected 3 names"),
    ("{\"label_names\": [\"a\"]}", "label_names: expected 3 names, those of the head's classes, found 1"),
  ]) func otherNamesAreRefused(_ json: String, _ text: String) {
    #expect {
      try head(json)
    } throws: {
      "\($0)".contains(text)
    }
  }

  /// Of one class the softmax is 1 whatever the image.
  @Test func oneClassIsYesOrNo() throws {
    let folder = try TemporaryFolder()
    let fixture = try SafeTensorsFile(contentsOf: Self.fixture.appendingPathComponent("model.safetensors"))
    var writer = SafeTensorsWriter()
    for name in fixture.names where !name.hasPrefix("classifier.") { writer.add(name, try fixture.tensor(name)) }
    writer.add("classifier.weight", .zeros([1, try fixture.entry("classifier.weight").shape[1]]))
    writer.add("classifier.bias", .zeros([1]))
    try writer.write(to: folder.url.appendingPathComponent("model.safetensors"))
    let settings = try String(contentsOf: Self.fixture.appendingPathComponent("config.json"), encoding: .utf8)
    try folder.write(settings, to: "config.json")
    let model = try Pretrained.model(at: folder.url.path)
    #expect(try OwnHead(of: model, at: TemporaryFolder().url)?.isMultiLabel == true)
  }

  @Test func aHeadWithoutOneIsNone() throws {
    let clip = try Pretrained.model(at: Fixtures.embedded.appendingPathComponent("tiny-clip").path)
    #expect(try OwnHead(of: clip, at: Self.fixture) == nil)
  }

  /// The rows move with their names.
  @Test func classesMayBeInAnotherOrder() throws {
    let own = try head("{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}}")
    let tower = try Pretrained.model(at: Self.fixture.path).tower
    func logits(_ head: OwnHead) -> [Real] {
      let images = Tensor([1, 3, 8, 8], (0..<192).map { Real($0 % 7) - 3 })
      return Method(encoder: FrozenEncoder(), head: head.head, tower: tower).logits(.images(images), values: []).values
    }
    let other = try own.ordered(as: ["c", "a", "b"])
    #expect(other.classes == ["c", "a", "b"])
    #expect(logits(other) == [2, 0, 1].map { logits(own)[$0] })
    #expect(try own.named(["x", "y", "z"]).classes == ["x", "y", "z"])
    #expect(throws: RunError.self) { try own.named(["x"]) }
    for names in [["a", "b"], ["a", "b", "d"], ["a", "a", "b"]] {
      #expect(throws: RunError.self) { try own.ordered(as: names) }
    }
  }
}
