import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct RunTests {
  private let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func message(_ change: (inout RunConfiguration) -> Void) throws -> String {
    let base = try fixture.makeRun("r-amt", folder: "run")
    var configuration = base.configuration
    change(&configuration)
    do {
      _ = try Run(configuration, fixture.pretrained, base.data, in: base.folder)
      return ""
    } catch { return "\(error)" }
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    #expect(try message { _ in } == "")
    #expect(
      try message { $0.method = "magic" }
        .hasSuffix("config.json: method: expected a known one, found \"magic\""))
    #expect(
      try message { $0.model.sha256 = "0123456789abcdef" }.hasPrefix(
        "model: expected the model of the run, SHA-256 0123456789ab…, found "))
    #expect(try message { $0.data.sha256 = "0" }.contains(": expected the images of the run, found others"))
    #expect(try message { $0.precision = "Half" }.contains("found one of another (Half, fused: "))
    #expect(try message { $0.isFused.toggle() }.contains("config.json: expected a run of this build"))
  }

  @Test func methodsAreMadeAsTheirNamesSay() throws {
    for (name, trainables, hasTeacher) in [
      ("r-amt", 13, true), ("mask-tuning", 13, false), ("r-mmt", 6, true), ("r-mt", 19, true), ("r-pmt", 19, true),
      ("task-res", 1, false), ("r-amt+task-res", 14, true),
    ] {
      let base = try fixture.makeRun(name, folder: name)
      let method = try base.method(textFeatures: try base.textFeatures())
      #expect(method.trainables.count == trainables, "\(name)")
      #expect(method.encoder.needsTeacher == hasTeacher, "\(name)")
      #expect(method.hasFrozenEncoder == (name == "task-res"), "\(name)")
    }
  }

  @Test func featuresAreCachedOnlyWhereNothingIsRandomOrTuned() throws {
    for (name, augments, isCached) in [
      ("task-res", false, true), ("task-res", true, false), ("r-amt", false, false), ("r-amt", true, false),
    ] {
      let run = try SteppedRun(try fixture.makeRun(name, folder: "\(name)-\(augments)") { $0.augments = augments })
      #expect(run.trainer.source.isCached == isCached, "\(name)")
      #expect(run.trainer.source.count == 8 && run.trainer.source.labels == [0, 0, 1, 1, 2, 2, 3, 3])
    }
  }

  @Test func cachedFeaturesTrainAsPicturesDo() throws {
    let base = try fixture.makeRun("task-res", folder: "run") { $0.augments = false }
    let run = try SteppedRun(base)
    let images = try base.trainer(run.method, on: .images(base.data.train, base.loader))
    try base.folder.create(base.configuration)
    var (cached, read) = (run.trainer.start(), images.start())
    #expect(try run.trainer.run(&cached) && images.run(&read))
    #expect(cached.values == read.values)
    #expect(cached.values[0] != run.trainer.start().values[0])
  }

  @Test func nothingOfTheTestSplitIsReadBeforeTheEnd() throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    try FileManager.default.copyItem(at: Fixtures.embedded.appendingPathComponent("pictures"), to: data)
    let fixture = try RunFixture(data: data)
    // Gone after the folder was listed: whoever reads it now fails.
    try FileManager.default.removeItem(at: data.appendingPathComponent("test"))
    for name in ["r-amt", "r-pmt", "task-res"] {
      let run = try SteppedRun(try fixture.makeRun(name, folder: name))
      try run.base.folder.create(run.base.configuration)
      let state = try run.run().state
      #expect(throws: ImageError.self) { try run.finish(state) }
      #expect(FileManager.default.fileExists(atPath: run.base.folder.delta.path))
      #expect(!FileManager.default.fileExists(atPath: run.base.folder.result.path))
    }
  }

  @Test func picturesAreDrawnBySeed() throws {
    func items(_ seed: Int, shots: Int?) throws -> [LabelledImage] {
      try TrainingData(fixture.images, shots: shots, seed: seed).train.items
    }
    #expect(try items(1, shots: 2) == items(1, shots: 2))
    #expect(try items(1, shots: 2) != items(2, shots: 2))
    #expect(try items(1, shots: nil) == fixture.images.train.items)
    let (one, two) = (
      try TrainingData(fixture.images, shots: 2, seed: 1).sha256,
      try TrainingData(fixture.images, shots: 2, seed: 2).sha256
    )
    #expect(one != two && one.count == 64)
  }
}
