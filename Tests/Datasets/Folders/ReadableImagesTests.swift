import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

@Suite struct ReadableImagesTests {
  @Test func setsKeepWhatCanBeReadInOrder() throws {
    let folder = try TemporaryFolder()
    let pictures = Fixtures.embedded.appendingPathComponent("pictures/train/red_circle")
    let good = try [0, 3, 6].map { number in
      try folder.write(
        [UInt8](try Data(contentsOf: pictures.appendingPathComponent("0\(number).png"))), to: "\(number).png")
    }
    let empty = try folder.write([], to: "1.png")
    let missing = folder.url.appendingPathComponent("2.jpg")
    let items = [(good[2], 1), (empty, 0), (good[0], 0), (missing, 1), (good[1], 1)]
    let set = ImageSet(items: items.map { LabelledImage(url: $0, label: $1) }, classes: ["a", "b"])
    let (kept, unreadable) = set.readable()
    #expect(kept.items.map(\.url) == [good[2], good[0], good[1]])
    #expect(kept.items.map(\.label) == [1, 0, 1])
    #expect(kept.classes == ["a", "b"])
    #expect(unreadable.map(\.name) == [empty.path, missing.path])
  }

  @Test func aWholeSetStaysAsItIs() throws {
    let folder = try ImageFolder(contentsOf: Fixtures.embedded.appendingPathComponent("pictures"))
    let (kept, unreadable) = folder.test.readable()
    #expect(kept == folder.test)
    #expect(unreadable.isEmpty)
    #expect(ImageSet(items: [], classes: []).readable().set.count == 0)
  }
}
