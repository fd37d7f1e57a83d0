import Formats
import Foundation
import Tensor

/// The miniature world on disk: each task as an image folder that `ImageFolder` reads.
///
/// A task's folder appears by its name only when it is complete: until then it is hidden, and an error removes it. What
/// is complete is not written again, so an interrupted world is continued by writing it again.
public enum MiniatureWorld {
  /// The version of the images.
  package static let version = 2
  /// The manifest file of a folder.
  static let manifestName = "world.json"
  /// The folder of images with captions.
  package static let pairsName = "pretraining"
  /// Images generated between two reports of progress; also the number held in memory.
  private static let chunk = 512

  /// Images done, and images in total.
  public typealias Progress = (_ done: Int, _ all: Int) -> Void

  /// The manifest of a folder of the world.
  struct Manifest: Codable, Equatable {
    var version = MiniatureWorld.version
    let name: String
    let seed: UInt64
    /// Images in all splits.
    let pictures: Int
    /// SHA-256 of the pixels of all images, in order.
    var digest = ""

    /// Returns whether a folder holds the same images, by its manifest.
    func isAnother(of other: Manifest) -> Bool {
      (version, name, seed, pictures) == (other.version, other.name, other.seed, other.pictures)
    }
  }

  /// A file to be written and its image.
  struct Picture {
    let path: String
    let image: @Sendable () -> Image
  }

  /// Writes `folder/TASK/{train,val,test}/CLASS/*.png`, `classnames.txt`, `template.txt` and `sheet.png`, a contact
  /// sheet of the test split.
  ///
  /// - Returns: true if it was written; false if it already exists with the same seed and version.
  /// - Throws: `MiniatureWorldError` if something else is in `folder`, or if it cannot be written.
  @discardableResult
  public static func write(
    _ task: MiniatureTask, to folder: URL, seed: UInt64 = 1, progress: Progress = { _, _ in }
  ) throws(MiniatureWorldError) -> Bool {
    let pictures = pictures(of: task, seed: seed)
    let manifest = Manifest(name: task.name, seed: seed, pictures: pictures.count)
    return try publish(manifest, in: folder) { (hidden) throws(FileError) in
      for split in MiniatureTask.Split.allCases {
        for name in classFolders(of: task) {
          try makeFolder(hidden.appendingPathComponent("\(split.rawValue)/\(name)"))
        }
      }
      let names = zip(classFolders(of: task), task.classes).map { "\($0) \($1)\n" }.joined()
      try put(names, hidden.appendingPathComponent(ClassNames.fileName))
      try put(task.template + "\n", hidden.appendingPathComponent("template.txt"))
      try put(sheet(of: task, seed: seed).png, hidden.appendingPathComponent("sheet.png"))
      return try write(pictures, to: hidden, progress: progress)
    }
  }

  /// Writes `folder/pretraining/*.png`, the first `count` images of the pretraining stream, `captions.tsv` (one line
  /// `file caption` each, separated by a tab) and `sheet.png`.
  ///
  /// - Returns, throws: as for a task.
  @discardableResult
  package static func writePairs(
    _ count: Int, to folder: URL, seed: UInt64 = 1, progress: Progress = { _, _ in }
  ) throws(MiniatureWorldError) -> Bool {
    let stream = Miniature.PretrainingStream(seed: seed)
    let pictures = (0..<count).map { index in
      Picture(path: numbered(index + 1, digits: 7) + ".png") { stream.pair(index, isLesson: false).image }
    }
    let manifest = Manifest(name: pairsName, seed: seed, pictures: count)
    return try publish(manifest, in: folder) { (hidden) throws(FileError) in
      let lines = pictures.indices.map { "\(pictures[$0].path)\t\(stream.caption($0))\n" }
      try put(lines.joined(), hidden.appendingPathComponent("captions.tsv"))
      let groups = (0..<min(count, 60)).map { index in
        let pair = stream.pair(index, isLesson: false)
        return ContactSheet.Group(label: pair.caption, images: [pair.image])
      }
      if !groups.isEmpty {
        try put(ContactSheet(groups, leastWidth: 80).rendered().png, hidden.appendingPathComponent("sheet.png"))
      }
      return try write(pictures, to: hidden, progress: progress)
    }
  }

  /// The names of the class folders, by label: numbered, so that labels keep their order, and readable.
  static func classFolders(of task: MiniatureTask) -> [String] {
    task.classes.enumerated().map { label, name in
      "\(numbered(label, digits: 2))_\(name.replacing(" ", with: "_"))"
    }
  }

  /// The images of a task: one split after another, with the classes in turn within each.
  static func pictures(of task: MiniatureTask, seed: UInt64) -> [Picture] {
    let folders = classFolders(of: task)
    return MiniatureTask.Split.allCases.flatMap { split in
      (0..<task.count(split)).map { index in
        let number = numbered(index / task.classes.count + 1, digits: 5)
        return Picture(path: "\(split.rawValue)/\(folders[task.label(index)])/\(number).png") {
          task.image(split, index, seed: seed)
        }
      }
    }
  }

  /// A contact sheet of the first test images of each class.
  package static func sheet(of task: MiniatureTask, seed: UInt64 = 1, pictures: Int = 6) -> Image {
    let groups = task.classes.enumerated().map { label, name in
      ContactSheet.Group(
        label: name, images: (0..<pictures).map { task.image(.test, label + $0 * task.classes.count, seed: seed) })
    }
    return ContactSheet(groups).rendered()
  }

  private static func numbered(_ number: Int, digits: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Generates the images and writes those that are stored; returns the SHA-256 of all pixels.
  ///
  /// - folder: `nil` writes nothing.
  static func write(_ pictures: [Picture], to folder: URL?, progress: Progress) throws(FileError) -> String {
    var hash = SHA256()
    for start in stride(from: 0, to: pictures.count, by: chunk) {
      let part = pictures[start..<min(start + chunk, pictures.count)]
      let made = Parallel.map(part.count) { offset in
        let picture = part[part.startIndex + offset]
        return Result { () throws(FileError) in
          let image = picture.image()
          if let folder { try put(image.png, folder.appendingPathComponent(picture.path)) }
          return image
        }
      }
      for result in made { hash.update(try result.get().pixels) }
      progress(start + part.count, pictures.count)
    }
    return hash.digest.description
  }
}
