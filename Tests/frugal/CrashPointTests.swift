#if DEBUG
  import Foundation
  import FrugalTestSupport
  import Testing

  /// A process that dies at any moment while it writes files: what it began is completed to the same bytes.
  ///
  /// The command stops at the N-th of these moments (`CrashPoint`), for every N until it comes to its end.
  @Suite struct CrashPointTests {
    /// Runs `words` with a stop at every moment, in a folder each.
    ///
    /// - recover: what a user does then, from the folder, until the result is there.
    /// - check: compares the folder with one that was never stopped.
    /// - Returns: the number of moments.
    private func walk(
      _ variable: String, _ words: @escaping @Sendable (TemporaryFolder) -> [String],
      recover: @escaping @Sendable (TemporaryFolder) async throws -> FrugalProcess.Outcome,
      check: @escaping @Sendable (TemporaryFolder, _ whole: TemporaryFolder) throws -> Void
    ) async throws -> Int {
      let whole = try TemporaryFolder()
      let outcome = try await runFrugal(words(whole))
      try #require(outcome.code == 0, "\(outcome.errors)")
      try check(whole, whole)
      let code: Int32 = variable == "FRUGAL_CRASH_AT" ? 86 : 1
      /// False at a moment after the last.
      @Sendable func isPassed(_ point: Int) async throws -> Bool {
        let folder = try TemporaryFolder()
        let stopped = try await runFrugal(words(folder), environment: [variable: "\(point)"])
        if stopped.code == 0 { return false }
        try #require(stopped.code == code, "\(variable)=\(point): \(stopped.errors)")
        let found = try await recover(folder)
        try #require(found.code == 0, "\(variable)=\(point): \(found.errors)")
        try check(folder, whole)
        // A part of a search that was complete is not written again.
        let left = folder.contents.filter {
          ($0.contains(".frugal-") || $0.hasSuffix(".partial")) && !$0.contains("/budget-")
        }
        #expect(left.isEmpty, "\(variable)=\(point)")
        return true
      }
      var count = 0
      while true {
        let points = count + 1...count + 6
        let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
          for point in points { group.addTask { try await isPassed(point) } }
          return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        count += passed
        if passed < points.count { return count }
      }
    }

    private func expectSame(_ files: [String], _ folder: TemporaryFolder, _ whole: TemporaryFolder) throws {
      for file in files { #expect(try folder.bytes(file) == whole.bytes(file), "\(file)") }
    }

    /// A new start where nothing was begun, else the run resumed.
    private func resume(_ folder: TemporaryFolder, _ words: [String]) async throws -> FrugalProcess.Outcome {
      guard folder.exists("run/config.json") else { return try await runFrugal(words) }
      return try await runFrugal("tune", "--resume", folder.path("run"))
    }

    @Test(arguments: ["FRUGAL_CRASH_AT", "FRUGAL_FAIL_AT"]) func ofATune(variable: String) async throws {
      @Sendable func words(_ folder: TemporaryFolder) -> [String] {
        Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("run")).map { $0 == "3" ? "2" : $0 }
      }
      let count = try await walk(variable, words) {
        try await resume($0, words($0))
      } check: {
        try expectSame(["delta.safetensors", "result.json", "predictions.jsonl"].map { "run/\($0)" }, $0, $1)
        #expect(try $0.metrics("run") == $1.metrics("run"))
      }
      #expect(count > 30)
    }

    @Test func ofABudgetSearch() async throws {
      let bench = try TemporaryFolder()
      let model = try TinyBackbone.write(to: bench)
      let data = try Workbench.picturesCopy()
      try FileManager.default.copyItem(atPath: data.path("pictures/test"), toPath: data.path("pictures/val"))
      for split in ["test", "val"] {
        for name in try FileManager.default.contentsOfDirectory(atPath: data.path("pictures/\(split)")) {
          for picture in try FileManager.default.contentsOfDirectory(atPath: data.path("pictures/\(split)/\(name)"))
            .sorted().dropFirst()
          { try data.remove("pictures/\(split)/\(name)/\(picture)") }
        }
      }
      @Sendable func words(_ folder: TemporaryFolder) -> [String] {
        [
          "tune", "--model", model, "--data", data.path("pictures"), "--method", "spt-lora", "--shots", "1",
          "--budget", "2000,3000", "--epochs", "1", "--batch", "4", "--crop", "center", "--force", "--out",
          folder.path("run"),
        ]
      }
      let count = try await walk("FRUGAL_CRASH_AT", words) {
        try await resume($0, words($0))
      } check: {
        try expectSame(
          ["delta.safetensors", "result.json", "predictions.jsonl", "budgets.json", "config.json"].map { "run/\($0)" },
          $0, $1)
        #expect(try $0.metrics("run") == $1.metrics("run"))
      }
      #expect(count > 60)
    }

    /// The next sweep takes over what the one that died had claimed, and tries again what failed. The second of its
    /// runs was complete before.
    @Test(arguments: ["FRUGAL_CRASH_AT", "FRUGAL_FAIL_AT"]) func ofASweep(variable: String) async throws {
      @Sendable func words(_ folder: TemporaryFolder) -> [String] {
        ["sweep", folder.path("plan.json"), "--out", folder.path("out")]
      }
      let plan = """
        {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 1}, "shots": [1],
         "methods": ["linear", "task-res"], "data": ["\(Workbench.pictures)"]}
        """
      let runs = ["linear", "task-res"].map { "out/pictures/\($0)/1-shot/seed-1" }
      let earlier = try TemporaryFolder()
      try earlier.write(plan.replacing(#""linear", "#, with: ""), to: "plan.json")
      try #require(try await runFrugal(words(earlier)).code == 0)
      let count = try await walk(variable) { folder in
        // A plan or a run that cannot be written is missed by the command or the check.
        _ = try? folder.write(plan, to: "plan.json")
        _ = try? folder.file(runs[1])
        try? FileManager.default.copyItem(atPath: earlier.path(runs[1]), toPath: folder.path(runs[1]))
        return words(folder)
      } recover: {
        try await runFrugal(words($0))
      } check: { folder, whole in
        for run in runs {
          let files = ["delta.safetensors", "result.json", "predictions.jsonl"].map { "\(run)/\($0)" }
          try expectSame(files, folder, whole)
          #expect(try folder.metrics(run) == whole.metrics(run))
        }
        #expect(folder.contents.filter { $0.contains(".sweep/") } == [])
      }
      #expect(count > 40)
    }

    @Test(arguments: [["--merged", "merged"], ["--merged", "merged.safetensors"], ["--peft", "adapter"]])
    func ofAnExport(target: [String]) async throws {
      let bench = try TemporaryFolder()
      let out = bench.url.appendingPathComponent("run")
      let method = target[0] == "--peft" ? "lora" : "r-amt"
      let words = Workbench.quickRun(method, out: out).filter { $0 != "--template" && $0 != "a {}" }
      let tuned = try await runFrugal(method == "lora" ? words : words + ["--template", "a {}"])
      try #require(tuned.code == 0, "\(tuned.errors)")
      @Sendable func export(_ folder: TemporaryFolder) -> [String] {
        [
          "export", "--model", Workbench.model, "--delta", bench.path("run/delta.safetensors"), target[0],
          folder.path(target[1]),
        ]
      }
      let count = try await walk("FRUGAL_CRASH_AT", export) { folder in
        // All of it is there, or nothing.
        if folder.exists(target[1]) { return try await runFrugal("--version") }
        return try await runFrugal(export(folder))
      } check: { folder, whole in
        let files = whole.contents
        for file in files where !file.hasPrefix(".") {
          var isFolder: ObjCBool = false
          #expect(FileManager.default.fileExists(atPath: folder.path(file), isDirectory: &isFolder), "\(file)")
          if !isFolder.boolValue { try expectSame([file], folder, whole) }
        }
      }
      #expect(count > 5)
    }

    @Test func ofAReport() async throws {
      let bench = try TemporaryFolder()
      let tuned = try await runFrugal(Workbench.quickRun("task-res", out: bench.url.appendingPathComponent("run")))
      try #require(tuned.code == 0, "\(tuned.errors)")
      @Sendable func words(_ folder: TemporaryFolder) -> [String] {
        ["report", bench.path("run"), "--out", folder.path("report.html")]
      }
      let count = try await walk("FRUGAL_CRASH_AT", words) {
        try await runFrugal(words($0))
      } check: {
        try expectSame(["report.html"], $0, $1)
      }
      #expect(count == 4)
    }
  }

  /// Two processes and one folder.
  @Suite struct RunLockTests {
    @Test func aRunThatIsAtWorkIsNotResumedByASecondProcess() async throws {
      let folder = try TemporaryFolder()
      let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
        .map { $0 == "3" ? "50000" : $0 }
      let first = try FrugalProcess(words)
      for _ in 0..<3000 where !folder.exists("run/checkpoint.safetensors") { usleep(10_000) }
      let second = try await runFrugal("tune", "--resume", folder.path("run"))
      expectRefusal(
        second, code: 1, ["run: expected a folder that no other process is writing, found process ", " on "])
      let third = try await runFrugal(words)
      #expect(third.code != 0)
      first.send(SIGKILL) { true }
      #expect(try await first.outcome().code == 128 + SIGKILL)
      // Death gives the lock back.
      let process = try FrugalProcess(["tune", "--resume", folder.path("run")])
      let before = try folder.bytes("run/metrics.jsonl").count
      process.send(SIGKILL) { (try? folder.bytes("run/metrics.jsonl").count) ?? 0 > before }
      let resumed = try await process.outcome()
      #expect(resumed.code == 128 + SIGKILL && resumed.errors.contains("resuming after step"), "\(resumed.errors)")
    }
  }
#endif
