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
      "train/a/1.jpg", "train/a/notes.txt", "train/a/.hidden.jpg", "train/readme.md", "train/a/k",
      "train/.git/x", "test/a/1.png", "test/a/1.jpg.tmp", "extra/a/1.jpg")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.train.count == 1)
    #expect(data.validation == nil)
    #expect(data.ignored == ["test/a/1.jpg.tmp", "train/a/k", "train/a/notes.txt", "train/readme.md"])
    #expect(
      data.notes.filter { !$0.contains("1 class only") } == [
        "note: skipped 4 files without the ending of images: test/a/1.jpg.tmp, train/a/k, train/a/notes.txt…"
      ])
  }

  @Test func litterOfSystemsIsSkippedWithoutAWord() throws {
    let folder = try folder(
      "train/a/1.jpg", "train/a/Thumbs.db", "train/a/desktop.ini", "train/a/._1.jpg", "train/a/.DS_Store",
      "train/@eaDir/x.jpg", "train/__MACOSX/a/1.jpg", "train/.ipynb_checkpoints/1.jpg", "test/a/1.jpg", ".DS_Store")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.folders == ["a"] && data.train.count == 1 && data.ignored.isEmpty)
    #expect(data.notes.filter { !$0.contains("1 class only") }.isEmpty)
  }

  /// Those of formats that cannot be read, too: they are refused by name when they are read, not skipped.
  @Test func imagesOfAnyEndingInEitherCaseAreTaken() throws {
    let names = ["A.JPG", "b.Jpeg", "c.jpe", "d.JFIF", "e.gif", "f.BMP", "g.webp", "h.tif", "i.ppm", "j.heic"]
    let folder = try folder("test/a/1.jpg")
    for name in names { try folder.write([], to: "train/a/\(name)") }
    #expect(try ImageFolder(contentsOf: folder.url).train.items.map(\.url.lastPathComponent) == names)
  }

  @Test func foldersWithinAClassAreReadAtAnyDepth() throws {
    let folder = try folder("train/a/2.jpg", "train/a/sub/x/1.jpg", "train/a/sub.png/1.jpg", "test/a/deep/1.jpg")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(
      shown(data.train, in: folder) == ["0 train/a/2.jpg", "0 train/a/sub.png/1.jpg", "0 train/a/sub/x/1.jpg"])
    #expect(data.train.items.map(\.name) == ["train/a/2.jpg", "train/a/sub.png/1.jpg", "train/a/sub/x/1.jpg"])
    #expect(data.train.items.map(data.path) == ["a/2.jpg", "a/sub.png/1.jpg", "a/sub/x/1.jpg"])
    #expect(data.keeping(.all).train == data.train)
    #expect(data.ignored.isEmpty)
  }

  @Test func linksThatLeadBackAreFollowedOnce() throws {
    let folder = try folder("train/a/1.jpg", "train/a/b/2.jpg", "test/a/1.jpg")
    try FileManager.default.createSymbolicLink(atPath: folder.file("train/a/b/up").path, withDestinationPath: "..")
    try FileManager.default.createSymbolicLink(atPath: folder.file("train/a/c").path, withDestinationPath: "b")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(shown(data.train, in: folder) == ["0 train/a/1.jpg", "0 train/a/b/2.jpg"])
    #expect(data.ignored.isEmpty && data.links == ["train/a/b/up", "train/a/c"])
  }

  /// A link in a class folder to all classes would give it the images of the others.
  @Test func linksToFoldersAroundAClassAreNotFollowed() throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "test/b/1.jpg")
    for (link, target) in [("train/a/all", ".."), ("test/b/root", "../..")] {
      try FileManager.default.createSymbolicLink(atPath: folder.file(link).path, withDestinationPath: target)
    }
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.train.countByClass == [1, 1] && data.test.countByClass == [1, 1])
    #expect(
      data.notes == [
        "warning: skipped 2 links to folders around the class folder, or read already: test/b/root, train/a/all"
      ])
  }

  @Test func foldersOfSeveralClassesOrSplitsAreSaid() throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/b/1.jpg")
    for (link, target) in [("train/a/b", "../b"), ("test/a", "../train/a")] {
      try FileManager.default.createSymbolicLink(atPath: folder.file(link).path, withDestinationPath: target)
    }
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.train.countByClass == [2, 1] && data.test.countByClass == [2, 1])
    #expect(data.sharedFolders == [["test/a", "train/a"], ["test/a/b", "train/a/b", "train/b"]])
    #expect(
      data.notes == [
        "warning: by links 2 folders are read more than once, so that images are in several classes or splits: "
          + "test/a, train/a…"
      ])
  }

  @Test func composedAndDecomposedNamesAreOneClass() throws {
    let folder = try folder(
      "train/caf\u{e9}/1.jpg", "train/cafe\u{301}/1.jpg", "train/dog/1.jpg", "test/cafe\u{301}/2.jpg",
      "test/dog/e\u{301}.png", "test/dog/\u{e9}.png")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.folders == ["café", "dog"] && data.train.countByClass == [2, 1] && data.test.countByClass == [1, 2])
    #expect(Set(data.train.items.map { Array($0.url.path.utf8) }).count == 3)
    #expect(data.notes.isEmpty)
  }

  @Test func namesOfOtherBytesAreKept() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    func make(_ name: [UInt8], in path: String) throws {
      let bytes = Array("\(folder.url.path)/\(path)/".utf8) + name
      let made = bytes.map { CChar(bitPattern: $0) } + [0]
      if name.contains(0x2E) {
        let file = try #require(fopen(made, "w"))
        fclose(file)
      } else {
        try #require(mkdir(made, 0o700) == 0)
      }
    }
    try make([0x63, 0xE9], in: "train")
    try make([0x63, 0xE9, 0x2F, 0xE8, 0x2E] + Array("jpg".utf8), in: "train")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.classNames == ["a", "c\\xE9"] && data.train.countByClass == [1, 1])
    #expect(
      data.notes == [
        "warning: classes without test images: c\\xE9",
        "warning: 1 class folder has a name that is not UTF-8, such as c\\xE9; classnames.txt can give another",
      ])
    try folder.write(Array("a one\nc\\xE9 two\n".utf8), to: "classnames.txt")
    #expect(try ImageFolder(contentsOf: folder.url).classNames == ["one", "two"])
    try folder.write(Array("a one\nc".utf8) + [0xE9] + Array("\tthree\n".utf8), to: "classnames.txt")
    #expect(try ImageFolder(contentsOf: folder.url).classNames == ["one", "three"])
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
    #expect(try error(folder("1.jpg")) == "train: expected a folder with one folder per class, found none")
  }

  @Test func splitsWithoutClassesAreNamed() throws {
    #expect(
      try error(folder("train/1.jpg", "test/a/1.jpg"))
        == "train: expected one folder per class, found no folder with images")
    #expect(
      try error(folder("train/a/1.jpg", "test/a/1.jpg", "val/.keep"))
        == "val: expected one folder per class, found no folder with images")
  }

  @Test func emptyClassIsNamed() throws {
    #expect(
      try error(folder("train/a/1.jpg", "train/b/1.txt", "test/a/1.jpg"))
        == "train/b: expected images (files with an ending such as .jpg or .png), found none")
  }

  @Test(arguments: ["test", "val"]) func classThatTrainLacksIsNamed(_ split: String) throws {
    #expect(
      try error(folder("train/a/1.jpg", "test/a/1.jpg", "\(split)/b/1.jpg"))
        == "\(split)/b: expected only classes that train has, found another")
  }

  @Test func emptyClassOfAnotherSplitIsAbsent() throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "test/b/.keep", "test/c/.keep")
    #expect(try ImageFolder(contentsOf: folder.url).notes == ["warning: classes without test images: b"])
  }

  /// A link that leads nowhere is an image that cannot be read if it ends like one, so that `readable` names it.
  @Test func linkThatLeadsNowhereIsAnUnreadableImage() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    for name in ["2.jpg", "3.txt"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.file("train/a/\(name)").path, withDestinationPath: "nowhere")
    }
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.train.count == 2 && data.ignored == ["train/a/3.txt"])
    #expect(data.train.readable().unreadable.contains { $0.name.hasSuffix("train/a/2.jpg") })
  }

  @Test(.enabled(if: getuid() != 0, "root reads every folder")) func unreadableFolderIsNamed() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: folder.file("train/a").path)
    defer {
      try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.file("train/a").path)
    }
    #expect(try error(folder) == "train/a: expected a readable folder, found permission denied")
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
    ("a x\n", #"classnames.txt: expected a line for the class folder "b", found none"#),
    ("", #"classnames.txt: expected a line for the class folder "a", found none"#),
    ("a x\nb\n", #"classnames.txt:2: expected a name after "b", found none"#),
    ("a x\nb \t \n", #"classnames.txt:2: expected a name after "b", found none"#),
  ]) func brokenClassNamesAreRefusedWithTheirLine(_ text: String, _ message: String) throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg")
    try folder.write(text, to: "classnames.txt")
    #expect(try error(folder) == message)
  }

  @Test(arguments: [
    ("# names\na x\n\nc y\n  b  z \nd\n", ["x", "z"], 2), ("a\tx\nb # y\n", ["x", "# y"], 0),
    ("#a x\na  y\nb\t\tz\r\n", ["y", "z"], 0),
  ]) func classNamesMayHaveCommentsAndOtherFolders(_ text: String, _ names: [String], _ surplus: Int) throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "test/b/1.jpg")
    try folder.write(text, to: "classnames.txt")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.rawClassNames == names && data.surplusNames == surplus)
    let note = "note: classnames.txt also names 2 classes without a folder"
    #expect(data.notes == (surplus == 2 ? [note] : []))
  }

  @Test func classFoldersMayHaveSpaces() throws {
    let folder = try folder("train/red fox/1.jpg", "train/red/1.jpg", "test/red fox/1.jpg", "test/red/1.jpg")
    try folder.write("red fox Vulpes\nred a colour\n", to: "classnames.txt")
    #expect(try ImageFolder(contentsOf: folder.url).classNames == ["a colour", "Vulpes"])
    try folder.write("red fox\tVulpes vulpes\nred\tfox\n", to: "classnames.txt")
    #expect(try ImageFolder(contentsOf: folder.url).classNames == ["fox", "Vulpes vulpes"])
  }

  @Test func oneNameOfTwoClassesIsAWarning() throws {
    let folder = try folder("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "test/b/1.jpg")
    try folder.write("a crane\nb crane\n", to: "classnames.txt")
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.classNames == ["crane", "crane"])
    #expect(data.notes == [#"warning: classes of the same name "crane", which prompts cannot tell apart: a, b"#])
    // A tokenizer sees neither case nor the number of spaces.
    try folder.write("a Red  Crane\nb red crane\n", to: "classnames.txt")
    let notes = try ImageFolder(contentsOf: folder.url).notes
    #expect(notes.count == 1 && notes[0].hasSuffix("which prompts cannot tell apart: a, b"), "\(notes)")
  }

  @Test func classNamesThatAreNoTextAreRefused() throws {
    let folder = try folder("train/a/1.jpg", "test/a/1.jpg")
    try folder.write([0x61, 0x20, 0xff], to: "classnames.txt")
    #expect(try error(folder) == "classnames.txt:1: expected a name in UTF-8, found other bytes")
    try FileManager.default.removeItem(at: folder.file("classnames.txt"))
    try FileManager.default.createDirectory(at: folder.file("classnames.txt"), withIntermediateDirectories: true)
    #expect(try error(folder) == "classnames.txt: expected a regular file, found a folder")
  }
}
