import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

@Suite struct CaptionedImagesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ files: [String: String]) throws {
    for (name, text) in files { try folder.write(text, to: "pairs/\(name)") }
  }

  private func read() throws -> CaptionedImages {
    try CaptionedImages(contentsOf: folder.url.appendingPathComponent("pairs"))
  }

  private func pairs() throws -> [String: [String]] {
    try Dictionary(uniqueKeysWithValues: read().items.map { ($0.name, $0.captions) })
  }

  /// The layouts of open_clip, of Hugging Face, of `frugal world --pairs` and plain ones.
  @Test(arguments: [
    ("captions.csv", "filepath,title\na.png,a cat\nsub/b.jpg,\"a dog, asleep\"\na.png,the same cat\n"),
    ("captions.tsv", "filepath\ttitle\na.png\ta cat\nsub/b.jpg\ta dog, asleep\r\na.png\tthe same cat\n"),
    (
      "captions.csv", "id;caption;file\n1; a cat ;a.png\n2;a dog, asleep;sub/b.jpg\n3;the same cat;a.png\n4;a cat;a.png"
    ),
    ("metadata.csv", "\u{FEFF}file_name,text\na.png,a cat\nsub/b.jpg,\"a dog, asleep\"\na.png,the same cat\n"),
    ("captions.tsv", "a.png\ta cat\nsub/b.jpg\ta dog, asleep\na.png\tthe same cat\n"),
    (
      "captions.jsonl",
      #"{"file_name": "a.png", "text": ["a cat", "the same cat"]}"# + "\n\n"
        + #"{"file_name": "sub/b.jpg", "text": "a dog, asleep", "width": 3}"#
    ),
    (
      "metadata.jsonl",
      #"{"image": "a.png", "caption": "a cat"}"# + "\n" + #"{"image": "a.png", "caption": "the same cat"}"# + "\n"
        + #"{"image": "sub/b.jpg", "caption": "a dog, asleep"}"#
    ),
  ]) func aListNamesImagesAndCaptions(_ name: String, _ text: String) throws {
    try write([name: text, "a.png": "", "sub/b.jpg": "", "sheet.png": ""])
    #expect(try pairs() == ["a.png": ["a cat", "the same cat"], "sub/b.jpg": ["a dog, asleep"]])
    #expect(try read().unlisted == ["sheet.png"] && read().items.map(\.name) == ["a.png", "sub/b.jpg"])
  }

  @Test func aTextBesideAnImageHasItsCaptions() throws {
    try write([
      "a.png": "", "a.txt": "a cat\n\n  the same cat \n", "sub/b.c.jpg": "", "sub/b.c.txt": "a dog", "README.txt": "x",
      "sub/b.c.json": "{}",
    ])
    #expect(try pairs() == ["a.png": ["a cat", "the same cat"], "sub/b.c.jpg": ["a dog"]])
    #expect(try read().unlisted.isEmpty)
  }

  @Test func theDigestIsThatOfNamesAndCaptions() throws {
    try write(["a.png": "", "a.txt": "a cat"])
    let digest = try read().sha256
    try write(["a.png": "other bytes", "captions.csv": "file,text\na.png,a cat\n"])
    #expect(try read().sha256 == digest)
    try write(["captions.csv": "file,text\na.png,a dog\n"])
    #expect(try read().sha256 != digest)
  }

  @Test(
    arguments: [
      (["a.png": ""], "pairs: expected captions in captions.csv, captions.tsv, captions.jsonl, metadata.csv"),
      (["note.txt": "x"], "pairs: expected images with captions, found no image"),
      (
        ["a.png": "", "b.png": "", "b.txt": "x"],
        "pairs/a.png: expected its captions in a.txt, found no such file (1 of 2 images have none)"
      ),
      (["a.png": "", "a.txt": " \n"], "pairs/a.txt: expected a caption, found none"),
      (["a.png": "", "captions.csv": ""], "captions.csv: expected a header with file and text"),
      (["a.png": "", "captions.csv": "file,text\n"], "captions.csv: expected a row per caption, found none"),
      (["a.png": "", "captions.csv": "name,words\na.png,x\n"], "captions.csv:1: expected a header with file and text"),
      (
        ["a.png": "", "captions.csv": "file,text\na.png,x, y\n"],
        "captions.csv:2: expected 2 fields (text with delimiters"
      ),
      (["a.png": "", "captions.csv": "file,text\na.png, \n"], "captions.csv:2: expected a caption, found none"),
      (["a.png": "", "captions.csv": "file,text\n,x\n"], "captions.csv:2: expected a path, found none"),
      (
        ["a.png": "", "captions.csv": "file,text\na.png,x\nb.png,y\n"],
        "captions.csv:3: expected the path of an image below"
      ),
      (["a.png": "", "captions.csv": "file,text\na.png,\"x\n"], "captions.csv:2: expected a quote at the end"),
      (["a.png": "", "captions.jsonl": "[]"], "captions.jsonl:1: expected an object with file and text"),
      (
        ["a.png": "", "captions.jsonl": #"{"file": "a.png"}"#],
        "captions.jsonl:1: expected an object with file and text"
      ),
      (["a.png": "", "captions.jsonl": #"{"file": "a.png", "text": []}"#], "captions.jsonl:1: expected a caption"),
      (
        ["a.png": "", "captions.csv": "file,text\na.png,x\n", "metadata.csv": ""],
        "pairs: expected one list of captions, found captions.csv and metadata.csv"
      ),
    ] as [([String: String], String)])
  func whatIsWrongIsNamed(_ files: [String: String], _ message: String) throws {
    try write(files)
    let error = try #require(throws: CaptionError.self) { try read() }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test func aCaptionIsText() throws {
    try folder.write([0x61, 0xFF, 0x0A], to: "pairs/a.txt")
    try write(["a.png": ""])
    let error = try #require(throws: CaptionError.self) { try read() }
    #expect(error.description.hasSuffix("pairs/a.txt:1: expected a caption in UTF-8, found other bytes"))
  }
}
