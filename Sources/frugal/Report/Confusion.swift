import Methods

/// What a group of runs answers for the images of each class, all seeds together.
struct Confusion {
  /// Class names in the order of labels.
  let classes: [String]
  /// How often an image of a class gets each label that it gets.
  private let counts: [[Int: Int]]

  /// The answers of some runs of the same classes.
  init(_ runs: [ReportedRun]) {
    classes = runs.first?.settings.data.classes ?? []
    var counts = [[Int: Int]](repeating: [:], count: classes.count)
    for line in runs.lazy.flatMap(\.learnedPredictions) where line.label < counts.count {
      counts[line.label][line.tuned.label, default: 0] += 1
    }
    self.counts = counts
  }

  /// The images of a class.
  func images(of label: Int) -> Int { counts[label].values.reduce(0, +) }
  /// How many of them get a label.
  func count(_ label: Int, as answer: Int) -> Int { counts[label][answer] ?? 0 }
  /// The share of a class in percent that gets a label; `nil` for a class without images.
  func share(_ label: Int, as answer: Int) -> Double? {
    let all = images(of: label)
    return all == 0 ? nil : 100 * Double(count(label, as: answer)) / Double(all)
  }

  /// A class taken for another one.
  struct Pair: Equatable { let label, answer, count: Int }

  /// The confusions, the most frequent first.
  var pairs: [Pair] {
    let all = counts.enumerated().flatMap { label, row in
      row.filter { $0.key != label }.map { Pair(label: label, answer: $0.key, count: $0.value) }
    }
    return all.sorted { ($1.count, $0.label, $0.answer) < ($0.count, $1.label, $1.answer) }
  }
}

/// Confidence against accuracy, in ten bins of equal width; what they differ by on average is the expected calibration
/// error (Guo et al. 2017).
struct Calibration {
  struct Bin: Equatable {
    var images = 0
    /// Sums over the images of the bin.
    var confidence = 0.0
    var correct = 0

    /// In percent.
    var meanConfidence: Double { 100 * confidence / Double(max(1, images)) }
    var accuracy: Double { 100 * Double(correct) / Double(max(1, images)) }
  }

  private(set) var bins = [Bin](repeating: Bin(), count: 10)

  /// Answers with the confidence in them, 0 to 1.
  init(_ answers: some Sequence<(confidence: Double, isRight: Bool)>) {
    for (confidence, isRight) in answers {
      let bin = min(9, max(0, Int(10 * confidence)))
      bins[bin].images += 1
      bins[bin].confidence += confidence
      if isRight { bins[bin].correct += 1 }
    }
  }

  var images: Int { bins.reduce(0) { $0 + $1.images } }

  /// Σ (images of the bin / images) · |accuracy − mean confidence|, in percentage points.
  var error: Double {
    bins.reduce(0) { $0 + Double($1.images) * abs($1.accuracy - $1.meanConfidence) } / Double(max(1, images))
  }
}
