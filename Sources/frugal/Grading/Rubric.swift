import Formats
import Foundation

/// Points for the tensors of a reference.
struct Rubric: Codable, Sendable {
  /// How much a group earns whose tensors are not all right.
  enum Credit: String, Codable, Sendable {
    /// Nothing.
    case all
    /// The share of its tensors that are right.
    case partial
    /// The mean share of the elements that are right.
    case proportional
  }

  /// When the student sees the result of a group; the words of Gradescope.
  enum Visibility: String, Codable, Sendable {
    case visible, hidden
    case afterDueDate = "after_due_date"
    case afterPublished = "after_published"
  }

  /// A group of tensors.
  struct Item: Codable, Sendable {
    let name: String
    /// Names of tensors, or beginnings of names followed by `*`.
    let tensors: [String]
    let points: Double
    var credit: Credit?
    var visibility: Visibility?
    /// t of its tensors.
    var tolerance: Double?
  }

  var title: String?
  /// Whether later tensors are judged by the submission's own earlier ones.
  var follow: Bool?
  let items: [Item]

  init(title: String? = nil, follow: Bool? = nil, items: [Item]) {
    (self.title, self.follow, self.items) = (title, follow, items)
  }

  /// A rubric from a file, whose names are all among those that are graded.
  init(contentsOf path: String, graded names: [String]) throws {
    let url = URL(fileURLWithPath: path)
    let file = url.shown
    do { self = try JSON.decoded(Rubric.self, from: try MappedFile.bytes(of: url)) } catch let error as FileError {
      throw error
    } catch let error as JSONTextError {
      throw FileError(file: file, expected: error.expected, found: error.found)
    } catch {
      throw FileError(
        file: file, expected: "{\"items\": [{\"name\": …, \"tensors\": […], \"points\": …}, …]}",
        found: "something else")
    }
    guard !items.isEmpty else { throw FileError(file: file, expected: "items", found: "none") }
    let beginnings = items.reduce(0) { $0 + $1.tensors.count { $0.hasSuffix("*") } }
    let most = Self.mostMatches / max(1, names.count)
    guard beginnings <= most else {
      throw FileError(
        file: file, expected: "at most \(most) beginnings of names, of \(names.count)", found: "\(beginnings)")
    }
    let graded = GradedNames(names)
    for item in items {
      guard item.points >= 0, item.points <= 1e6, item.tolerance.map({ $0 > 0 && $0 <= 1 }) ?? true else {
        throw FileError(
          file: file, expected: "points from 0 to 1000000, and a tolerance from 0 to 1, for \"\(item.name)\"",
          found: "\(item.points)\(item.tolerance.map { ", \($0)" } ?? "")")
      }
      guard !item.tensors.isEmpty else {
        throw FileError(file: file, expected: "tensors for \"\(item.name)\"", found: "none")
      }
      guard let stranger = item.tensors.first(where: { graded.matching($0).isEmpty }) else { continue }
      throw FileError(
        file: file, expected: "names of the reference for \"\(item.name)\"",
        found: "\"\(stranger)\"\(suggestion(for: stranger, among: names))")
    }
  }

  /// The most comparisons of beginnings with names.
  private static let mostMatches = 1 << 22

  /// The tolerances of single tensors; where several items state one, the first.
  func tolerances(of names: [String]) -> [String: Double] {
    var found: [String: Double] = [:]
    let graded = GradedNames(names)
    for item in items {
      guard let t = item.tolerance else { continue }
      for name in item.tensors.flatMap(graded.matching) where found[name] == nil { found[name] = t }
    }
    return found
  }

  /// One point for each tensor.
  static func plain(_ names: [String]) -> Rubric {
    Rubric(items: names.map { Item(name: $0, tensors: [$0], points: 1) })
  }
}

/// The names of what is graded, each once.
private struct GradedNames {
  private let all: [String]
  private let known: Set<String>

  init(_ names: [String]) { (all, known) = (names, Set(names)) }

  /// The names that a pattern stands for.
  func matching(_ pattern: String) -> [String] {
    // A name may end in a star itself.
    if known.contains(pattern) { return [pattern] }
    return pattern.hasSuffix("*") ? all.filter { $0.hasPrefix(pattern.dropLast()) } : []
  }
}

/// What a grading is worth.
struct Score: Encodable, Sendable {
  /// A group of the rubric.
  struct Item: Encodable, Sendable {
    let name: String
    let points, outOf: Double
    let visibility: Rubric.Visibility
    let tensors: [String]
  }

  let points, outOf: Double
  let items: [Item]

  init(_ grading: Grading, by rubric: Rubric) {
    let grades = Dictionary(grading.tensors.map { ($0.tensor, $0) }) { first, _ in first }
    let graded = GradedNames(grading.tensors.map(\.tensor))
    items = rubric.items.map { item in
      let members = item.tensors.unique.flatMap(graded.matching).unique
      let shares = members.map { name -> Double in
        guard let grade = grades[name] else { return 0 }
        return item.credit == .proportional ? grade.share : grade.verdict.earns ? 1 : 0
      }
      let mean = shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
      let share = item.credit == .all ? mean.rounded(.down) : mean
      return Item(
        name: item.name, points: item.points * share, outOf: item.points, visibility: item.visibility ?? .visible,
        tensors: members)
    }
    points = items.reduce(0) { $0 + $1.points }
    outOf = items.reduce(0) { $0 + $1.outOf }
  }
}
