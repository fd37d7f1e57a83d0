import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

@Suite struct DataListTests {
  /// Files to list, and a list of them.
  private func folder(_ list: String, _ name: String = "list.csv") throws -> (TemporaryFolder, URL) {
    let folder = try TemporaryFolder()
    for path in ["x/1.png", "x/2.png", "y/3.png", "4, four.png"] { try folder.write(Array(path.utf8), to: path) }
    return (folder, try folder.write(Array(list.utf8), to: name))
  }

  static let lists = [
    "path,label,split\nx/1.png,cat,train\ny/3.png,dog,train\nx/2.png,cat,val\n\"4, four.png\",dog,test\n",
    "\u{feff}Label,Path,more,SPLIT\r\ncat,x/1.png,1,Train\r\n\r\n\"dog\",y/3.png,\"a\nb\"\"\",train\r\n"
      + "cat,x/2.png,,valid\r\ndog,\"4, four.png\",,test",
    "path\tlabel\tsplit\nx/1.png\tcat\ttrain\ny/3.png\tdog\ttrain\nx/2.png\tcat\tvalidation\n4, four.png\tdog\tTEST\n",
    "path;label;split\nx/1.png;cat;train\ny/3.png;dog;train\nx/2.png;cat;val\n4, four.png;dog;test\n",
    """
    {"path": "x/1.png", "label": "cat", "split": "train"}
    {"split": "train", "path": "y/3.png", "label": "dog", "id": 7}\r

    {"path": "x/2.png", "label": "cat", "split": "val"}
    {"path": "4, four.png", "label": "dog", "split": "test"}
    """,
  ]

  @Test(arguments: lists) func everyFormIsRead(_ text: String) throws {
    let (folder, list) = try folder(text)
    let data = try ImageFolder(contentsOf: folder.url, list: list)
    #expect(data.folders == ["cat", "dog"] && data.classNames == ["cat", "dog"])
    #expect(data.train.items.map(\.name) == ["x/1.png", "y/3.png"] && data.train.items.map(\.label) == [0, 1])
    #expect(data.validation?.items.map(\.name) == ["x/2.png"] && data.test.items.map(\.name) == ["4, four.png"])
    #expect(data.train.items[0].url.path == folder.url.path + "/x/1.png")
    #expect(data.train.items.map(data.path) == ["x/1.png", "y/3.png"])
  }

  @Test(arguments: ["./x/1.png", "x//1.png", "y/../x/1.png", "x/./1.png"])
  func oneImageIsListedOnce(_ spelling: String) throws {
    let (folder, list) = try folder("path,label,split\nx/1.png,cat,train\n\(spelling),cat,test\n")
    #expect {
      try ImageFolder(contentsOf: folder.url, list: list)
    } throws: {
      "\($0)".contains(":3: expected each path once")
    }
  }

  @Test func numbersAreInTheirOrder() throws {
    let (folder, list) = try folder("path,label,split\nx/1.png,10,train\nx/2.png,2,train\ny/3.png,2,val\n")
    let data = try ImageFolder(contentsOf: folder.url, list: list)
    #expect(data.folders == ["2", "10"] && data.isTestValidation && data.validation == nil)
    let objects = """
      {"path": "x/1.png", "label": 10, "split": "train"}
      {"path": "x/2.png", "label": "2", "split": "train"}
      {"path": "y/3.png", "label": 2, "split": "test"}
      """
    let lines = try folder.write(Array(objects.utf8), to: "b")
    #expect(try ImageFolder(contentsOf: folder.url, list: lines).folders == ["2", "10"])
  }

  @Test func listWithoutSplitsIsDivided() throws {
    let (folder, list) = try folder("label,path\ncat,x/1.png\ndog,x/2.png\n")
    let drawing = try #require(DrawnSplit(shares: [1, 0], seed: 1))
    let data = try ImageFolder(contentsOf: folder.url, drawing: drawing, list: list)
    #expect(data.train.items.map(\.name) == ["x/1.png", "x/2.png"] && data.test.count == 0)
    #expect {
      try ImageFolder(contentsOf: folder.url, list: list)
    } throws: {
      "\($0)" == "\(list.path): expected splits train and test, or how to draw them, found neither"
    }
  }

  @Test func namesComeFromClassNames() throws {
    let (folder, list) = try folder("path,label,split\nx/1.png,0,train\nx/2.png,1,train\ny/3.png,1,test\n")
    try folder.write(Array("0 cat\n1 guide dog\n".utf8), to: "classnames.txt")
    #expect(try ImageFolder(contentsOf: folder.url, list: list).classNames == ["cat", "guide dog"])
  }

  @Test func composedAndDecomposedLabelsAreOneClass() throws {
    let (folder, list) = try folder(
      "path,label,split\nx/1.png,caf\u{e9},train\nx/2.png,cafe\u{301},train\ny/3.png,caf\u{e9},test\n")
    let data = try ImageFolder(contentsOf: folder.url, list: list)
    #expect(data.folders == ["café"] && data.train.count == 2)
  }

  static let wrong: [(String, String)] = [
    ("", ": expected a header with path, label and split, found an empty file"),
    ("x/1.png,cat,train\n", #":1: expected a header with path, label and split, found "x/1.png", "cat", "train""#),
    ("path,label,split\n", ": expected a row for each image, found none"),
    ("path,label,split\nx/1.png,cat\n", ":2: expected 3 fields, found 2"),
    ("path,label,split\n\nx/1.png,,train\n", ":3: expected a label, found none"),
    ("path,label,split\n,cat,train\n", ":2: expected a path, found none"),
    ("path,label,split\nx/1.png,cat,dev\n", #":2: expected split train, val or test, found "dev""#),
    ("path,label,split\nx/1.png,cat,train\nx/1.png,cat,test\n", #":3: expected each path once, found "x/1.png" again"#),
    ("path,label,split\nx/9.png,cat,train\n", ":2: expected an image file, found none at x/9.png"),
    ("path,label,split\nx,cat,train\n", ":2: expected an image file, found none at x"),
    (
      "path,label,split\nx/1.png,cat,train\nx/2.png,dog,test\n",
      #":3: expected only labels that train has, found "dog""#
    ),
    ("path,label,split\nx/1.png,cat,train\n", ":2: expected images of split test or val, found none in the list"),
    ("path,label,split\n\"x/1.png,cat,train\n", ":2: expected a quote at the end of the field, found none"),
    (#"{"path": "x/1.png", "label": "cat""#, ":1: expected an object with path, label and split, found something else"),
    (#"{"path": 3, "label": "cat"}"#, ":1: expected an object with path, label and split, found something else"),
    (
      #"{"path": "x/1.png", "label": "a", "split": "train"}"# + "\n{\"path\": \"x/2.png\", \"label\": \"a\"}",
      ":2: expected a split in every line or in none, found none"
    ),
  ]

  @Test(arguments: wrong) func wrongListIsRefusedWithItsLine(_ text: String, _ message: String) throws {
    let (folder, list) = try folder(text)
    let error = try #require(throws: ImageFolderError.self) { try ImageFolder(contentsOf: folder.url, list: list) }
    #expect(error.description == list.path + message)
  }

  @Test func listThatIsNotThereIsNamed() {
    let url = URL(fileURLWithPath: "/nowhere/list.csv")
    #expect { try DataList(url) } throws: {
      "\($0)" == "/nowhere/list.csv: expected a readable file, found no such file or directory"
    }
  }

  @Test func pathsOfOtherBytesAreKept() {
    let text = DelimitedText([0xE9, 0x2C, 0x61, 0x0D, 0x0A], delimiter: 0x2C)
    #expect(text.rows.map { $0.fields.map(FileName.bytes) } == [[[0xE9], [0x61]]])
  }

  @Test func anyDamageIsHandled() throws {
    let folder = try TemporaryFolder()
    let bytes = Array(Self.lists[1].utf8)
    Damage.changes(of: bytes, count: 300, seed: 5) { damaged in
      do { _ = try DataList(folder.write(damaged, to: "list")) } catch { #expect(error is ImageFolderError) }
    }
  }
}
