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
    let failed = try await runFrugal(words + [pictures[0], missing, pictures[1]])
    expectRefusal(failed, code: 1, ["frugal predict: 1 of 3 images could not be read"])
    #expect(failed.errors.split(separator: "\n").count { $0.hasPrefix("\(missing): cannot be read") } == 1)
    #expect(
      failed.output.split(separator: "\n").map { $0.prefix { $0 != ":" } } == [pictures[0][...], pictures[1][...]])
    let json = try await runFrugal(words + ["--json", missing, pictures[0]])
    #expect(try json.code == 1 && json.json().array?.count == 1)
    #expect(try await runFrugal(words + ["--json", "--skip-unreadable", missing]).json().array?.isEmpty == true)
    let outcome = try await runFrugal(words + ["--skip-unreadable", missing, pictures[0]])
    #expect(outcome.code == 0)
    #expect(outcome.errors.contains("1 image skipped"))
    #expect(outcome.output.hasPrefix("\(pictures[0]): "))
    #expect(outcome.output.split(separator: "\n").count == 1)
  }

  /// Output and errors in one file: the answers before a bad file are there when it is named, those after it come
  /// later.
  @Test func answersComeAsTheyAreFound() async throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = FrugalProcess.executable
    let images = Array(repeating: pictures[0], count: 8)
    process.arguments =
      ["predict", "--model", Workbench.model, "--classes", "a,b"] + images + ["/no/such.jpg"] + [pictures[1]]
    let file = try FileHandle(forWritingTo: try folder.write("", to: "output"))
    (process.standardOutput, process.standardError) = (file, file)
    try process.run()
    process.waitUntilExit()
    let lines = String(decoding: try folder.bytes("output"), as: UTF8.self).split(separator: "\n")
    let starts = lines.map { String($0.prefix { $0 != ":" }) }
    #expect(starts == images + ["/no/such.jpg", pictures[1], "frugal predict"], "\(lines)")
  }

  @Test func pathsComeFromAFolderOrFromStandardInput() async throws {
    let words = ["predict", "--model", Workbench.model, "--classes", "a,b", "--top", "1"]
    let listed = try await runFrugal(words + ["-"], input: pictures.joined(separator: "\n") + "\r\n\n")
    #expect(listed.code == 0, "\(listed.errors)")
    #expect(listed.output == (try await runFrugal(words + pictures)).output)
    let folder = try await runFrugal(words + ["\(Workbench.pictures)/test/red_circle"])
    #expect(folder.code == 0 && folder.output.split(separator: "\n").count == 8)
    expectRefusal(try await runFrugal(words + ["-"], input: ""), code: 2, ["expected at least one image, found none"])
  }

  @Test func classNamesComeFromAFile() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("\u{FEFF}red circle\r\n\n  blue, or nearly \n", to: "classes.txt").path
    let words = ["predict", "--model", Workbench.model, "--json", pictures[0]]
    let classes = try await runFrugal(words + ["--classes", path]).json()[0]["classes"]
    #expect(Set(classes.array?.compactMap { $0["name"].string } ?? []) == ["red circle", "blue, or nearly"])
    for (name, text) in [("none.txt", "expected a file with one class name per line, found nothing")] {
      expectRefusal(try await runFrugal(words + ["--classes", folder.path(name)]), code: 1, [text])
    }
    for (bytes, text) in [([10, 32, 10], "found none"), ([255, 254], "found other bytes")] as [([UInt8], String)] {
      let odd = try folder.write(bytes, to: "odd.txt").path
      expectRefusal(try await runFrugal(words + ["--classes", odd]), code: 1, [text])
    }
  }

  @Test func classNamesMustComeFromSomewhere() async throws {
    expectRefusal(
      try await runFrugal("predict", "--model", Workbench.model, pictures[0]), code: 2,
      ["--classes: expected class names (A,B,… or a text file), as neither a delta nor data give them"])
  }
}
