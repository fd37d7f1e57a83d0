import Formats

extension ImageFolder {
  /// What a user should know about the folder: files that are no images, a test split that is the validation split,
  /// classes without test images or of the same name.
  public var notes: [String] {
    var notes: [String] = []
    func skipped(_ files: [String], _ one: String, _ several: String) {
      guard !files.isEmpty else { return }
      let shown = files.prefix(3).map(FileName.shown).joined(separator: ", ") + (files.count > 3 ? "…" : "")
      notes.append("note: skipped \(files.count) \(files.count == 1 ? one : several): \(shown)")
    }
    let loose = ignored.filter { ImageFiles.isImage($0) }
    skipped(loose, "image outside of the folders of classes", "images outside of the folders of classes")
    skipped(
      ignored.filter { !ImageFiles.isImage($0) }, "file without the ending of an image",
      "files without the ending of images")
    if !links.isEmpty {
      let shown = links.prefix(3).map(FileName.shown).joined(separator: ", ") + (links.count > 3 ? "…" : "")
      let (what, target) = links.count == 1 ? ("link", "a folder") : ("links", "folders")
      notes.append(
        "warning: skipped \(links.count) \(what) to \(target) around the class folder, or read already: \(shown)")
    }
    if let first = sharedFolders.first {
      let shown = first.map(FileName.shown).joined(separator: ", ")
      let what = sharedFolders.count == 1 ? "1 folder is" : "\(sharedFolders.count) folders are"
      notes.append(
        "warning: by links \(what) read more than once, so that images are in several classes or splits: \(shown)"
          + (sharedFolders.count > 1 ? "…" : ""))
    }
    if isTestValidation {
      notes.append(
        "note: there is no test split: \(FileName.shown(testName)), which selects nothing then, is evaluated")
    }
    if let drawn {
      notes.append(
        "note: splits drawn with seed \(drawn.seed): \(train.count) train, \(validation?.count ?? 0) val, "
          + "\(test.count) test")
    }
    if surplusNames > 0 {
      notes.append(
        "note: \(ClassNames.fileName) also names \(surplusNames) \(surplusNames == 1 ? "class" : "classes") without a "
          + "folder")
    }
    if folders.count == 1 {
      notes.append(
        "warning: there is 1 class only, \"\(classNames[0])\": every answer is right, and an accuracy of 100 % says "
          + "nothing")
    }
    if !untestedClasses.isEmpty {
      let shown = untestedClasses.prefix(5).map(FileName.shown).joined(separator: ", ")
      notes.append("warning: classes without test images: \(shown)")
    }
    return notes + nameNotes
  }

  /// A name as CLIP's tokenizer reads it: in lower case, one space between words.
  private static func folded(_ name: String) -> String {
    name.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Names that a text encoder cannot tell apart, or that are no text.
  private var nameNotes: [String] {
    var notes: [String] = []
    var folders: [String: [String]] = [:]
    for (name, folder) in zip(classNames, self.folders) { folders[Self.folded(name), default: []].append(folder) }
    for name in classNames where (folders[Self.folded(name)] ?? []).count > 1 {
      let shown = (folders.removeValue(forKey: Self.folded(name)) ?? []).map(FileName.shown).joined(separator: ", ")
      notes.append("warning: classes of the same name \"\(name)\", which prompts cannot tell apart: \(shown)")
    }
    let odd = self.folders.filter { FileName.text($0) != $0 }
    if let first = odd.first {
      let what = odd.count == 1 ? "folder has a name that is" : "folders have names that are"
      notes.append(
        "warning: \(odd.count) class \(what) not UTF-8, such as \(FileName.shown(first)); \(ClassNames.fileName) can "
          + "give another")
    }
    return notes
  }
}
