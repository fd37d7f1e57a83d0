import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

/// Made-up copies of the published layouts.
@Suite struct PublishedSplitTests {
  private func read(_ files: [String: String], images: [String]) throws -> ImageFolder {
    let folder = try folder(files, images: images)
    return try ImageFolder(contentsOf: folder.url)
  }

  private func folder(_ files: [String: String], images: [String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (path, text) in files { _ = try folder.write(text, to: path) }
    for path in images { _ = try folder.write("", to: path) }
    return folder
  }

  private func names(_ set: ImageSet?) -> [String]? { set?.items.map(\.name) }

  static let coOp = """
    {"train": [["2750/b/1.jpg", 1, "Sea or Lake"], ["2750/a/1.jpg", 0, "forest_land"],
               ["2750/b/2.jpg", 1, "Sea or Lake"]],
     "val": [["2750/a/2.jpg", 0, "forest_land"]], "test": [["2750/a/3.jpg", 0, "forest_land"]]}
    """

  /// The order of the lists is kept: few-shot sampling depends on it.
  @Test(arguments: ["", "images/"]) func coOpsSplitIsRead(_ prefix: String) throws {
    let folder = try folder(
      ["split_zhou_EuroSAT.json": Self.coOp],
      images: ["a/1.jpg", "a/2.jpg", "a/3.jpg", "b/1.jpg", "b/2.jpg"].map { "\(prefix)2750/\($0)" })
    let data = try ImageFolder(contentsOf: folder.url)
    #expect(data.classNames == ["forest land", "Sea or Lake"])
    #expect(names(data.train) == ["2750/b/1.jpg", "2750/a/1.jpg", "2750/b/2.jpg"])
    #expect(data.train.items.map(\.label) == [1, 0, 1])
    #expect(names(data.validation) == ["2750/a/2.jpg"] && names(data.test) == ["2750/a/3.jpg"])
    #expect(data.layoutName == "CoOp's split file" && data.untestedClasses == ["Sea or Lake"])
    #expect(data.train.items[0].url.path == folder.url.path + "/\(prefix)2750/b/1.jpg")
  }

  @Test func aTaskOfVTABIsRead() throws {
    let files = [
      "train800.txt": "images/train800/0.jpg 1\nimages/train800/1.jpg 0\r\n", "val200.txt": "images/val200/0.jpg 1\n",
      "train800val200.txt": "images/train800/0.jpg 1\nimages/train800/1.jpg 0\nimages/val200/0.jpg 1\n",
      "test.txt": "\nimages/test/0.jpg 0\n", "classnames.txt": "0 no\n1 yes\n",
    ]
    let images = ["train800/0.jpg", "train800/1.jpg", "val200/0.jpg", "test/0.jpg"].map { "images/\($0)" }
    let data = try read(files, images: images)
    #expect(data.folders == ["0", "1"] && data.classNames == ["no", "yes"])
    #expect(names(data.train) == ["images/train800/0.jpg", "images/train800/1.jpg"])
    #expect(names(data.validation) == ["images/val200/0.jpg"] && names(data.test) == ["images/test/0.jpg"])
    var whole = files
    whole["train800.txt"] = nil
    whole["val200.txt"] = nil
    let all = try read(whole, images: images)
    #expect(all.train.count == 3 && all.validation == nil && all.test.count == 1)
  }

  @Test func aircraftIsRead() throws {
    let files = [
      "variants.txt": "707-320\nA300B4 x\n", "images_variant_train.txt": "0001 A300B4 x\n0002 707-320\n",
      "images_variant_val.txt": "0003 A300B4 x\n", "images_variant_test.txt": "0004 707-320\n",
    ]
    let data = try read(files, images: ["0001", "0002", "0003", "0004"].map { "images/\($0).jpg" })
    #expect(data.classNames == ["707-320", "A300B4 x"] && data.train.items.map(\.label) == [1, 0])
    #expect(names(data.train) == ["0001.jpg", "0002.jpg"] && names(data.test) == ["0004.jpg"])
  }

  /// Folders in the order of ImageNet's, whatever that of the lines or of the numbers.
  @Test(arguments: [
    ("imagenet-a", ["n02", "n01"]), ("imagenet-r", ["n02", "n01"]), ("images", ["n02", "n01"]),
    ("imagenetv2-matched-frequency-format-val", ["0", "10"]),
  ])
  func variantsOfImageNetAreRead(_ name: String, _ classes: [String]) throws {
    let lines = ["n02 a_shark"] + (3..<12).map { "n\($0) no" } + ["n01 a gold fish"]
    let data = try read(
      ["classnames.txt": lines.joined(separator: "\n"), "\(name)/README.txt": ""],
      images: classes.map { "\(name)/\($0)/1.jpg" } + ["\(name)/\(classes[0])/2.jpg"])
    #expect(data.folders == ["n01", "n02"] && data.classNames == ["a gold fish", "a shark"])
    #expect(data.train.count == 0 && data.validation == nil && data.layoutName == "a variant of ImageNet")
    #expect(names(data.test) == [(classes[1], 1), (classes[0], 1), (classes[0], 2)].map { "\(name)/\($0)/\($1).jpg" })
    #expect(data.test.items.map(\.label) == [0, 1, 1])
    let error = try #require(throws: ImageFolderError.self) {
      try read(["classnames.txt": "n01 fish\n"], images: ["\(name)/n02/1.jpg"])
    }
    #expect("\(error)".contains("classnames.txt: expected a line for the class folder \"n02\", found none"))
  }

  @Test func splitsOfVPTAreRead() throws {
    let files = [
      "train.json": #"{"b/2.jpg": 200, "a/1.jpg": 3}"#, "val.json": #"{"b/3.jpg": 200}"#,
      "test.json": #"{"a/4.jpg": 3}"#,
    ]
    let data = try read(files, images: ["a/1.jpg", "b/2.jpg", "b/3.jpg", "a/4.jpg"].map { "images/\($0)" })
    #expect(data.folders == ["3", "200"] && names(data.train) == ["a/1.jpg", "b/2.jpg"])
    #expect(data.train.items.map(\.label) == [0, 1] && data.validation?.count == 1)
  }

  /// ImageNet's folders lie in `images`, its class names beside it.
  @Test func foldersOfSplitsMayLieInImages() throws {
    let data = try read(
      ["classnames.txt": "n01 tench\nn02 goldfish\nn03 shark\n"],
      images: ["train/n01/1.JPEG", "train/n02/2.JPEG", "val/n01/3.JPEG"].map { "images/\($0)" }
    )
    #expect(data.classNames == ["tench", "goldfish"] && data.surplusNames == 1 && data.isTestValidation)
    #expect(data.train.count == 2 && data.test.count == 1)
  }

  /// Folders of splits are what a user sees; other files of these names may be about anything.
  @Test func foldersComeFirst() throws {
    let data = try read(
      ["train.json": "{}", "test.json": "[]", "split_zhou_X.json": "?"],
      images: ["train/a/1.png", "test/a/2.png"]
    )
    #expect(data.folders == ["a"])
  }

  static let wrong: [(files: [String: String], message: String)] = [
    (["split_zhou_A.json": coOp, "split_zhou_B.json": coOp], "expected one file split_zhou_NAME.json"),
    (["split_zhou_A.json": "[]"], "expected lists train, val and test of [path, label, class name]"),
    (["split_zhou_A.json": #"{"train": [["a", 0]], "val": [], "test": []}"#], "expected lists train, val and test"),
    (["split_zhou_A.json": #"{"train": [["a", 1, "x"]], "val": [], "test": []}"#], "expected labels from 0 on"),
    (
      ["split_zhou_A.json": #"{"train": [["a", 0, "x"], ["b", 0, "y"]], "val": [], "test": []}"#],
      "expected one name of class 0, found \"x\" and \"y\""
    ),
    (["split_zhou_A.json": #"{"train": [["a", 0, "x"]], "val": [], "test": []}"#], "expected the image a in"),
    (
      ["split_zhou_A.json": #"{"train": [["a", 0, "x"]], "val": [], "test": [["b", 1, "y"]]}"#, "a": ""],
      "expected images of each of the 2 classes, found none of \"y\""
    ),
    (
      ["split_zhou_A.json": #"{"train": [["a", 0, "x"]], "val": [], "test": []}"#, "a": ""],
      "expected images, found none"
    ),
    (
      ["split_zhou_A.json": #"{"train": [["a", 0, "x"]], "val": [], "test": [["c", 0, "x"]]}"#, "a": ""],
      "expected the image c in"
    ),
    (["train800.txt": "a 0\n", "test.txt": "a 0\n", "a": ""], "val200.txt: expected a readable file"),
    (["train800val200.txt": "a\n", "test.txt": "a 0\n", "a": ""], "train800val200.txt:1: expected a path, a space"),
    (["train800val200.txt": "a -1\n", "test.txt": "a 0\n", "a": ""], "train800val200.txt:1: expected a path"),
    (["train800val200.txt": "a 99999999999\n", "test.txt": "a 0\n", "a": ""], "train800val200.txt:1: expected a path"),
    (["train800val200.txt": "a 2\n", "test.txt": "a 0\n", "a": ""], "expected images of each of the 3 classes"),
    (["train800val200.txt": "a 0\n", "test.txt": "\nb 0\n", "a": ""], "test.txt:2: expected the image b"),
    (
      [
        "variants.txt": "x\n", "images_variant_train.txt": "1 y\n", "images_variant_val.txt": "",
        "images_variant_test.txt": "",
      ],
      "expected an image and a line of variants.txt, found \"1 y\""
    ),
    (["train.json": "[1]", "test.json": "{}"], "expected an object of paths, each with the number of its class"),
    (["train.json": "{}", "test.json": "{}"], "expected images, found none"),
  ]

  @Test(arguments: wrong) func wrongFilesAreRefused(_ files: [String: String], _ message: String) throws {
    let folder = try folder(files, images: [])
    #expect {
      try ImageFolder(contentsOf: folder.url)
    } throws: {
      "\($0)".contains(message)
    }
  }

  /// Who asks for shares wants those.
  @Test func drawnSplitsAreDrawn() throws {
    let folder = try folder(["split_zhou_A.json": Self.coOp], images: ["a/1.jpg", "a/2.jpg", "b/2.jpg", "b/3.jpg"])
    let drawing = try #require(DrawnSplit(shares: [0.5, 0, 0.5], seed: 1))
    #expect(try ImageFolder(contentsOf: folder.url, drawing: drawing).folders == ["a", "b"])
  }
}
