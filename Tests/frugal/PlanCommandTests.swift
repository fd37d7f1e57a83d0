import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// `frugal plan` says what `frugal tune` then takes.
@Suite struct PlanCommandTests {
  /// The flags of a run without those that only a run has.
  private func words(_ method: String, _ more: [String] = []) -> [String] {
    let run = Workbench.quickRun(method, out: URL(fileURLWithPath: "run")).dropFirst().filter { $0 != "--force" }
    return ["plan"] + run.dropLast(2) + ["--crop", "center", "--json"] + more
  }

  private func part(_ name: String, of plan: JSONValue) throws -> JSONValue {
    try #require(plan["parts"].array?.first { $0["name"].string == name }, "\(name)")
  }

  /// The multiply-adds of the tiny image tower on one image, by the sizes of its configuration.
  private func forwardFLOP() throws -> Double {
    let file = URL(fileURLWithPath: Workbench.model).appendingPathComponent("config.json")
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
    let vision = json["vision_config"]
    func size(_ key: String) throws -> Double { Double(try #require(vision[key].int, "\(key)")) }
    let (width, hidden, patch) = (try size("hidden_size"), try size("intermediate_size"), try size("patch_size"))
    let patches = pow(try size("image_size") / patch, 2)
    let (tokens, embedding) = (patches + 1, Double(try #require(json["projection_dim"].int)))
    let maps = tokens * (4 * width * width + 2 * width * hidden)
    let attention = 2 * tokens * tokens * width
    let block = maps + attention
    return 2 * (patches * 3 * patch * patch * width + (try size("num_hidden_layers")) * block + width * embedding)
  }

  @Test func productsAreCountedByTheirShapes() async throws {
    let plan = try await runFrugal(words("linear")).json()
    let forward = try forwardFLOP()
    // 32 test images by the pretrained and by the tuned model; 8 training images once.
    #expect(try part("test", of: plan)["flops"].double == 64 * forward)
    #expect(try part("features", of: plan)["flops"].double == 8 * forward)
    // Logits and their gradient for the rows of the head: steps on features leave the encoder alone.
    let steps = try part("training", of: plan)
    #expect(steps["count"].int == 6)
    let embedding = try #require(plan["trainedParameters"].int)
    #expect(try #require(steps["flops"].double) < 6 * 4 * 8 * Double(embedding))
    #expect(try #require(steps["flops"].double) > 0)
  }

  /// A tuned encoder costs its backward pass, and a frozen one nothing.
  @Test func trainingCostsWhatIsTrained() async throws {
    let forward = try forwardFLOP()
    func perImage(_ method: String) async throws -> Double {
      let plan = try await runFrugal(words(method)).json()
      return try #require(try part("training", of: plan)["flops"].double) / (6 * 4)
    }
    let (full, lora, masks) = (try await perImage("full"), try await perImage("lora"), try await perImage("r-amt"))
    // Gradients of inputs and of weights are a forward pass each; low-rank branches need those of inputs only.
    #expect(full > 2.5 * forward && full < 3.3 * forward, "\(full / forward)")
    #expect(lora > 1.5 * forward && lora < full, "\(lora / forward)")
    // The teacher, and two losses.
    #expect(masks > 3 * forward && masks < 7 * forward, "\(masks / forward)")
  }

  /// Files have the sizes that were said; memory is that of the process, to a few megabytes of it.
  @Test(arguments: ["task-res", "lora"]) func filesAreAsLargeAsPlanned(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let plan = try await runFrugal(words(method)).json()
    let run = Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")) + ["--crop", "center"]
    #expect(try await runFrugal(run).code == 0)
    func planned(_ name: String) throws -> Int {
      try #require(plan["disk"].array?.first { $0["name"].string == name }?["bytes"].int)
    }
    let checkpoint = try folder.bytes("run/checkpoint.safetensors").count
    // Its header has numbers of a few digits.
    #expect(abs(try planned("checkpoint") - checkpoint) < 200)
    #expect(try planned("delta") == folder.bytes("run/delta.safetensors").count)
    let predictions = try folder.bytes("run/predictions.jsonl").count
    #expect(abs(try planned("predictions") - predictions) < predictions / 5)
    #expect(try #require(plan["memoryBytes"].int) > 10_000_000)
  }

  @Test func aSweepIsTheSumOfItsRuns() async throws {
    let folder = try TemporaryFolder()
    let text = """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 2, "lr": 0.01},
       "methods": ["linear", "lora"], "data": ["\(Workbench.pictures)"], "shots": [1, 2], "seeds": [1, 2, 3],
       "out": "\(folder.path("out"))"}
      """
    let file = try folder.write(text, to: "plan.json").path
    let plan = try await runFrugal("plan", file, "--json", "--cores", "1", "--cores", "1000", "--threads", "1").json()
    #expect(plan["total"]["count"].int == 12 && plan["parts"].array?.count == 2)
    #expect(plan["elapsed"].array?.compactMap { $0["cores"].int } == [1, 1000])
    let elapsed = plan["elapsed"].array?.compactMap { $0["seconds"].double } ?? []
    #expect(elapsed.count == 2 && elapsed[1] < elapsed[0])
    #expect(folder.contents == ["plan.json"])
    // What is done is not planned.
    #expect(try await runFrugal("sweep", file).code == 0)
    expectRefusal(try await runFrugal("plan", file), code: 1, ["expected runs that are not finished, found none"])
  }

  /// Before a search has chosen them, nobody knows the settings; the runs of the search are known.
  @Test func aSearchIsPlannedByItself() async throws {
    let folder = try Workbench.picturesCopy()
    try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    let text = """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "lr": 0.01},
       "methods": ["linear"], "data": ["\(folder.path("pictures"))"], "shots": [1], "seeds": [1],
       "search": {"grid": {"epochs": [2, 3]}, "seeds": [0]}, "out": "\(folder.path("out"))"}
      """
    let file = try folder.write(text, to: "plan.json").path
    expectRefusal(try await runFrugal("plan", file), code: 1, ["the settings of the plan are not chosen yet"])
    let plan = try await runFrugal("plan", file, "--search", "--json").json()
    #expect(plan["total"]["count"].int == 2)
  }

  @Test func flagsThatFitNothingAreRefused() async throws {
    expectRefusal(
      try await runFrugal(words("linear", ["--cores", "4"])), code: 2, ["--cores: expected the plan of a sweep"])
    expectRefusal(
      try await runFrugal(words("linear", ["--search"])), code: 2, ["--search: expected the plan of a sweep"])
    let folder = try TemporaryFolder()
    let file = try folder.write("{}", to: "plan.json").path
    expectRefusal(try await runFrugal("plan", file, "--epochs", "3"), code: 2, ["--epochs: cannot be combined"])
    expectRefusal(try await runFrugal("plan", "--resume", "run"), code: 2, ["--resume: unknown flag"])
    expectRefusal(try await runFrugal("plan"), code: 2, ["missing required flags"])
  }
}
