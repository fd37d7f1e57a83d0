import Datasets
import Formats
import Foundation
import Methods
import Tensor

/// `frugal data`: what a folder of images is, before anything is trained on it.
enum DataCommand: Command {
  static let name = "data"
  static let summary = "what a folder of images is: layout, splits, classes, unreadable files, a contact sheet"
  static let operands = "PATH"
  static let calculates = false
  static let options = [
    dataListOption,
    Option("--split", "A,B,C", "shares of train, val and test for data without splits, such as 0.6,0.2,0.2"),
    Option("--seed", "N", "seed of a split by shares (default 1)"),
    Option("--sheet", "FILE.png", "a picture of the first training images of each class"),
    Option("--unchecked", "count images without decoding them"),
    jsonOption,
  ]
  static let examples = [
    Example("frugal data photos", "counts by class, and every file that cannot be read"),
    Example("frugal data eurosat --sheet eurosat.png --unchecked", "a published dataset at a glance"),
  ]

  /// The output of `--json`.
  struct Report: Encodable {
    struct Class: Encodable {
      let name, folder: String
      /// `nil` where there is no validation split.
      let train: Int
      let val: Int?
      let test: Int
    }

    let folder, layout: String
    let benchmark: String?
    let train: Int
    let val: Int?
    let test: Int
    let testSplit: String
    let classes: [Class]
    /// `nil` if no image was decoded.
    let unreadable: [String]?
  }

  static func run(_ arguments: Arguments) throws {
    let folder = try arguments.dataFolder()
    var unreadable: [String]?
    if !arguments.has("--unchecked") { unreadable = self.unreadable(folder) }
    let report = Report(folder, try arguments.benchmark(folder), unreadable)
    if let file = arguments.string("--sheet") {
      let sheet = try DataSheet.image(of: folder)
      try sheet.writePNG(to: URL(fileURLWithPath: file))
    }
    if arguments.has("--json") { try printJSON(report) } else { print(text(report)) }
    if let unreadable, !unreadable.isEmpty {
      throw RunError("expected images that can be read, found \(plural(unreadable.count, "image")) that cannot")
    }
  }

  /// The messages of the images that cannot be decoded, split by split.
  private static func unreadable(_ folder: ImageFolder) -> [String] {
    let line = ProgressLine()
    defer { line.finish() }
    var messages: [String] = []
    let sets = [folder.train, folder.validation, folder.test].compactMap(\.self)
    let (all, piece) = (sets.reduce(0) { $0 + $1.count }, 256)
    var done = 0
    for set in sets {
      for start in stride(from: 0, to: set.count, by: piece) {
        let part = ImageSet(items: Array(set.items[start..<min(start + piece, set.count)]), classes: set.classes)
        messages += part.readable().unreadable.map { "\($0)" }
        done += part.count
        line.show("\(done) of \(all) images")
      }
    }
    return messages
  }

  private static func text(_ report: Report) -> String {
    let hasValidation = report.val != nil
    func row(_ name: String, _ train: Int, _ val: Int?, _ test: Int) -> [String] {
      [name, "\(train)"] + (hasValidation ? ["\(val ?? 0)"] : []) + ["\(test)"]
    }
    let shown = Verbosity.current == .verbose ? report.classes.count : min(20, report.classes.count)
    var rows = [["class", "train"] + (hasValidation ? ["val"] : []) + [report.testSplit]]
    rows += report.classes.prefix(shown).map { row($0.name, $0.train, $0.val, $0.test) }
    if shown < report.classes.count { rows.append(["\(report.classes.count - shown) more (-v shows them)"]) }
    rows.append(row("all \(plural(report.classes.count, "class", "classes"))", report.train, report.val, report.test))
    var lines = ["\(report.folder): \(report.layout)"]
    if let benchmark = report.benchmark { lines[0] += ", treated as \(benchmark)" }
    lines += ["", aligned(rows, rightFrom: 1)]
    guard let unreadable = report.unreadable else { return lines.joined(separator: "\n") }
    let limit = Verbosity.current == .verbose ? unreadable.count : min(10, unreadable.count)
    lines += ["", unreadable.isEmpty ? "every image can be read" : "cannot be read:"]
    lines += unreadable.prefix(limit)
    if limit < unreadable.count { lines.append("\(unreadable.count - limit) more (-v shows them)") }
    return lines.joined(separator: "\n")
  }
}

extension DataCommand.Report {
  init(_ folder: ImageFolder, _ benchmark: Benchmark?, _ unreadable: [String]?) {
    let counts = (folder.train.countByClass, folder.validation?.countByClass, folder.test.countByClass)
    self.init(
      folder: folder.root.shown, layout: folder.layoutName, benchmark: benchmark?.rawValue, train: folder.train.count,
      val: folder.validation?.count, test: folder.test.count, testSplit: FileName.shown(folder.testName),
      classes: folder.classNames.indices.map { label in
        Class(
          name: folder.classNames[label], folder: FileName.shown(folder.folders[label]), train: counts.0[label],
          val: counts.1?[label], test: counts.2[label])
      }, unreadable: unreadable)
  }
}

extension Arguments {
  /// The images of the path or list that is named.
  fileprivate func dataFolder() throws -> ImageFolder {
    guard operands.count <= 1 else { throw UsageError("data", expected: "one folder", found: "\(operands.count)") }
    guard !operands.isEmpty || string("--data-list") != nil else {
      throw UsageError("data", expected: "a folder of images or --data-list", found: "neither")
    }
    return try imageFolder(at: operands.first)
  }
}
