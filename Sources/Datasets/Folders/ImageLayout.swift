import Formats
import Foundation

/// The images of a dataset by split, and the folders or labels that are its classes, wherever they come from.
struct ImageLayout {
  private(set) var folders: [String] = []
  private(set) var items: [SplitName: [LabelledImage]] = [:]
  private(set) var ignored: [String] = []
  /// Links that are not followed.
  private(set) var links: [String] = []
  /// The paths of each folder that is part of several classes or splits by links.
  private(set) var sharedFolders: [[String]] = []
  private(set) var hasSplitFolders = true
  private(set) var testName = SplitName.test.rawValue
  /// Class names that come with the splits, by label.
  private(set) var names: [String]?
  /// The layout in words.
  private(set) var layoutName = "folders of splits"

  /// The layout of a folder.
  init(_ root: URL, _ drawing: DrawnSplit?) throws(ImageFolderError) {
    guard try ImageFiles.kind(of: root).kind == .folder else {
      throw .unreadable(FileError(file: root.shown, expected: "a folder of images", found: "none"))
    }
    var splits: [SplitName: [String]] = [:]
    var classes: [String] = []
    for name in try ImageFiles.entries(of: root)
    where try ImageFiles.kind(of: root.appendingPathComponent(name)).kind == .folder {
      classes.append(name)
      if let split = SplitName(name) { splits[split, default: []].append(name) }
    }
    let isSplit = splits[.train] != nil && (splits[.validation] != nil || splits[.test] != nil)
    if let drawing {
      guard !isSplit else { throw .hasSplits(root.shown) }
      // Where train is all there is, it is what is divided.
      let isOnlyTrain = classes.count == 1 && splits[.train] != nil
      try readClasses(isOnlyTrain ? root.appendingPathComponent(classes[0]) : root, isOnlyTrain ? classes[0] + "/" : "")
      draw(drawing)
      return
    }
    if !isSplit, let published = try PublishedSplit.read(root) {
      self = ImageLayout(published)
      return
    }
    // ImageNet's splits lie in a folder of their own.
    if splits.isEmpty, classes.contains(Self.imageFolder) {
      let images = root.appendingPathComponent(Self.imageFolder)
      if try ImageFiles.entries(of: images).contains(where: { SplitName($0) == .train }) {
        self = try ImageLayout(images, nil)
        return
      }
    }
    if splits.isEmpty {
      throw classes.isEmpty ? .missingSplit(folder: root.appendingPathComponent("train").shown) : .noSplits(root.shown)
    }
    try readSplits(root, splits)
  }

  private static let imageFolder = "images"

  /// The layout of a published dataset.
  private init(_ published: PublishedSplit) {
    (folders, names, layoutName) = (published.folders, published.names, published.layout)
    hasSplitFolders = false
    items = published.entries.mapValues { entries in
      entries.map { entry in
        LabelledImage(url: published.images.appendingPathComponent(entry.path), label: entry.label, name: entry.path)
      }
    }
  }

  /// The layout of a list.
  init(_ root: URL, list: DataList, _ drawing: DrawnSplit?) throws(ImageFolderError) {
    (folders, hasSplitFolders, layoutName) = (list.labels, false, "a list")
    guard list.entries[0].split == nil || drawing == nil else { throw .hasSplits(list.shown) }
    guard list.entries[0].split != nil || drawing != nil else { throw .noSplits(list.shown) }
    var labels: [String: Int] = [:]
    for (label, folder) in folders.enumerated() { labels[folder] = label }
    var all: [LabelledImage] = []
    for entry in list.entries {
      let url =
        entry.path.hasPrefix("/") ? URL(fileURLWithPath: entry.path) : root.appendingPathComponent(entry.path)
      let kind = try ImageFiles.kind(of: url).kind
      guard kind == .file || kind == .other else {
        throw list.wrong(entry, "an image file", "none at \(FileName.shown(entry.path))")
      }
      let item = LabelledImage(url: url, label: labels[entry.label] ?? 0, name: entry.path)
      all.append(item)
      if let split = entry.split { items[split, default: []].append(item) }
    }
    if let drawing {
      items[.train] = all
      draw(drawing)
    } else {
      try checkLabels(list)
    }
  }

  /// Folders of splits, each with a folder per class.
  private mutating func readSplits(_ root: URL, _ names: [SplitName: [String]]) throws(ImageFolderError) {
    func read(_ split: SplitName) throws(ImageFolderError) -> ClassFolders? {
      guard let found = names[split] else { return nil }
      guard found.count == 1 else {
        throw .severalSplits(folder: root.shown, split: split.rawValue, names: found)
      }
      return try ClassFolders(root.appendingPathComponent(found[0]), prefix: found[0] + "/", of: root)
    }
    guard let train = try read(.train) else {
      throw .missingSplit(folder: root.appendingPathComponent("train").shown)
    }
    try Self.check(train)
    folders = train.classes.map(\.folder)
    items[.train] = try train.labelled(folders: folders)
    var all = [train]
    guard names[.test] != nil || names[.validation] != nil else {
      throw .missingSplit(folder: root.appendingPathComponent("test").shown)
    }
    for split in [SplitName.validation, .test] {
      guard let found = try read(split) else { continue }
      guard !found.classes.isEmpty else { throw .noClasses(folder: found.url.shown) }
      items[split] = try found.labelled(folders: folders)
      all.append(found)
    }
    note(all)
    // ImageNet's test images have no labels, so people evaluate on val.
    if items[.test] == nil, let only = names[.validation]?.first {
      items[.test] = items.removeValue(forKey: .validation)
      testName = only
    }
  }

  /// Class folders without splits.
  private mutating func readClasses(_ root: URL, _ prefix: String) throws(ImageFolderError) {
    let found = try ClassFolders(root, prefix: prefix, of: root)
    try Self.check(found)
    (folders, hasSplitFolders, layoutName) = (found.classes.map(\.folder), false, "folders of classes")
    items[.train] = try found.labelled(folders: folders)
    note([found])
    // The file of class names lies beside the folders.
    ignored.removeAll { $0 == ClassNames.fileName }
  }

  /// Keeps what was skipped in the folders of splits, and which folders are read more than once.
  private mutating func note(_ splits: [ClassFolders]) {
    (ignored, links) = (splits.flatMap(\.ignored), splits.flatMap(\.links))
    var paths: [FileIdentity: [String]] = [:]
    for split in splits { paths.merge(split.paths) { $0 + $1 } }
    sharedFolders = paths.values.filter { $0.count > 1 }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }

  private static func check(_ found: ClassFolders) throws(ImageFolderError) {
    if let empty = found.empty.first { throw .emptyClass(folder: found.url.appendingPathComponent(empty).shown) }
    guard !found.classes.isEmpty else { throw .noClasses(folder: found.url.shown) }
  }

  /// Divides the images, all of which are in train so far.
  private mutating func draw(_ drawing: DrawnSplit) {
    let all = items[.train] ?? []
    items = [.train: [], .test: []]
    if drawing.validation > 0 { items[.validation] = [] }
    for (item, part) in zip(all, drawing.parts(of: all)) { items[part, default: []].append(item) }
  }

  private mutating func checkLabels(_ list: DataList) throws(ImageFolderError) {
    let trained = Set((items[.train] ?? []).map(\.label))
    for (index, folder) in folders.enumerated() where !trained.contains(index) {
      guard let entry = list.entries.first(where: { $0.label == folder }) else { continue }
      throw list.wrong(entry, "only labels that train has", "\"\(FileName.shown(folder))\"")
    }
    if items[.test] == nil {
      guard let validation = items.removeValue(forKey: .validation) else {
        throw list.wrong(list.entries[0], "images of split test or val", "none in the list")
      }
      (items[.test], testName) = (validation, SplitName.validation.rawValue)
    }
  }
}
