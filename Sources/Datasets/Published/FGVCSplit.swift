import Formats
import Foundation

extension PublishedSplit {
  /// The five FGVC datasets as VPT splits them: `train.json`, `val.json` and `test.json`, each an object of paths with
  /// a class number, which are counted from 0 in their order.
  static func fgvc(_ root: URL, _ entries: [String]) throws(ImageFolderError) -> PublishedSplit? {
    guard entries.contains("train.json"), entries.contains("test.json") else { return nil }
    var (numbers, files): ([SplitName: [String: Int]], [SplitName: URL]) = ([:], [:])
    for split in SplitName.allCases where split != .validation || entries.contains("val.json") {
      let file = root.appendingPathComponent("\(split.rawValue).json")
      files[split] = file
      numbers[split] = try decoded(file, "an object of paths, each with the number of its class") as [String: Int]
    }
    let classes = Set(numbers.values.flatMap(\.values)).sorted()
    let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    // Objects have no order: that of the paths is the same on every machine.
    let splits = numbers.mapValues { numbers in
      numbers.sorted { FileName.bytes($0.key).lexicographicallyPrecedes(FileName.bytes($1.key)) }
        .map { Entry(path: $0.key, label: labels[$0.value] ?? 0, line: 0) }
    }
    return try PublishedSplit(
      "VPT's split files", root, folders: classes.map { "\($0)" }, splits, files: files)
  }
}
