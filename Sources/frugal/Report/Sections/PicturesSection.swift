import Formats
import Foundation
import Methods
import Tensor

/// Test images on which the tuned and the frozen model disagree, with both predictions.
struct PicturesSection {
  /// The number of images of each kind shown per run.
  static let picturesOfAKind = 6
  /// The maximal size in bytes of all thumbnails: a report must open on a phone.
  static let bytesInAll = 8 << 20

  private var bytesLeft = Self.bytesInAll
  /// True if the images of a run are shown unfolded.
  private var hasOpened = false

  static func html(_ groups: [RunGroup]) -> Page.Section? {
    var section = PicturesSection()
    let content = groups.flatMap { group in group.runs.compactMap { section.details(of: $0, in: group) } }
    guard !content.isEmpty else { return nil }
    return Page.section(
      "Images before and after",
      [
        Page.paragraph(
          "Test images that only one of the two models classifies correctly, in descending order of the "
            + "correct model's confidence.")
      ] + content, id: "pictures")
  }

  /// The images of a run; `nil` if there is no frozen prediction to compare with.
  private mutating func details(of run: ReportedRun, in group: RunGroup) -> String? {
    let title = "\(group.title), seed \(run.settings.seed)"
    if let problem = run.predictionProblem { return Page.details(title, Page.paragraph(problem)) }
    let compared = run.predictions.filter { $0.zeroShot != nil }
    let classes = run.classes
    guard !compared.isEmpty else { return nil }
    func isRight(_ answer: Prediction.Answer?, _ line: Prediction) -> Bool { answer?.label == line.label }
    let corrected = compared.filter { isRight($0.tuned, $0) && !isRight($0.zeroShot, $0) }
      .sorted { ($0.tuned.probability, $1.picture) > ($1.tuned.probability, $0.picture) }
    let broken = compared.filter { !isRight($0.tuned, $0) && isRight($0.zeroShot, $0) }
      .sorted { ($0.zeroShot?.probability ?? 0, $1.picture) > ($1.zeroShot?.probability ?? 0, $0.picture) }
    let both = compared.count { isRight($0.tuned, $0) && isRight($0.zeroShot, $0) }
    let neither = compared.count - corrected.count - broken.count - both
    var content = [
      Page.table(
        ["before", "correct after tuning", "wrong after tuning"],
        [("correct before", both, broken.count), ("wrong before", corrected.count, neither)].map { name, right, wrong in
          [Page.Cell(name)] + [right, wrong].map { Page.Cell(grouped($0), number: Double($0)) }
        }, caption: "\(plural(compared.count, "test image")), before and after tuning.")
    ]
    guard let path = try? run.folder.located(.images, run.settings) else {
      return Page.details(
        title,
        (content + [Page.paragraph("The images are not shown: their folder was not found.")])
          .joined(separator: "\n"))
    }
    let root = URL(fileURLWithPath: path)
    for (heading, found) in [
      ("Correct after tuning, wrong before", corrected), ("Correct before, wrong after tuning", broken),
    ]
    where !found.isEmpty {
      content += ["<h3>\(heading)</h3>"] + gallery(found, root, classes)
    }
    let summary = "\(title): \(grouped(corrected.count)) corrected, \(grouped(broken.count)) broken"
    let isFirst = !hasOpened && corrected.count + broken.count > 0
    hasOpened = hasOpened || isFirst
    return Page.details(summary, content.joined(separator: "\n"), isOpen: isFirst)
  }

  private mutating func gallery(_ predictions: [Prediction], _ root: URL, _ classes: [String]) -> [String] {
    var (figures, missing) = ([String](), 0)
    for line in predictions where figures.count < Self.picturesOfAKind {
      // Missing images are usually missing as a folder: a long list of them is not tried to its end.
      guard missing < 4 * Self.picturesOfAKind else { break }
      guard let source = inlined(line.picture, below: root) else {
        missing += 1
        continue
      }
      figures.append(figure(line, source, classes))
    }
    var content = figures.isEmpty ? [] : ["<div class=\"pictures\">\n\(figures.joined(separator: "\n"))\n</div>"]
    if missing > 0 {
      content.append(
        Page.paragraph(
          "\(plural(missing, "image")) \(missing == 1 ? "is" : "are") not shown: moved since the run, not to be read, "
            + "or beyond the size of a report."))
    }
    return content
  }

  private func figure(_ line: Prediction, _ source: String, _ classes: [String]) -> String {
    func said(_ answer: Prediction.Answer?) -> String {
      answer.map { "\(classes[$0.label]) \(tenths(100 * Double($0.probability))) %".escaped } ?? "–"
    }
    let name = classes[line.label].escaped
    return "<figure><img alt=\"\(line.picture.escaped)\" src=\"\(source)\"/><figcaption><b>\(name)</b><br/>"
      + "tuned: \(said(line.tuned))<br/>zero-shot: \(said(line.zeroShot))</figcaption></figure>"
  }

  /// A thumbnail of the file, if it is inside the folder and fits what is left of the size of a report.
  private mutating func inlined(_ path: String, below root: URL) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard !path.isEmpty, !parts.contains(".."), !parts.contains("") else { return nil }
    guard bytesLeft > 0, let source = Thumbnail.source(of: root.appendingPathComponent(path)),
      source.utf8.count <= bytesLeft
    else { return nil }
    bytesLeft -= source.utf8.count
    return source
  }
}
