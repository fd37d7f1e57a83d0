import Datasets
import Foundation
import Methods

/// What `frugal tune` chooses where its user leaves it open, and why: splits, method, and the folder of the run.
///
/// The method follows from two facts. A model that reads texts gets `task-res` with 16 images per class or fewer, as
/// its names of classes are a classifier already and few images correct it; with more, `lora+linear`. A model without
/// texts has to learn a classifier: `linear` on frozen features with 16 images per class or fewer, else `lora` as well.
enum TuneDefaults {
  /// Images per class up to which the encoder stays as it is.
  static let few = 16

  /// The arguments with what was left open, and a line about each choice.
  static func completed(_ arguments: Arguments) throws -> (arguments: Arguments, notes: [String]) {
    let needsMethod = !arguments.has("--method")
    try check(arguments, needsMethod: needsMethod)
    var (arguments, notes) = (arguments, [String]())
    if needsMethod || !arguments.strings("--split").contains(where: { $0.contains(",") }) {
      let found = try images(arguments)
      if found.isUndivided {
        arguments = arguments.setting("--split", to: split)
        notes.append("note: no splits: \(split) of the images are drawn for train, val and test (--split)")
      }
      if needsMethod {
        let hasText = Pretrained.isCLIP(URL(fileURLWithPath: try arguments.required("--model")))
        let shots = try arguments.integer("--shots", in: 1...1_000_000, or: "all")
        let (method, reason) = method(hasText: hasText, imagesPerClass: min(found.perClass, shots ?? .max))
        arguments = arguments.setting("--method", to: method)
        notes.append("note: method \(method), as \(reason) (--method)")
      }
    }
    if !arguments.has("--out") {
      let name = URL(fileURLWithPath: try arguments.dataPath()).standardizedFileURL.lastPathComponent
      let path = vacant("runs/\(name)-\(arguments.string("--method") ?? "")")
      arguments = arguments.setting("--out", to: path)
      notes.append("note: the run is \(path) (--out)")
    }
    return (arguments, notes)
  }

  /// Checks the flags before anything is read, with stand-ins for what is left open.
  private static func check(_ arguments: Arguments, needsMethod: Bool) throws {
    let named =
      needsMethod
      ? arguments.removing(MethodFlags.all.map(\.flag) + ["--ensembling"]).setting("--method", to: "lora+linear")
      : arguments
    _ = try TuneFlags.request(named.has("--out") ? named : named.setting("--out", to: "run"))
  }

  private static let split = "0.6,0.2,0.2"

  /// The method, and the reason for it in words.
  static func method(hasText: Bool, imagesPerClass: Int) -> (name: String, reason: String) {
    let isFew = imagesPerClass <= few
    let count = "\(plural(imagesPerClass, "training image")) per class"
    switch (hasText, isFew) {
    case (true, true): return ("task-res", "the model reads texts and there are \(count), \(few) or fewer")
    case (true, false): return ("lora+linear", "there are \(count), more than \(few)")
    case (false, true): return ("linear", "the model reads no texts and there are \(count), \(few) or fewer")
    case (false, false): return ("lora", "the model reads no texts and there are \(count), more than \(few)")
    }
  }

  /// The rule in one line of help.
  static var rule: String {
    func name(_ hasText: Bool, _ images: Int) -> String { method(hasText: hasText, imagesPerClass: images).name }
    return "with \(few) images per class or fewer \(name(true, few)), or \(name(false, few)) without texts; with more "
      + "\(name(true, few + 1)), or \(name(false, few + 1))"
  }

  /// Training images per class, rounded, and whether splits are still to be drawn.
  private static func images(_ arguments: Arguments) throws -> (perClass: Int, isUndivided: Bool) {
    let root = URL(fileURLWithPath: try arguments.dataPath())
    let list = arguments.string("--data-list").map { URL(fileURLWithPath: $0) }
    func perClass(_ folder: ImageFolder) -> Int {
      max(1, Int((Double(folder.train.count) / Double(max(1, folder.classNames.count))).rounded()))
    }
    let drawn = try arguments.drawnSplit()
    if drawn != nil {
      return (perClass(try namingSplitFlag { try ImageFolder(contentsOf: root, drawing: drawn, list: list) }), false)
    }
    do throws(ImageFolderError) {
      return (perClass(try ImageFolder(contentsOf: root, drawing: nil, list: list)), false)
    } catch {
      guard case .noSplits = error else { throw error }
    }
    let split = try arguments.setting("--split", to: split).drawnSplit()
    return (perClass(try ImageFolder(contentsOf: root, drawing: split, list: list)), true)
  }

  /// The path, or with the first number that makes it new.
  private static func vacant(_ path: String) -> String {
    let candidates = [path] + (2...9999).lazy.map { "\(path)-\($0)" }
    return candidates.first { !FileManager.default.fileExists(atPath: $0) } ?? path
  }
}
