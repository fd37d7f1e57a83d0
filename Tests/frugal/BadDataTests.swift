import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Folders of pictures that are broken: exit code 1, a line that names file and reason, and no trace of a run.
@Suite struct BadDataTests {
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let texts: [String]
    let apply: @Sendable (TemporaryFolder) throws -> Void

    init(_ name: String, _ texts: String..., apply: @escaping @Sendable (TemporaryFolder) throws -> Void) {
      (testDescription, self.texts, self.apply) = (name, texts, apply)
    }
  }

  private func tune(_ folder: TemporaryFolder, _ extra: String...) async throws -> FrugalProcess.Outcome {
    let out = folder.url.appendingPathComponent("run")
    return try await runFrugal(Workbench.quickRun("r-amt", out: out, data: folder.path("pictures")) + extra)
  }

  @Test(arguments: [
    Damage("no train", "pictures/train: expected a folder with one folder per class, found none") {
      try $0.remove("pictures/train")
    },
    Damage("no test", "pictures/test: expected a folder with one folder per class, found none") {
      try $0.remove("pictures/test")
    },
    Damage("an empty train", "pictures/train: expected one folder per class, found no folder") {
      try $0.remove("pictures/train")
      try $0.write([], to: "pictures/train/stray.jpg")
    },
    Damage("an empty class", "train/empty: expected images (") {
      try $0.write("text", to: "pictures/train/empty/readme.txt")
    },
    Damage("a class of test alone", "test/purple: expected only classes that train has, found another") {
      try $0.write([], to: "pictures/test/purple/1.png")
    },
    Damage(
      "class names of others", "classnames.txt: expected a line for the class folder \"blue_triangle\", found none"
    ) {
      try $0.write("red_circle a red one\nwhite\ta white one\n", to: "pictures/classnames.txt")
    },
    Damage(
      "a class without a name", "classnames.txt: expected a line for the class folder \"blue_triangle\", found none"
    ) {
      try $0.write("red_circle a red one\n", to: "pictures/classnames.txt")
    },
  ])
  func foldersAreRefused(damage: Damage) async throws {
    let folder = try Workbench.picturesCopy()
    try damage.apply(folder)
    expectRefusal(try await tune(folder), code: 1, ["frugal tune: "] + damage.texts)
    #expect(!folder.exists("run"))
  }

  /// Every training picture of one class is broken, so that whichever is drawn is.
  private func breakClass(_ folder: TemporaryFolder, _ change: ([UInt8]) -> [UInt8]) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/train/red_circle")) {
      let path = "pictures/train/red_circle/\(name)"
      try folder.write(change(try folder.bytes(path)), to: path)
    }
  }

  @Test func truncatedPicturesAreNamed() async throws {
    let folder = try Workbench.picturesCopy()
    try breakClass(folder) { Array($0.prefix($0.count / 2)) }
    let outcome = try await tune(folder)
    expectRefusal(outcome, code: 1, ["frugal tune: ", "train/red_circle/", "found the end of the file"])
    // The run failed in its first epoch, and its folder is free for the next attempt.
    #expect(!folder.exists("run"))
  }

  @Test func renamedTextFilesAreNamed() async throws {
    let folder = try Workbench.picturesCopy()
    try breakClass(folder) { _ in Array("just some text".utf8) }
    expectRefusal(
      try await tune(folder), code: 1, ["train/red_circle/", "expected a JPEG, PNG, GIF, BMP or WebP image, found"])
    #expect(!folder.exists("run"))
  }

  @Test func aFailedRunLeavesStrangersFilesAlone() async throws {
    let folder = try Workbench.picturesCopy()
    try breakClass(folder) { _ in [] }
    try folder.write("mine", to: "run/notes.txt")
    expectRefusal(try await tune(folder), code: 1, ["train/red_circle/"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("run")) == ["notes.txt"])
  }

  @Test func unreadableTrainingPicturesAreLeftOutIfAsked() async throws {
    let folder = try Workbench.picturesCopy()
    for name in ["00.png", "03.png", "06.png"] { try folder.write("x", to: "pictures/train/red_circle/\(name)") }
    let outcome = try await tune(folder, "--skip-unreadable")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("3 images skipped, as unreadable:"))
    #expect(outcome.errors.contains("train/red_circle/03.png: expected a JPEG, PNG, GIF, BMP or WebP image"))
  }

  @Test func classesThatLoseTooManyPicturesAreNamed() async throws {
    let folder = try Workbench.picturesCopy()
    try breakClass(folder) { _ in [] }
    let outcome = try await tune(folder, "--skip-unreadable")
    expectRefusal(outcome, code: 1, ["class \"red circle\": expected at least 1 training image, found 0"])
    #expect(!folder.exists("run"))
  }

  /// A class with fewer pictures than shots gives all it has, as in the authors' code, and a line says so.
  @Test func aClassWithFewerPicturesIsTakenWhole() async throws {
    let folder = try Workbench.picturesCopy()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/train/red_circle"))
    where !name.hasPrefix("00") { try folder.remove("pictures/train/red_circle/\(name)") }
    let refused = try await tune(folder, "--strict")
    expectRefusal(refused, code: 1, ["class \"red circle\": expected at least 2 training images, found 1"])
    #expect(!folder.exists("run"))
    let outcome = try await tune(folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let text = "warning: 1 class has fewer training images than 2, all of which are used: red circle 1\n"
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
    #expect(outcome.errors.contains("r-amt, 7 images of 4 classes"), "\(outcome.errors)")
    // A run that is resumed draws the same images.
    try folder.remove("run/result.json")
    let resumed = try await runFrugal("tune", "--resume", folder.path("run"))
    #expect(resumed.code == 0 && resumed.errors.contains(text), "\(resumed.errors)")
  }

  @Test func strictNeedsANumberOfShots() async throws {
    let folder = try TemporaryFolder()
    var words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run")) + ["--strict"]
    words[words.firstIndex(of: "--shots")! + 1] = "all"
    expectRefusal(
      try await runFrugal(words), code: 2, ["--strict: expected a number of shots with it, found all images"])
    #expect(!folder.exists("run"))
  }

  @Test func everyClassNeedsAPictureThatCanBeRead() async throws {
    let folder = try Workbench.picturesCopy()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/train")) {
      try folder.remove("pictures/train/\(name)")
      try folder.write([], to: "pictures/train/\(name)/1.png")
    }
    let out = folder.url.appendingPathComponent("run")
    var words = Workbench.quickRun("r-amt", out: out, data: folder.path("pictures")) + ["--skip-unreadable"]
    let index = try #require(words.firstIndex(of: "--shots"))
    words[index + 1] = "all"
    expectRefusal(
      try await runFrugal(words), code: 1, ["class \"blue triangle\": expected at least 1 training image, found 0"])
    #expect(!folder.exists("run"))
  }

  @Test func oneClassIsMentioned() async throws {
    let folder = try Workbench.picturesCopy()
    for split in ["train", "test"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/\(split)"))
      where name != "red_circle" { try folder.remove("pictures/\(split)/\(name)") }
    }
    let outcome = try await tune(folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("warning: there is 1 class only, \"red circle\": every answer is right"))
  }

  @Test func oddThingsAreMentioned() async throws {
    let folder = try Workbench.picturesCopy()
    try folder.write("text", to: "pictures/train/red_circle/notes.txt")
    try folder.remove("pictures/test/red_circle")
    let outcome = try await tune(folder)
    #expect(outcome.code == 0)
    #expect(outcome.errors.contains("train/red_circle/notes.txt"))
    #expect(outcome.errors.contains("warning: classes without test images: red_circle"))
  }

  @Test func promptsMustFit() async throws {
    let folder = try TemporaryFolder()
    var words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
    let index = try #require(words.firstIndex(of: "--template"))
    words[index + 1] = "no place for a name"
    expectRefusal(
      try await runFrugal(words), code: 2,
      ["--template: expected {} where the class name goes, or the name of a list (imagenet-7, imagenet-80), found"])
    words[index + 1] = "a {} " + String(repeating: "and so on ", count: 20)
    expectRefusal(try await runFrugal(words), code: 1, ["32", "and so on"])
    #expect(folder.contents.isEmpty)
    #expect(try await runFrugal(words + ["--truncate"]).code == 0)
  }
}
