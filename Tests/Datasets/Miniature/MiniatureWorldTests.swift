import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite("Miniature world") struct MiniatureWorldTests {
  private static let task = MiniatureTask.named("eurosat")!

  private static func read(_ folder: URL, _ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func aTaskIsReadBackAsAnImageFolder() throws {
    let folder = try TemporaryFolder()
    let task = Self.task
    var reports: [Int] = []
    let isNew = try MiniatureWorld.write(task, to: folder.url) { done, all in
      #expect(all == 1120)
      reports.append(done)
    }
    #expect(isNew)
    #expect(reports == [512, 1024, 1120])
    let written = folder.url.appendingPathComponent("eurosat")
    let read = try ImageFolder(contentsOf: written)
    #expect(read.classNames == task.classes && read.ignored.isEmpty && read.untestedClasses.isEmpty)
    let sets = [
      (MiniatureTask.Split.train, read.train), (.validation, try #require(read.validation)), (.test, read.test),
    ]
    for (split, set) in sets {
      #expect(set.countByClass == Array(repeating: task.counts[split], count: 10))
      // Files of a class are in the order of their numbers: item k of class c is picture 10 k + c.
      for (position, item) in set.items.enumerated() where position % 17 == 0 {
        let index = position % task.counts[split] * 10 + item.label
        #expect(try Image(contentsOf: item.url) == task.image(split, index, seed: 1), "\(item.url.lastPathComponent)")
      }
    }
    #expect(try Self.read(written, "template.txt") == "a centered satellite photo of {}\n")
    #expect(MiniatureWorld.manifest(of: written)?.digest == MiniatureTaskTests.digests["eurosat"])
    #expect(try Image(contentsOf: written.appendingPathComponent("sheet.png")) == MiniatureWorld.sheet(of: task))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["eurosat"])
  }

  @Test func whatIsCompleteIsKeptAndWhatIsAnotherIsRefused() throws {
    let folder = try TemporaryFolder()
    let manifest = MiniatureWorld.Manifest(name: "eurosat", seed: 1, pictures: 1120)
    func publish(_ manifest: MiniatureWorld.Manifest) throws -> Bool {
      try MiniatureWorld.publish(manifest, in: folder.url) { (hidden) throws(FileError) in
        try MiniatureWorld.put("a", hidden.appendingPathComponent("a.txt"))
        return "digest"
      }
    }
    #expect(try publish(manifest))
    #expect(try !publish(manifest))
    #expect(try !MiniatureWorld.write(Self.task, to: folder.url))
    #expect(folder.contents == ["eurosat", "eurosat/a.txt", "eurosat/world.json"])
    for (seed, pictures) in [(UInt64(2), 1120), (1, 1121)] {
      let error = #expect(throws: MiniatureWorldError.self) {
        try publish(MiniatureWorld.Manifest(name: "eurosat", seed: seed, pictures: pictures))
      }
      let written = folder.url.appendingPathComponent("eurosat").path
      #expect(
        error?.description
          == "\(written): expected nothing, or \(pictures) images of eurosat, seed \(seed), version 2, "
          + "found 1120 of eurosat, seed 1, version 2")
    }
    #expect(throws: MiniatureWorldError.self) {
      try publish(MiniatureWorld.Manifest(version: 0, name: "eurosat", seed: 1, pictures: 1120))
    }
    // Another task goes beside it.
    #expect(try publish(MiniatureWorld.Manifest(name: "pets", seed: 5, pictures: 3)))
  }

  @Test func aFolderOfOtherThingsIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", to: "world/notes.txt")
    let written = folder.url.appendingPathComponent("world")
    let error = #expect(throws: MiniatureWorldError.self) { try MiniatureWorld.write(Self.task, to: written) }
    #expect(
      error?.description
        == "\(written.path): expected an empty folder, or one of this world's tasks, found \"notes.txt\" in it")
    #expect(folder.contents == ["world", "world/notes.txt"])
    // A folder of the task's name without a manifest that can be read.
    let other = try TemporaryFolder()
    try other.write("{", to: "eurosat/world.json")
    let second = #expect(throws: MiniatureWorldError.self) { try MiniatureWorld.write(Self.task, to: other.url) }
    #expect(second?.description.hasSuffix("found another folder") == true)
    #expect(other.contents == ["eurosat", "eurosat/world.json"])
  }

  @Test func aFailureLeavesNothingAndALeftoverIsReplaced() throws {
    let folder = try TemporaryFolder()
    let written = folder.url.appendingPathComponent("new/world")
    let manifest = MiniatureWorld.Manifest(name: "pets", seed: 1, pictures: 2)
    let full = FileError(file: "1.png", expected: "space for 7 more bytes", found: "no space left on device")
    #expect(throws: MiniatureWorldError.unwritable(full)) {
      try MiniatureWorld.publish(manifest, in: written) { (hidden) throws(FileError) in
        try MiniatureWorld.put("half", hidden.appendingPathComponent("0.png"))
        throw full
      }
    }
    #expect(folder.contents == ["new"])
    try folder.write("old", to: "new/world/.pets.partial/train/0.png")
    #expect(
      try MiniatureWorld.publish(manifest, in: written) { (hidden) throws(FileError) in
        try MiniatureWorld.put("whole", hidden.appendingPathComponent("1.png"))
        return ""
      })
    #expect(
      folder.contents == ["new", "new/world", "new/world/pets", "new/world/pets/1.png", "new/world/pets/world.json"])
  }

  @Test func aPlaceThatCannotBeAFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("x", to: "file")
    for written in [file, file.appendingPathComponent("below")] {
      let error = #expect(throws: MiniatureWorldError.self) { try MiniatureWorld.write(Self.task, to: written) }
      #expect(error?.description.hasPrefix(file.path) == true, "\(String(describing: error))")
    }
    #expect(folder.contents == ["file"])
  }

  @Test func pairsAreTheStreamOfPretraining() throws {
    let folder = try TemporaryFolder()
    #expect(try MiniatureWorld.writePairs(5, to: folder.url, seed: 3))
    let written = folder.url.appendingPathComponent("pretraining")
    let lines = try Self.read(written, "captions.tsv").split(separator: "\n").map { $0.split(separator: "\t") }
    let stream = Miniature.PretrainingStream(seed: 3)
    for index in 0..<5 {
      let pair = stream.pair(index, isLesson: false)
      #expect(lines[index].map(String.init) == ["000000\(index + 1).png", pair.caption])
      #expect(try Image(contentsOf: written.appendingPathComponent(String(lines[index][0]))) == pair.image)
    }
    #expect(lines.count == 5)
    #expect(try Image(contentsOf: written.appendingPathComponent("sheet.png")).width > 64)
  }
}
