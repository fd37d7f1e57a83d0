import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct PredictTests {
  private let pictures = ["red_circle/00.png", "blue_triangle/01.jpg", "green_square/02.jpg"]
    .map { "\(Workbench.pictures)/test/\($0)" }

  @Test func probabilitiesAreADistributionInDescendingOrder() async throws {
    let outcome = try await runFrugal(
      ["predict", "--model", Workbench.model, "--classes", "red circle,blue triangle,green square", "--json"] + pictures
    )
    #expect(outcome.code == 0, "\(outcome.errors)")
    let answers = try #require(try outcome.json().array)
    #expect(answers.map { $0["picture"].string } == pictures)
    for answer in answers {
      let classes = try #require(answer["classes"].array)
      let probabilities = classes.compactMap { $0["probability"].double }
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-6)
      #expect(probabilities == probabilities.sorted(by: >))
      #expect(probabilities.allSatisfy { $0 > 0 })
      #expect(Set(classes.compactMap { $0["name"].string }) == ["red circle", "blue triangle", "green square"])
    }
  }

  @Test func theLikeliestClassIsTheAnswerThatEvaluateCounts() async throws {
    let folder = try TemporaryFolder()
    let run = Workbench.quickRun("r-amt+task-res", out: folder.url.appendingPathComponent("run"))
    #expect(try await runFrugal(run).code == 0)
    var (paths, labels) = ([String](), [String]())
    for name in ["blue_triangle", "green_square", "red_circle", "yellow_stripes"] {
      for file in try FileManager.default.contentsOfDirectory(atPath: "\(Workbench.pictures)/test/\(name)").sorted() {
        paths.append("\(Workbench.pictures)/test/\(name)/\(file)")
        labels.append(name)
      }
    }
    let outcome = try await runFrugal(
      ["predict", "--model", Workbench.model, "--delta", folder.path("run/delta.safetensors"), "--top", "1", "--json"]
        + paths)
    let answers = try #require(try outcome.json().array)
    #expect(answers.allSatisfy { $0["classes"].array?.count == 1 })
    let correct = zip(answers, labels).count { $0["classes"][0]["name"].string == $1 }
    #expect(correct == (try folder.result("run")["test"]["correct"].int))
    #expect(answers.count == 32)
  }

  @Test func picturesThatCannotBeReadAreNamedOrLeftOut() async throws {
    let words = ["predict", "--model", Workbench.model, "--classes", "a,b"]
    let missing = "/no/such/picture.jpg"
    expectRefusal(try await runFrugal(words + [pictures[0], missing]), code: 1, ["\(missing): cannot be read"])
    let outcome = try await runFrugal(words + ["--skip-unreadable", missing, pictures[0]])
    #expect(outcome.code == 0)
    #expect(outcome.errors.contains("1 image skipped"))
    #expect(outcome.output.hasPrefix("\(pictures[0]): "))
    #expect(outcome.output.split(separator: "\n").count == 1)
  }

  @Test func classNamesMustComeFromSomewhere() async throws {
    expectRefusal(
      try await runFrugal("predict", "--model", Workbench.model, pictures[0]), code: 2,
      ["--classes: expected class names, as there is neither --delta nor --data to give them"])
  }
}
