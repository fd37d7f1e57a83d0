import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Features of a frozen encoder, computed once for training and for validation.
@Suite struct FrozenFeaturesTests {
  private let data: TemporaryFolder
  private let fixture: RunFixture

  init() throws {
    data = try TemporaryFolder()
    let folder = data.url.appendingPathComponent("data")
    try FileManager.default.copyItem(at: Fixtures.embedded.appendingPathComponent("pictures"), to: folder)
    try FileManager.default.copyItem(
      at: folder.appendingPathComponent("test"), to: folder.appendingPathComponent("val"))
    fixture = try RunFixture(data: folder)
  }

  /// A cached split has the accuracy of an evaluation of its images, at every epoch.
  @Test(arguments: ["task-res", "linear"]) func accuracyIsThatOfTheImages(_ method: String) throws {
    let run = try SteppedRun(
      try fixture.makeRun(method, folder: method, selection: .validation) {
        ($0.augments, $0.epochs) = (false, 5)
      })
    try run.base.folder.create(run.base.configuration)
    let validation = try #require(run.base.data.validation)
    var state = run.trainer.start()
    var found: [(cached: Double?, read: Double)] = []
    while state.epoch < 5 {
      var (taken, metrics) = (0, [EpochMetrics]())
      let steps = run.trainer.stepsPerEpoch
      _ = try run.trainer.run(
        &state, shouldStop: { taken >= steps },
        report: { event in
          switch event {
          case .step: taken += 1
          case .epoch(let epoch): metrics.append(epoch)
          }
        })
      let read = try Evaluation(
        run.method, values: state.values, on: validation, preprocessing: run.base.pretrained.preprocessing)
      found.append((metrics.last?.validationAccuracy, read.accuracy))
    }
    #expect(found.count == 5 && found.allSatisfy { $0.cached == $0.read }, "\(found)")
  }

  /// The images are read for the first epoch: the others do without.
  @Test(arguments: [("task-res", true), ("r-amt", false)])
  func imagesAreReadOnceWhereTheEncoderIsFrozen(_ method: String, _ isCached: Bool) throws {
    let run = try SteppedRun(
      try fixture.makeRun(method, folder: method, selection: .validation) { $0.augments = false })
    try run.base.folder.create(run.base.configuration)
    var state = run.trainer.start()
    func rest() throws -> Bool {
      try run.trainer.run(
        &state,
        report: { event in
          guard case .epoch(let metrics) = event, metrics.epoch == 1 else { return }
          try? FileManager.default.removeItem(at: data.url.appendingPathComponent("data/val"))
        })
    }
    if isCached { #expect(try rest()) } else { #expect(throws: ImageError.self) { try rest() } }
  }

  /// Stochastic depth acts in training only: validation features stay all the same.
  @Test func stochasticDepthIsNoneInTheRecipeOfAFrozenEncoder() throws {
    for (depth, isCached) in [(nil, true), (0.1, false)] as [(Double?, Bool)] {
      let run = try SteppedRun(
        try fixture.makeRun("linear", folder: "\(isCached)") { if let depth { $0.stochasticDepth = depth } })
      #expect(run.trainer.source.isCached == isCached)
    }
  }

  @Test func progressCountsTheImagesOfOneModelAtATime() throws {
    let run = try fixture.makeRun("task-res", folder: "run") { $0.augments = false }
    var seen: [(String, Int, Int)] = []
    let result = try run.train(report: { event in
      if case .evaluating(let what, let done, let count) = event { seen.append(("\(what)", done, count)) }
    })
    #expect(result.test.total == 32)
    #expect(seen.map(\.0) == ["frozen", "tuned"] && seen.allSatisfy { $0.1 == 32 && $0.2 == 32 })
  }
}
