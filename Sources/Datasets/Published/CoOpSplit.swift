import Formats
import Foundation

extension PublishedSplit {
  /// `split_zhou_NAME.json` (CoOp, DATASETS.md): lists `train`, `val` and `test` of `[path, label, class name]`.
  static func coOp(_ root: URL, _ entries: [String]) throws(ImageFolderError) -> PublishedSplit? {
    let found = entries.filter { $0.hasPrefix("split_zhou_") && $0.hasSuffix(".json") }
    guard let name = found.first else { return nil }
    guard found.count == 1 else {
      throw .list(
        file: root.shown, line: 0, expected: "one file split_zhou_NAME.json", found: found.joined(separator: " and "))
    }
    let file = root.appendingPathComponent(name)
    let lists: CoOpLists = try decoded(file, "lists train, val and test of [path, label, class name]")
    var names: [Int: String] = [:]
    for item in lists.train + lists.val + lists.test {
      let known = names.updateValue(item.name, forKey: item.label)
      guard known == nil || known == item.name else {
        throw .list(
          file: file.shown, line: 0, expected: "one name of class \(item.label)",
          found: "\"\(known ?? "")\" and \"\(item.name)\"")
      }
    }
    let labels = names.keys.sorted()
    guard labels == Array(0..<labels.count) else {
      throw .list(
        file: file.shown, line: 0, expected: "labels from 0 on without a gap",
        found: labels.isEmpty ? "no images" : "\(labels.count) labels from \(labels[0]) to \(labels[labels.count - 1])")
    }
    func list(_ items: [CoOpLists.Item]) -> [Entry] {
      items.map { Entry(path: $0.path, label: $0.label, line: 0) }
    }
    var splits: [SplitName: [Entry]] = [.train: list(lists.train), .test: list(lists.test)]
    if !lists.val.isEmpty { splits[.validation] = list(lists.val) }
    let classNames = labels.map { names[$0] ?? "" }
    return try PublishedSplit(
      "CoOp's split file", root, folders: classNames, names: classNames, splits, files: splits.mapValues { _ in file })
  }

  /// A JSON file of any size that a list of images has.
  static func decoded<Value: Decodable>(_ file: URL, _ expected: String) throws(ImageFolderError) -> Value {
    let bytes = try contents(of: file)
    do { return try JSON.decoded(Value.self, from: bytes) } catch {
      throw .list(file: file.shown, line: 0, expected: expected, found: JSON.reason(error))
    }
  }

  /// The bytes of a list; a million images stay below the limit.
  static func contents(of file: URL) throws(ImageFolderError) -> [UInt8] {
    do throws(FileError) { return try MappedFile.text(of: file, limit: 1 << 28) } catch { throw .unreadable(error) }
  }
}

/// The content of `split_zhou_NAME.json`.
private struct CoOpLists: Decodable {
  struct Item: Decodable {
    let path: String
    let label: Int
    let name: String

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      path = try list.decode(String.self)
      label = try list.decode(Int.self)
      name = try list.decode(String.self)
    }
  }

  let train, val, test: [Item]
}
