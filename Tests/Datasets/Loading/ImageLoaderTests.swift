import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

/// The suite sets the number of threads, so its tests run one after the other.
@Suite(.serialized) struct ImageLoaderTests {
  private let preprocessing: Preprocessing
  private let files: [(url: URL, number: Int)]

  init() throws {
    preprocessing = try .clip(size: 24)
    let folder = try ImageFolder(contentsOf: Fixtures.embedded.appendingPathComponent("pictures"))
    files = folder.train.items.prefix(7).enumerated().map { ($1.url, $0) }
  }

  private func training(seed: UInt64) -> ImageLoader {
    ImageLoader(
      preprocessing: preprocessing,
      transform: .training(RandomResizedCrop(height: 24, width: 24, scale: 0.3...1), seed: seed))
  }

  /// The pixels of one picture of a batch.
  private func picture(_ index: Int, of images: Tensor) -> [Real] {
    let size = 3 * 24 * 24
    return Array(images.values[index * size..<(index + 1) * size])
  }

  @Test func evaluationIsThePreprocessingOfEachPicture() throws {
    let images = try ImageLoader(preprocessing: preprocessing).loadAll(files)
    #expect(images.shape == [7, 3, 24, 24])
    for (index, file) in files.enumerated() {
      let image = try Image(contentsOf: file.url)
      let alone = Tensor([3, 24, 24]) { preprocessing.apply(to: image, into: $0) }
      #expect(picture(index, of: images) == alone.values)
    }
  }

  @Test func evaluationKnowsNoEpochAndNoNumber() throws {
    let loader = ImageLoader(preprocessing: preprocessing)
    #expect(try loader.loadAll(files, epoch: 3) == loader.loadAll(files.map { ($0.url, 100 + $0.number) }, epoch: 9))
  }

  @Test func cropsAreKeyedBySeedEpochAndNumberAlone() throws {
    let loader = training(seed: 1)
    let images = try loader.loadAll(files, epoch: 2)
    // Not by the batch they are loaded in, nor their place in it.
    for (index, file) in files.enumerated() {
      #expect(try picture(0, of: loader.loadAll([file], epoch: 2)) == picture(index, of: images), "\(index)")
    }
    let reversed = try loader.loadAll(files.reversed(), epoch: 2)
    for index in files.indices { #expect(picture(6 - index, of: reversed) == picture(index, of: images)) }
    // But by each of the three.
    #expect(try loader.loadAll(files, epoch: 3) != images)
    #expect(try training(seed: 2).loadAll(files, epoch: 2) != images)
    let others = try loader.loadAll(files.map { ($0.url, $0.number + 7) }, epoch: 2)
    for index in files.indices { #expect(picture(index, of: others) != picture(index, of: images), "\(index)") }
  }

  @Test func viewsAreKeyedBySeedEpochAndNumber() throws {
    func loader(_ seed: UInt64) -> ImageLoader {
      let view = ContrastiveView(crop: RandomResizedCrop(height: 24, width: 24))
      return ImageLoader(preprocessing: preprocessing, transform: .contrastive(view, seed: seed))
    }
    let images = try loader(1).loadAll(files, epoch: 1)
    let alone = try loader(1).loadAll([files[3]], epoch: 1)
    #expect(picture(0, of: alone) == picture(3, of: images))
    let others = [
      try loader(2).loadAll(files, epoch: 1), try loader(1).loadAll(files, epoch: 0),
      try loader(1).loadAll(files.map { ($0.url, $0.number + 9) }, epoch: 1),
    ]
    for other in others { #expect(files.indices.allSatisfy { picture($0, of: other) != picture($0, of: images) }) }
  }

  @Test func picturesOfABatchAreCroppedDifferently() throws {
    let images = try training(seed: 1).loadAll((0..<8).map { (files[0].url, $0) })
    #expect(Set((0..<8).map { picture($0, of: images) }).count == 8)
  }

  @Test func threadsDoNotShow() throws {
    let before = Parallel.threads
    defer { Parallel.threads = before }
    let loader = training(seed: 5)
    let found = try [1, 2, 3, 8].map { threads in
      Parallel.threads = threads
      return try loader.loadAll(files, epoch: 1)
    }
    #expect(found.allSatisfy { $0 == found[0] })
  }

  @Test func picturesThatCannotBeReadAreLeftOutAndNamed() throws {
    let folder = try TemporaryFolder()
    let broken = try folder.write("text", to: "broken.png")
    let missing = folder.url.appendingPathComponent("missing.jpg")
    let wanted = [(missing, 0), files[1], (broken, 2), files[3]]
    let loader = ImageLoader(preprocessing: preprocessing)
    let batch = loader.load(wanted)
    #expect(batch.kept == [1, 3])
    #expect(batch.unreadable.map(\.name) == [missing.path, broken.path])
    #expect(batch.images == (try loader.loadAll([files[1], files[3]])))
    #expect(throws: batch.unreadable[0]) { try loader.loadAll(wanted) }
    #expect(loader.load([(missing, 0)]).images.shape == [0, 3, 24, 24])
  }

  @Test func nothingLoadsAsAnEmptyBatch() throws {
    let batch = training(seed: 1).load([])
    #expect(batch.images.shape == [0, 3, 24, 24] && batch.kept.isEmpty && batch.unreadable.isEmpty)
  }
}
