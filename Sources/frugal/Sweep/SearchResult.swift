import Formats
import Foundation
import Methods

/// `search.json`: every candidate of a search with its accuracies on validation splits, and the winner of each method.
struct SearchResult: Codable {
  /// One run of a candidate.
  struct Run: Codable {
    let run, dataset: String
    let shots: String?
    let seed: Int
    /// On the validation split, in percent.
    var accuracy: Double?
    var correct, total: Int?
    /// Why there is none.
    var error: String?
  }

  /// One combination of values.
  struct Candidate: Codable {
    let name: String
    /// The searched flags, without dashes.
    let flags: [String: [String]]
    /// The mean validation accuracy of its runs, in percent; `nil` if one of them failed.
    let accuracy: Double?
    /// Training images times epochs, of all its runs.
    let trainedImages: Int?
    let trainedParameters: Int?
    let runs: [Run]
  }

  /// A method with its candidates in the order of the grid.
  struct Method: Codable {
    let method: String
    /// The name of the candidate that won; `nil` if none could be judged.
    let winner: String?
    /// Searched numbers of which the winner has the smallest or the largest: better ones may lie outside.
    let edges: [String]
    let candidates: [Candidate]
  }

  static let rule =
    "highest mean validation accuracy; of equal ones fewer training images times epochs, then fewer trained "
    + "parameters, then the first"

  /// That of the search, as it was.
  let digest: String
  let rule: String
  let methods: [Method]

  /// The result of a search; `nil` while runs are open.
  init?(_ search: SweepSearch, in folder: SweepFolder) {
    var results: [[String]: [(run: Run, found: ValidationResult?)]] = [:]
    for cell in search.cells {
      var run = Run(run: cell.name, dataset: cell.dataset, shots: cell.shots, seed: cell.seed)
      var found: ValidationResult?
      if cell.isFinished {
        do {
          let result = try cell.folder.validationResult()
          (run.accuracy, run.correct, run.total) = (
            result.validation.accuracy, result.validation.correct, result.validation.total
          )
          found = result
        } catch { run.error = "\(error)" }
      } else {
        guard let failure = folder.failure(of: cell) else { return nil }
        run.error = failure.error
      }
      results[[cell.method, cell.candidate ?? ""], default: []].append((run, found))
    }
    (digest, rule) = (search.digest, Self.rule)
    methods = search.methods.map { name, candidates in
      let found = candidates.map { Candidate($0, results[[name, $0.name]] ?? []) }
      let winner = Self.winner(of: found)
      return Method(
        method: name, winner: winner?.name, edges: winner.map { Self.edges(of: $0, among: candidates) } ?? [],
        candidates: found)
    }
  }

  /// The best candidate by the rule.
  static func winner(of candidates: [Candidate]) -> Candidate? {
    func isBetter(_ new: Candidate, than best: Candidate) -> Bool {
      let gain = (new.accuracy ?? -1) - (best.accuracy ?? -1)
      // Sums of the same accuracies in another order differ by less.
      guard abs(gain) < 1e-9 else { return gain > 0 }
      let (own, others) = (
        [new.trainedImages ?? .max, new.trainedParameters ?? .max],
        [best.trainedImages ?? .max, best.trainedParameters ?? .max]
      )
      return own.lexicographicallyPrecedes(others)
    }
    return candidates.filter { $0.accuracy != nil }.reduce(nil as Candidate?) { best, next in
      best.map { isBetter(next, than: $0) } ?? true ? next : best
    }
  }

  /// Numbers of the winner that are the smallest or the largest of two or more.
  private static func edges(of winner: Candidate, among candidates: [SweepSearch.Candidate]) -> [String] {
    winner.flags.sorted { $0.key < $1.key }.compactMap { key, own in
      let texts = candidates.map { $0.flags["--\(key)"] ?? [] }
      let numbers = texts.compactMap { $0.count == 1 ? Double($0[0]) : nil }
      guard numbers.count == texts.count, let low = numbers.min(), let high = numbers.max(), low < high,
        let number = own.first.flatMap({ Double($0) }), number == low || number == high
      else { return nil }
      return key
    }
  }

  /// Whether it has the methods and candidates of a search.
  func fits(_ search: SweepSearch) -> Bool {
    methods.map(\.method) == search.methods.map(\.name)
      && zip(methods, search.methods).allSatisfy { found, own in
        found.candidates.map(\.name) == own.candidates.map(\.name)
          && found.winner.map { winner in own.candidates.contains { $0.name == winner } } ?? true
      }
  }

  /// Writes it, whole or not at all.
  ///
  /// - Throws: `FileError` if it cannot be written.
  func write(in root: URL) throws {
    try AtomicFile.write(
      Array(try JSON.encoded(self, isPretty: true)) + [10], to: root.appendingPathComponent(SweepSearch.fileName))
  }

  /// A row per method: what was chosen, its accuracy on val, and what is to be known about it.
  var text: String {
    let rows = methods.map { method -> [String] in
      let tried = method.candidates.count
      guard let winner = method.candidates.first(where: { $0.name == method.winner }) else {
        let reason = method.candidates.lazy.flatMap(\.runs).compactMap(\.error).first ?? "no candidates"
        return [method.method, "–", "", "none of \(tried) could be judged: \(reason)"]
      }
      let failed = method.candidates.count { $0.accuracy == nil }
      var remarks = ["best of \(tried)"]
      if failed > 0 { remarks.append("\(failed) failed") }
      remarks += method.edges.map { "\($0) at the edge of its range" }
      let flags = winner.flags.sorted { $0.key < $1.key }.map { "\($0) \($1.joined(separator: " "))" }
      return [
        method.method, flags.isEmpty ? "as stated" : flags.joined(separator: ", "), percent(winner.accuracy ?? 0),
        remarks.joined(separator: ", "),
      ]
    }
    return aligned([["chosen by search", "flags", "val (%)", ""]] + rows)
  }
}

extension SearchResult.Candidate {
  fileprivate init(
    _ candidate: SweepSearch.Candidate, _ results: [(run: SearchResult.Run, found: ValidationResult?)]
  ) {
    let found = results.compactMap(\.found)
    let isWhole = !results.isEmpty && found.count == results.count
    self.init(
      name: candidate.name,
      flags: Dictionary(uniqueKeysWithValues: candidate.flags.map { (String($0.key.dropFirst(2)), $0.value) }),
      accuracy: isWhole ? Statistic(found.map(\.validation.accuracy)).mean : nil,
      trainedImages: isWhole ? found.reduce(0) { $0 + $1.trainedImages } : nil,
      trainedParameters: isWhole ? found.map(\.trainedParameters).max() : nil, runs: results.map(\.run))
  }
}
