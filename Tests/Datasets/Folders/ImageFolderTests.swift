import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite struct ImageFolderTests {
  /// A folder with empty files at the given paths.
  private func folder(_ paths: String...) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for path in paths { try folder.write([], to: path) }
    return folder
  }

  /// The paths of a set relative to the root, with their labels.
  private func shown(_ set: ImageSet?, in folder: TemporaryFolder) -> [String] {
    (set?.items ?? []).map { "\($0.label) \($0.url.path.dropFirst(folder.url.path.count + 1))" }
  }

  @Test func classesAndImagesAreInByteOrder() throws {
    let folder = try folder(
      "train/b_b/2.jpg", "train/b_b/10.JPEG", "train/a/z.png", "train/Z/é.PNG", "train/Z/z.jpg", "train/Z/e\u{301}.jpg",
      "test/a/1.jpg",
      "val/b_b/v.jpg")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.folders == ["Z", "a", "b_b"])
    #expect(data.rawClassNames == ["Z", "a", "b_b"])
    #expect(data.classNames == ["Z", "a", "b b"])
    #expect(
      shown(data.train, in: folder) == [
        "0 train/Z/e\u{301}.jpg", "0 train/Z/z.jpg", "0 train/Z/é.PNG", "1 train/a/z.png", "2 train/b_b/10.JPEG",
        "2 train/b_b/2.jpg",
      ])
    #expect(shown(data.test, in: folder) == ["1 test/a/1.jpg"])
    #expect(shown(data.validation, in: folder) == ["2 val/b_b/v.jpg"])
    #expect(data.train.classes == data.classNames)
    #expect(data.train.countByClass == [3, 1, 2])
    #expect(data.untestedClasses == ["Z", "b_b"])
    #expect(data.ignored.isEmpty)
  }

  @Test func whatIsNoImageIsListedUnlessHidden() throws {
    let folder = try folder(
      "train/a/1.jpg", "train/a/notes.txt", "train/a/.hidden.jpg", "train/a/sub.png/1.jpg", "train/readme.md",
      "train/.git/x", "test/a/1.png", "test/a/1.jpg.tmp", "extra/a/1.jpg")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.train.count == 1)
    #expect(data.validation == nil)
    #expect(data.ignored == ["test/a/1.jpg.tmp", "train/a/notes.txt", "train/a/sub.png", "train/readme.md"])
  }

  @Test func linksAreFollowed() throws {
    let folder = try folder("store/images/1.jpg", "test/a/1.jpg")
    let link = try folder.file("train/a")
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: folder.url.appendingPathComponent("store/images"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("store/images/2.jpg").path, withDestinationPath: "1.jpg")
    #expect(try ImageFolder(contentsOf: folder.url).train.count == 2)
  }

  private func error(_ folder: TemporaryFolder) throws -> String {
    let error = try #require(throws: ImageFolderError.self) { try ImageFolder(contentsOf: folder.url) }
    return error.description.replacingOccurrences(of: folder.url.path + "/", with: "")
  }

  @Test func missingSplitsAreNamed() throws {
    #expect(try error(folder("test/a/1.jpg")) == "train: expected a folder with one folder per class, found none")
    #expect(try error(folder("train/a/1.jpg")) == "test: expected a folder with one folder per class, found none")
    #expect(
      try error(folder("train", "test/a/1.jpg")) == "train: expected a folder with one folder per class, found none")
  }

  @Test func splitsWithoutClassesAreNamed() throws {
    #expect(try error(folder("train/1.jpg", "test/a/1.jpg")) == "train: expected one folder per class, found no folder")
    #expect(
      try error(folder("train/a/1.jpg", "test/a/1.jpg", "val/.keep"))
        == "val: expected one folder per class, found no folder")
  }

  @Test func emptyClassIsNamed() throws {
    #expect(
      try error(folder("train/a/1.jpg", "train/b/1.gif", "test/a/1.jpg"))
        == "train/b: expected images (.jpg, .jpeg or .png), found none")
  }

  @Test(arguments: ["test", "val"]) func classThatTrainLacksIsNamed(_ split: String) throws {
    #expect(
      try error(folder("train/a/1.jpg", "test/a/1.jpg", "\(split)/b/1.jpg"))
        == "\(split)/b: expected only classes that train has, found another")
  }

  @Test func linkThatLeadsNowhereIsNamed() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("train/a/2.jpg").path, withDestinationPath: "nowhere.jpg")
    #expect(try error(folder) == "train/a/2.jpg: expected a readable file or folder, found one that is not")
  }

  @Test(.enabled(if: getuid() != 0, "root reads every folder")) func unreadableFolderIsNamed() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: folder.file("train/a").path)
    defer {
      try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.file("train/a").path)
    }
    #expect(try error(folder) == "train/a: expected a readable folder, found one that is not")
  }

  @Test func classNamesFileNamesTheFolders() throws {
    let folder = try folder("train/n02/1.jpg", "train/n01/1.jpg", "test/n01/1.jpg")
    try folder.write("\u{feff}n02 great_white  shark \r\n\nn01\ttench\r\n", to: "classnames.txt")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.folders == ["n01", "n02"])
    #expect(data.rawClassNames == ["tench", "great_white  shark"])
    #expect(data.classNames == ["tench", "great white  shark"])
    #expect(data.test.classes == data.classNames)
  }

  @Test(arguments: [
    ("a x\nb y\na z\n", #"classnames.txt:3: expected each folder once, found "a" again"#),
    ("a x\nc y\nb z\n", #"classnames.txt:2: expected a class folder of train, found "c""#),
    ("a x\n", #"classnames.txt: expected a line for the class folder "b", found none"#),
    ("", #"classnames.txt: expected a line for the class folder "a", found none"#),
    ("a x\nb\n", #"classnames.txt:2: expected a name after "b", found none"#),
    ("a x\nb \t \n", #"classnames.txt:2: expected a name after "b", found none"#),
  ]) func brokenClassNamesAreRefusedWithTheirLine(_ text: String, _ message: String) throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg")
    try folder.write(text, to: "classnames.txt")
    #expect(try error(folder) == message)
  }

  @Test func classNamesThatAreNoTextAreRefused() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    try folder.write([0x61, 0x20, 0xff], to: "classnames.txt")
    #expect(try error(folder) == "classnames.txt: expected text in UTF-8, found other bytes")
    try FileManager.default.removeItem(at: folder.file("classnames.txt"))
    try FileManager.default.createDirectory(at: folder.file("classnames.txt"), withIntermediateDirectories: true)
    #expect(try error(folder) == "classnames.txt: expected a regular file, found a folder")
  }
}
