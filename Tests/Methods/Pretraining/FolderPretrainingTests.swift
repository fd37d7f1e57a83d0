import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// A CLIP trained on images of a folder with captions.
@Suite(.serialized) struct FolderPretrainingTests {
  private let folder: TemporaryFolder

  /// The training pictures of the clone, in two sentences each: 64 images of 4 classes.
  init() throws {
    folder = try TemporaryFolder()
    let pictures = Fixtures.embedded.appendingPathComponent("pictures/train")
    try FileManager.default.copyItem(at: pictures, to: folder.url.appendingPathComponent("pairs"))
    for name in try FileManager.default.subpathsOfDirectory(atPath: pictures.path) where name.contains(".") {
      let words = name.split(separator: "/")[0].replacing("_", with: " ")
      let stem = (name as NSString).deletingPathExtension
      try folder.write("A \(words).\nthere is a \(words), it's \(words)\n", to: "pairs/\(stem).txt")
    }
  }

  private var pairs: CaptionedImages {
    get throws { try CaptionedImages(contentsOf: folder.url.appendingPathComponent("pairs")) }
  }

  private func settings(_ change: (inout FolderPretraining.Settings) -> Void = { _ in }) throws
    -> FolderPretraining.Settings
  {
    var settings = FolderPretraining.Settings(path: "pairs", sha256: try pairs.sha256, imageSize: 16, patchSize: 8)
    change(&settings)
    return settings
  }

  private func objective(batch: Int = 6) throws -> FolderPretraining {
    try FolderPretraining(try pairs, try settings(), batchSize: batch, seed: 3)
  }

  private static var recipe: PretrainingRecipe {
    var recipe = PretrainingRecipe(steps: 6, learningRate: 2e-3)
    (recipe.batchSize, recipe.warmupSteps, recipe.seed) = (6, 2, 3)
    (recipe.lessonShare, recipe.lessonShareAfterwards) = (0, 0)
    return recipe
  }

  /// The bytes of every file of a finished run.
  private func run(stops: [Int] = []) throws -> [String: [UInt8]] {
    let temporary = try TemporaryFolder()
    let folder = PretrainingFolder(temporary.url.appendingPathComponent("run"))
    try folder.create(.init(model: "clip", recipe: Self.recipe, pairs: try settings()))
    #expect(try folder.read().pairs == settings())
    for stop in stops {
      var step = 0
      let isFinished = try PretrainingRun(Pretraining(try objective(), Self.recipe), in: folder).run(
        shouldStop: { step == stop }, report: { step = $0.step })
      #expect(!isFinished && step == stop)
    }
    #expect(try PretrainingRun(Pretraining(try objective(), Self.recipe), in: folder).run())
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, [UInt8](try Data(contentsOf: folder.url.appendingPathComponent($0)))) })
  }

  @Test func aRunThatIsStoppedAndGoesOnIsTheSameForAnyNumberOfThreads() throws {
    let before = Parallel.requestedThreads
    defer { Parallel.threads = before }
    Parallel.threads = 1
    let whole = try run()
    Parallel.threads = 3
    #expect(try run(stops: [1, 4, 5]) == whole)
    let metrics = String(decoding: try #require(whole["metrics.jsonl"]), as: UTF8.self)
    #expect(metrics.contains("\"retrieval\"") && metrics.contains("\"isLesson\":false"))
  }

  /// An epoch shows every image once; its caption is one of its own, and each turns up.
  @Test func anEpochShowsEveryImageOnceWithOneOfItsCaptions() throws {
    let objective = try objective(batch: 8)
    #expect(objective.imageCount == 61 && objective.heldCount == 3 && objective.captionCount == 122)
    let (perEpoch, size) = (61 / 8, 8)
    var texts: Set<[Int32]> = []
    for epoch in 0..<2 {
      var seen: Set<[Real]> = []
      for index in 0..<perEpoch {
        let batch = try objective.batch(epoch * perEpoch + index, size: size, isLesson: false)
        #expect(batch.images.shape == [8, 3, 16, 16] && batch.ids.count == size)
        let pixels = batch.images.values
        for row in 0..<size { seen.insert(Array(pixels[row * 768..<(row + 1) * 768])) }
        for (row, end) in zip(batch.ids, batch.ends) { texts.insert(Array(row[0...end])) }
      }
      #expect(seen.count == perEpoch * size)
    }
    // Two captions of four classes.
    #expect(texts.count == 8)
    let again = try self.objective(batch: 8).batch(9, size: size, isLesson: false)
    let batch = try objective.batch(9, size: size, isLesson: true)
    #expect(batch.images == again.images && batch.ids == again.ids && batch.ends == again.ends)
  }

  @Test func theModelIsReadByTheOrdinaryReaders() throws {
    let objective = try objective()
    let out = folder.url.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    try objective.write(objective.parameters.map(\.value), to: out)
    let model = try PretrainedCLIP(contentsOf: out)
    #expect(model.warnings.isEmpty && model.model.configuration == objective.model.configuration.asStated)
    #expect(model.preprocessing.outputSize == (16, 16))
    // Words of the captions are single tokens: start, "a", "red", "circle", ".", end.
    #expect(model.directory.tokenizer.encode("A red circle.").count == 4)
    #expect(model.directory.tokenizer.encode("it's").count == 2)
  }

  @Test func captionsAreLearned() throws {
    var recipe = Self.recipe
    (recipe.steps, recipe.batchSize, recipe.learningRate, recipe.warmupSteps) = (120, 8, 2e-3, 10)
    let pretraining = Pretraining(try objective(batch: 8), recipe)
    var state = pretraining.start()
    let batch = try pretraining.objective.batch(0, size: 8, isLesson: false)
    var last = 0.0
    for _ in 0..<recipe.steps { last = pretraining.step(&state, on: batch).loss }
    // log 8 = 2.08 is chance; images of one class cannot be told apart by their words.
    #expect(last < 1.7)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    func message(_ change: (inout FolderPretraining.Settings) -> Void, batch: Int = 6) throws -> String {
      let pairs = try pairs
      let changed = try settings(change)
      let error = #expect(throws: (any Error).self) {
        try FolderPretraining(pairs, changed, batchSize: batch, seed: 3)
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(try message { $0.sha256 = "0" }.hasSuffix("found others (added, removed or changed since)"))
    #expect(
      try message { $0.patchSize = 5 } == "patch-size: expected a divisor of the image size 16, 2 or more, found 5")
    #expect(try message { $0.imageSize = 4 } == "image-size: expected 8 to 512, found 4")
    #expect(try message { $0.contextLength = 1 } == "contextLength: expected 2 to 1024, found 1")
    #expect(
      try message({ _ in }, batch: 62)
        == "batch: expected at most the 61 images of the folder besides 3 that are held out, found 62")
    // A checkpoint of other pairs.
    let run = PretrainingFolder(folder.url.appendingPathComponent("run"))
    try run.create(.init(model: "clip", recipe: Self.recipe, pairs: try settings()))
    _ = try PretrainingRun(Pretraining(try objective(), Self.recipe), in: run).run()
    try folder.write("other words", to: "pairs/red_circle/00.txt")
    #expect(throws: RunError.self) {
      try PretrainingRun(Pretraining(try objective(), Self.recipe), in: run).run()
    }
  }

  /// An image that cannot be read ends the run with its name.
  @Test func anUnreadableImageIsNamed() throws {
    let objective = try objective()
    for image in try pairs.items { try Data("x".utf8).write(to: image.url) }
    let error = #expect(throws: ImageError.self) { try objective.batch(0, size: 6, isLesson: false) }
    #expect(error.map { "\($0)".contains("pairs/") } == true)
  }

  /// A text that is longer than the context ends with the end token, where the text encoder reads it.
  @Test func aLongCaptionKeepsItsEnd() throws {
    let objective = try FolderPretraining(
      try pairs, try settings { $0.contextLength = 6 }, batchSize: 6, seed: 3)
    #expect(objective.cutCount == 61)
    let batch = try objective.batch(0, size: 6, isLesson: false)
    for (row, end) in zip(batch.ids, batch.ends) { #expect(row.count == 6 && row[end] == row.max()) }
  }
}
