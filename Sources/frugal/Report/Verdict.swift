import Foundation
import Methods

/// Which method is the best on a dataset, and whether it can be told from the others.
///
/// Compared are groups of runs with the same dataset, shots and classes, and the pretrained model; the best has the
/// highest mean accuracy, and of equal ones the lowest cost. Each other is compared with it on the test images and
/// seeds that both have (`PairedComparison`). An interval of 95 % holds for one comparison, not for all of them at
/// once.
struct Verdict {
  /// A classifier that takes part.
  struct Candidate {
    let name: String
    /// Its mean over seeds, in percent.
    let accuracy: Double
    /// The mean seconds of a run; 0 without training, `nil` if not measured.
    let seconds: Double?
    let answers: PairedComparison.Answers
  }

  /// Another classifier, against the best; without a comparison if they share no test image and seed.
  struct Rival {
    let candidate: Candidate
    let comparison: PairedComparison?
  }

  let dataset: String
  /// `4 shots`, or `4 shots, base classes`.
  let setting: String
  let best: Candidate
  /// By descending accuracy.
  let rivals: [Rival]

  /// True if the best is better than the runner-up.
  var isClear: Bool { rivals.first?.comparison?.isBetter ?? false }
  /// Those that cannot be told from the best.
  var equals: [Rival] { rivals.filter { $0.comparison.map { !$0.isBetter } ?? false } }
  /// The cheapest of the best and those that cannot be told from it; `nil` if that is the best, or costs are unknown.
  var cheaper: Candidate? {
    guard let own = best.seconds else { return nil }
    let cheapest = equals.map(\.candidate).min { ($0.seconds ?? .infinity) < ($1.seconds ?? .infinity) }
    return cheapest.flatMap { ($0.seconds ?? .infinity) < own ? $0 : nil }
  }

  /// The verdicts on some groups, in their order.
  static func all(_ groups: [RunGroup]) -> [Verdict] {
    var order: [String] = []
    var members: [String: [RunGroup]] = [:]
    for group in groups {
      let key = "\(group.dataset)\n\(group.shotsText)\n\(group.isBase)"
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(group)
    }
    return order.compactMap { members[$0].flatMap(verdict) }
  }

  private static func verdict(_ groups: [RunGroup]) -> Verdict? {
    guard let first = groups.first else { return nil }
    let hasModels = Set(groups.map(\.model)).count > 1
    var candidates = groups.map { group in
      Candidate(
        name: group.label + (hasModels ? ", \(group.model)" : "") + (group.isChosenByTest ? " †" : ""),
        accuracy: group.accuracy.mean, seconds: group.known { $0.seconds }?.mean,
        answers: Self.answers(group) { $0.isRight })
    }
    // One pretrained model for all, or the best of several, as prompts and models may differ.
    let frozen = groups.filter { $0.zeroShot != nil }.max { ($0.zeroShot?.mean ?? 0) < ($1.zeroShot?.mean ?? 0) }
    if let frozen, let accuracy = frozen.zeroShot?.mean {
      // It is the same for every seed that has the same images.
      var answers = Self.answers(frozen) { $0.isFrozenRight }
      for group in groups where group.zeroShot?.mean == accuracy {
        answers.merge(Self.answers(group) { $0.isFrozenRight }) { own, _ in own }
      }
      candidates.append(Candidate(name: "zero-shot", accuracy: accuracy, seconds: 0, answers: answers))
    }
    let ranked = candidates.enumerated().sorted { a, b in
      let (costA, costB) = (a.element.seconds ?? .infinity, b.element.seconds ?? .infinity)
      return (-a.element.accuracy, costA, a.offset) < (-b.element.accuracy, costB, b.offset)
    }.map(\.element)
    return Verdict(
      dataset: first.dataset, setting: first.shotsPhrase + (first.isBase ? ", base classes" : ""), best: ranked[0],
      rivals: ranked.dropFirst().map { other in
        Rival(candidate: other, comparison: PairedComparison(ranked[0].answers, other.answers))
      })
  }

  private static func answers(_ group: RunGroup, _ isRight: (Prediction) -> Bool?) -> PairedComparison.Answers {
    var answers: PairedComparison.Answers = [:]
    for run in group.runs {
      var own: [String: Bool] = [:]
      for line in run.learnedPredictions { own[line.picture] = isRight(line) }
      answers[run.settings.seed] = own
    }
    return answers
  }
}

extension Verdict {
  /// The verdict in a sentence or two, without the dataset.
  var text: String {
    guard let rival = rivals.first else { return "\(Self.named(best)); there is nothing to compare it with." }
    guard let found = rival.comparison else {
      return "\(Self.named(best)) before \(Self.named(rival.candidate)); not compared, as they share no predictions."
    }
    let interval = "95 % interval \(Self.text(found.interval))"
    let basis = "\(plural(found.images, "test image")), \(plural(found.seeds, "seed"))"
    let cost = Self.cost(best, rival.candidate).map { ", \($0)" } ?? ""
    if found.isBetter {
      return "\(Self.named(best)) is better than \(Self.named(rival.candidate)) by \(Self.points(found.difference)) "
        + "(\(interval); \(basis))\(cost)."
    }
    let advice =
      cheaper.map { " Not distinguishable from the best and the cheapest: \(Self.named($0))." } ?? ""
    return "\(Self.named(best)) and \(Self.named(rival.candidate)) are not distinguishable: "
      + "\(Self.points(found.difference)), \(interval) (\(basis))\(cost).\(advice)"
  }

  private static func named(_ candidate: Candidate) -> String { "\(candidate.name) (\(tenths(candidate.accuracy)) %)" }

  /// `in 25 times the time`; `nil` if a time is unknown.
  static func cost(_ candidate: Candidate, _ other: Candidate) -> String? {
    guard let own = candidate.seconds, let others = other.seconds else { return nil }
    if own == 0 { return "without training" }
    guard others > 0 else { return "in \(Statistic([own]).secondsText) s" }
    let ratio = own / others
    let text = ratio >= 9.95 ? grouped(Int(min(ratio, 1e15).rounded())) : String(format: "%.1f", ratio)
    return ratio < 0.1 ? "in \(String(format: "%.1g", ratio)) times the time" : "in \(text) times the time"
  }

  /// `1.2 points`, with a sign that is one.
  static func points(_ value: Double) -> String {
    let text = signed(value)
    return text == "1.0" ? "1.0 point" : "\(text) points"
  }

  static func text(_ interval: ClosedRange<Double>) -> String {
    "\(signed(interval.lowerBound)) to \(signed(interval.upperBound))"
  }

  private static func signed(_ value: Double) -> String { tenths(value).replacing("-", with: "−") }
}
