import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `predict` with a classifier's own head, on folders, with thresholds, as a table.
@Suite struct OwnHeadPredictionTests {
  private static let model = Fixtures.embedded.appendingPathComponent("peft/vit").path
  private static let names = ["tench, Tinca tinca", "goldfish", "a \"quoted\" shark"]
  private let picture = "\(Workbench.pictures)/test/red_circle/00.png"

  private func predict(_ words: String..., model: String = Self.model) async throws -> FrugalProcess.Outcome {
    try await runFrugal(["predict", "--model", model] + words)
  }

  private func probabilities(_ outcome: FrugalProcess.Outcome) throws -> [String: Double] {
    let classes = try #require(try outcome.json()[0]["classes"].array)
    return Dictionary(
      uniqueKeysWithValues: classes.map { ($0["name"].string ?? "", $0["probability"].double ?? -1) })
  }

  @Test func classesAreThoseOfTheHead() async throws {
    let found = try probabilities(try await predict(picture, "--json"))
    #expect(Set(found.keys) == Set(Self.names))
    #expect(abs(found.values.reduce(0, +) - 1) < 1e-6)
    let named = try probabilities(try await predict(picture, "--json", "--classes", "x,y,z"))
    #expect(named["x"] == found[Self.names[0]] && named["z"] == found[Self.names[2]])
    expectRefusal(
      try await predict(picture, "--classes", "x,y"), code: 1,
      ["classes: expected 3 names, those of the model's own head in its order, found 2"])
  }

  /// σ(z) of each logit: their odds are those of the softmax, times one number.
  @Test func sigmoidsAreProbabilitiesOfTheirOwn() async throws {
    let softmax = try probabilities(try await predict(picture, "--json"))
    let own = try probabilities(try await predict(picture, "--json", "--multi-label", "--threshold", "0"))
    #expect(Set(own.keys) == Set(softmax.keys))
    let factors = own.map { name, p in p / (1 - p) / (softmax[name] ?? 0) }
    for factor in factors { #expect(abs(factor / factors[0] - 1) < 1e-4) }
    let likely = try await predict(picture, "--json", "--multi-label")
    #expect(try likely.json()[0]["classes"].array?.count == own.values.count { $0 >= 0.5 })
    expectRefusal(
      try await predict(picture, "--multi-label", "--classes", "a,b", model: Workbench.model), code: 2,
      ["--multi-label: expected a linear head, trained or of the model, found texts to compare"])
  }

  @Test func theConfigurationMaySayMultiLabel() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.model, toPath: folder.path("model"))
    try folder.editJSON("model/config.json") { $0["problem_type"] = "multi_label_classification" }
    let stated = try await predict(picture, "--json", model: folder.path("model"))
    #expect(stated.errors.contains("problem_type is multi_label_classification"))
    #expect(stated.output == (try await predict(picture, "--json", "--multi-label")).output)
  }

  @Test func noneIsAnAnswerBelowTheThreshold() async throws {
    let best = try probabilities(try await predict(picture, "--json", "--top", "1")).values.first ?? 0
    let (below, above) = ("\(best - 0.001)", "\(best + 0.001)")
    let text = try await predict(picture, "--threshold", above)
    #expect(text.output.hasPrefix("\(picture): none (likeliest "), "\(text.output)")
    let json = try await predict(picture, "--threshold", above, "--json").json()
    #expect(json[0]["answer"].string == "none" && json[0]["classes"].array?.count == 0)
    let kept = try await predict(picture, "--threshold", below, "--json").json()
    #expect(kept[0]["answer"] == kept[0]["classes"][0]["name"])
    #expect(try await predict(picture, "--threshold", above, "--csv").output.hasSuffix(",1,none,\n"))
    expectRefusal(
      try await predict(picture, "--threshold", "2"), code: 2, ["--threshold: expected a number from 0.0 to 1.0"])
  }

  @Test func aTableHasOneRowPerClass() async throws {
    let outcome = try await predict(picture, "--csv")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "picture,rank,class,probability" && lines.count == 4)
    let found = try probabilities(try await predict(picture, "--json"))
    for line in lines.dropFirst() { #expect(line.hasPrefix("\(picture),")) }
    #expect(lines.contains { $0.contains(",\"tench, Tinca tinca\",\(found[Self.names[0]] ?? 0)") })
    #expect(lines.contains { $0.contains(",\"a \"\"quoted\"\" shark\",") })
    expectRefusal(try await predict(picture, "--csv", "--json"), code: 2, ["--csv: expected no --json with it"])
  }

  @Test func foldersAreSearchedForImages() async throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: picture)))
    for name in ["b/2.PNG", "b/a/1.png", "0.png", ".hidden/3.png", "b/.4.png"] {
      try folder.write(bytes, to: "pictures/\(name)")
    }
    try folder.write("no image", to: "pictures/b/notes.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("pictures/loop"), withDestinationPath: folder.path("pictures"))
    let outcome = try await predict(folder.path("pictures"), "--json")
    let found = try outcome.json().array?.compactMap { $0["picture"].string }
    #expect(found == ["0.png", "b/2.PNG", "b/a/1.png"].map { folder.path("pictures/\($0)") })
    #expect(outcome.errors.contains("note: skipped 2 files not named as images: "))
    #expect(outcome.errors.contains("pictures/b/notes.txt"))
    try folder.write("no image", to: "empty/notes.txt")
    expectRefusal(try await predict(folder.path("empty")), code: 1, ["empty: expected images, found 1 other file"])
  }

  @Test func aModelWithoutHeadNeedsADelta() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    #expect(try await predict(picture, model: model).output.contains("class "))
    let source = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: model))
    var writer = SafeTensorsWriter()
    for name in source.names where !name.hasPrefix("head.") { writer.add(name, try source.tensor(name)) }
    try writer.write(to: try folder.file("headless.safetensors"))
    expectRefusal(
      try await predict(picture, model: folder.path("headless.safetensors")), code: 2,
      ["--delta: missing required flag, as the model has neither a text encoder nor a head of its own"])
  }
}
