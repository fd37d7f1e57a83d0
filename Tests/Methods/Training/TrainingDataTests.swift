import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct TrainingDataTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  /// The pictures of the clone in a folder of the given name, with the test split once more for validation.
  private func copy(_ name: String) throws -> URL {
    let folder = temporary.url.appendingPathComponent(name)
    let pictures = Fixtures.embedded.appendingPathComponent("pictures")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (from, to) in [("train", "train"), ("test", "test"), ("test", "val")] {
      try FileManager.default.copyItem(
        at: pictures.appendingPathComponent(from), to: folder.appendingPathComponent(to))
    }
    return folder
  }

  private func data(_ folder: URL, skipsUnreadable: Bool = false) throws -> TrainingData {
    try TrainingData(ImageFolder(contentsOf: folder), shots: nil, seed: 1, skipsUnreadable: skipsUnreadable)
  }

  /// A run may be resumed with its data elsewhere, but not with other pictures.
  @Test func theDigestIsThatOfClassAndFileNames() throws {
    let (one, other) = (try copy("one"), try copy("deeper/other"))
    let digest = try data(one).sha256
    #expect(try data(other).sha256 == digest)
    // Spelled out, as runs of other versions know it.
    let images = try ImageFolder(contentsOf: one)
    let validation = try #require(images.validation)
    let lines = [("train", images.train), ("val", validation)].flatMap { split, set in
      set.items.map { item in
        "\(split)/\(set.classes[item.label].replacing(" ", with: "_"))/\(item.url.lastPathComponent)\t\(item.label)\n"
      }
    }
    #expect(lines.first == "train/blue_triangle/00.png\t0\n")
    #expect(SHA256.digest(of: Array(lines.joined().utf8)).description == digest)
    let (before, after) = (
      other.appendingPathComponent("train/red_circle/00.png"), other.appendingPathComponent("train/red_circle/99.png")
    )
    try FileManager.default.moveItem(at: before, to: after)
    #expect(try data(other).sha256 != digest)
    try FileManager.default.moveItem(at: after, to: before)
    #expect(try data(other).sha256 == digest)
    try FileManager.default.removeItem(at: other.appendingPathComponent("val"))
    #expect(try data(other).sha256 != digest)
  }

  /// Equal names in other classes are other pictures.
  @Test func theDigestKnowsTheClassOfAFile() throws {
    let (one, other) = (try copy("one"), try copy("other"))
    for split in ["train", "test", "val"] {
      let root = other.appendingPathComponent(split)
      try FileManager.default.moveItem(
        at: root.appendingPathComponent("red_circle"), to: root.appendingPathComponent("red_disc"))
    }
    #expect(try data(one).sha256 != data(other).sha256)
  }

  /// Five of sixteen pictures are left in one class: a run of eight shots takes them all, and says so.
  @Test func aClassWithFewerImagesThanShotsIsTakenWhole() throws {
    let folder = try copy("one")
    let circles = folder.appendingPathComponent("train/red_circle")
    let files = try FileManager.default.contentsOfDirectory(atPath: circles.path)
    for name in files.sorted().dropFirst(5) {
      try FileManager.default.removeItem(at: circles.appendingPathComponent(name))
    }
    let images = try ImageFolder(contentsOf: folder)
    let data = try TrainingData(images, shots: 8, seed: 1)
    #expect(data.train.countByClass == [8, 8, 5, 8])
    #expect(data.short == [.init(className: "red circle", expected: 8, found: 5)])
    #expect(data.notes.first?.hasSuffix("than 8, all of which are used: red circle 5") == true && data.notes.count == 1)
    #expect(throws: FewShot.TooFewImages(className: "red circle", expected: 8, found: 5)) {
      try TrainingData(images, shots: 8, seed: 1, isStrict: true)
    }
    // Nothing is said of classes that are not trained on, nor where all images are.
    #expect(try TrainingData(images, shots: 8, seed: 1, classes: .base).notes.isEmpty)
    #expect(try TrainingData(images, shots: nil, seed: 1).notes.isEmpty)
    #expect(try TrainingData(images, shots: 5, seed: 1, isStrict: true).notes.isEmpty)
  }

  @Test func unreadablePicturesOfBothSplitsAreLeftOutOnlyWhereAsked() throws {
    let folder = try copy("one")
    let whole = try data(folder)
    for path in ["train/red_circle/zz.png", "val/green_square/zz.png"] {
      try Data("x".utf8).write(to: folder.appendingPathComponent(path))
    }
    let skipping = try data(folder, skipsUnreadable: true)
    #expect(skipping.unreadable.map { $0.name.split(separator: "/").suffix(3).first } == ["train", "val"])
    #expect(skipping.train == whole.train && skipping.validation == whole.validation)
    // What cannot be read is noticed when it is read, not left out in silence.
    let images = try ImageFolder(contentsOf: folder)
    let keeping = try TrainingData(images, shots: nil, seed: 1)
    #expect(keeping.unreadable.isEmpty)
    #expect(keeping.train == images.train && keeping.validation == images.validation)
    #expect(keeping.train.count == whole.train.count + 1)
  }
}

@Suite struct TrainingSourceTests {
  /// 64 pictures, more than go through the encoder at a time: each has the features it has alone.
  @Test func featuresArePictureByPicture() throws {
    let fixture = try RunFixture()
    let method = Method(
      encoder: FrozenEncoder(),
      head: TaskRes(textFeatures: .zeros([4, 32]), alpha: 0.5, logitScale: fixture.pretrained.model.logitScale),
      tower: fixture.pretrained.model.vision)
    let loader = ImageLoader(preprocessing: fixture.pretrained.preprocessing)
    var done: [Int] = []
    let set = fixture.images.train
    let source = try TrainingSource(set, for: method, loader) { done.append($0) }
    #expect(done == [32, 64])
    #expect(source.isCached && source.count == 64 && source.labels == set.items.map { Int32($0.label) })
    for index in [0, 1, 31, 32, 33, 63] {
      let picture = Variable(try loader.loadAll([(set.items[index].url, 0)]))
      let alone = method.tower(picture, Pass()).l2Normalized().value
      guard case .prepared(let features) = try source.input([index], epoch: 0) else {
        Issue.record("expected prepared features")
        continue
      }
      #expect(features == alone, "picture \(index)")
    }
  }
}
