import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

@Suite struct ImageLayoutTests {
  private func folder(_ paths: String...) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    // Each file has contents of its own.
    for path in paths { try folder.write(Array(path.utf8), to: path) }
    return folder
  }

  private func names(_ set: ImageSet?) -> [String] { (set?.items ?? []).map(\.name) }

  private func message(
    _ folder: TemporaryFolder, drawing: DrawnSplit? = nil
  ) throws -> String {
    let error = try #require(throws: ImageFolderError.self) {
      try ImageFolder(contentsOf: folder.url, drawing: drawing)
    }
    return error.description.replacingOccurrences(of: folder.url.path, with: "DATA")
  }

  @Test(arguments: [
    ("Train", "VAL", "Test"), ("train", "valid", "test"), ("TRAIN", "Validation", "TEST"),
  ]) func splitsHaveSeveralNames(_ train: String, _ validation: String, _ test: String) throws {
    let folder = try folder("\(train)/a/1.png", "\(validation)/a/2.png", "\(test)/a/3.png")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(names(data.train) == ["\(train)/a/1.png"] && names(data.validation) == ["\(validation)/a/2.png"])
    #expect(names(data.test) == ["\(test)/a/3.png"] && !data.isTestValidation)
    #expect(data.notes.filter { !$0.contains("1 class only") }.isEmpty)
  }

  @Test(arguments: ["val", "valid", "Validation"]) func validationIsEvaluatedWithoutTest(_ name: String) throws {
    let folder = try folder("train/a/1.png", "\(name)/a/2.png")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(names(data.test) == ["\(name)/a/2.png"] && data.validation == nil && data.isTestValidation)
    #expect(data.notes.contains("note: there is no test split: \(name), which selects nothing then, is evaluated"))
    #expect(data.keeping(.base).isTestValidation)
  }

  @Test func severalFoldersOfOneSplitAreRefused() throws {
    #expect(
      try message(folder("train/a/1.png", "val/a/2.png", "valid/a/3.png"))
        == "DATA: expected one folder for val, found val and valid")
  }

  @Test func splitsMustBeThereOrDrawn() throws {
    #expect(
      try message(folder("cat/1.png", "dog/1.png"))
        == "DATA: expected splits train and test, or how to draw them, found neither")
    let drawing = try #require(DrawnSplit(shares: [0.5, 0.5], seed: 1))
    #expect(
      try message(folder("train/a/1.png", "test/a/1.png"), drawing: drawing)
        == "DATA: expected no splits, as they are to be drawn, found some")
    #expect(
      try message(folder("x"), drawing: drawing)
        == "DATA: expected one folder per class, found no folder with images")
    #expect(
      try message(folder("a/1.png", "b/x"), drawing: drawing)
        == "DATA/b: expected images (files with an ending such as .jpg or .png), found none")
  }

  /// Splits by the draw alone: a class may be called train, too.
  @Test func classesAreDivided() throws {
    let folder = try TemporaryFolder()
    for index in 0..<120 {
      for name in ["car", "train"] { try folder.write(Array("\(name) \(index)".utf8), to: "\(name)/sub/\(index).png") }
    }
    let drawing = try #require(DrawnSplit(shares: [0.6, 0.2, 0.2], seed: 3))
    let data = try ImageFolder(contentsOf: folder.url, drawing: drawing)
    #expect(data.folders == ["car", "train"] && data.drawn == drawing)
    let counts = [data.train.count, data.validation?.count ?? 0, data.test.count]
    #expect(counts.reduce(0, +) == 240)
    // Five standard deviations of a binomial count of 240.
    for (count, share) in zip(counts, [0.6, 0.2, 0.2]) {
      #expect(abs(Double(count) - 240 * share) < 5 * (240 * share * (1 - share)).squareRoot())
    }
    #expect(data.notes == ["note: splits drawn with seed 3: \(counts[0]) train, \(counts[1]) val, \(counts[2]) test"])
    let other = try #require(DrawnSplit(shares: [0.6, 0.2, 0.2], seed: 4))
    #expect(try names(ImageFolder(contentsOf: folder.url, drawing: other).test) != names(data.test))
  }

  @Test func imageStaysWhereItIsWhenOthersComeAndGo() throws {
    let folder = try TemporaryFolder()
    for index in 0..<60 { try folder.write(Array("\(index)".utf8), to: "a/\(index).png") }
    let drawing = try #require(DrawnSplit(shares: [0.5, 0.25, 0.25], seed: 1))
    func split() throws -> [String: String] {
      let data = try ImageFolder(contentsOf: folder.url, drawing: drawing)
      var split: [String: String] = [:]
      for (name, set) in [("train", data.train), ("val", data.validation ?? data.train), ("test", data.test)] {
        for item in set.items { split[String(decoding: try MappedFile.bytes(of: item.url), as: UTF8.self)] = name }
      }
      return split
    }
    let before = try split()
    #expect(Set(before.values) == ["train", "val", "test"])
    for index in 0..<30 { try folder.write(Array("new \(index)".utf8), to: "A/\(index).png") }
    for index in 0..<20 {
      try FileManager.default.moveItem(at: folder.file("a/\(index).png"), to: folder.file("a/renamed-\(index).png"))
    }
    try FileManager.default.removeItem(at: folder.file("a/59.png"))
    let after = try split()
    for index in 0..<59 { #expect(after["\(index)"] == before["\(index)"]) }
    #expect(after.count == 89)
  }

  @Test func onlyTrainIsDivided() throws {
    let folder = try folder("train/a/1.png", "train/b/1.png")
    let drawing = try #require(DrawnSplit(shares: [1, 0], seed: 1))
    let data = try ImageFolder(contentsOf: folder.url, drawing: drawing)
    #expect(data.folders == ["a", "b"] && names(data.train) == ["train/a/1.png", "train/b/1.png"])
    #expect(data.test.count == 0 && data.validation == nil)
    #expect(data.train.items.map(data.path) == ["train/a/1.png", "train/b/1.png"])
  }

  @Test func drawnSplitIsReadBackAsAList() throws {
    let folder = try folder("a b/1.png", "a b/2,\"x\".png", "c/1.png", "c/\n.png", "c/3.png")
    let drawing = try #require(DrawnSplit(shares: [0.4, 0.3, 0.3], seed: 2))
    let data = try ImageFolder(contentsOf: folder.url, drawing: drawing)
    let list = try folder.write(ImageFolder.splitHeader + data.splitRows, to: "split.csv")
    let entries = try DataList(list).entries
    #expect(entries.filter { $0.split == .train }.map(\.path) == names(data.train))
    #expect(entries.filter { $0.split == .validation }.map(\.path) == names(data.validation))
    #expect(entries.filter { $0.split == .test }.map(\.path) == names(data.test))
    #expect(Set(entries.map(\.label)) == ["a b", "c"])
  }

  @Test(arguments: [
    [0.5], [0.5, 0.5, 0.5], [1.2, -0.2], [0.25, 0.25, 0.25, 0.25], [], [Double.nan, 1], [0.5, 0.4],
  ]) func wrongSharesAreRefused(_ shares: [Double]) { #expect(DrawnSplit(shares: shares, seed: 1) == nil) }

  @Test func sharesOfTwoAreTrainAndTest() {
    let split = DrawnSplit(shares: [0.75, 0.25], seed: 1)
    #expect(split?.train == 0.75 && split?.validation == 0 && split?.test == 0.25)
  }
}
