extension Miniature {
  /// What an image shows, property by property: the labels of supervised pretraining.
  package struct Facts: Sendable, Equatable {
    /// The object, the first of two that differ, or each of several alike.
    var figure: Figure?
    /// Its colour; a sketch has none.
    var hue: Hue?
    /// Its pattern; a sketch has none.
    var pattern: Pattern?
    /// Its size, position and rotation, if it is alone.
    var size: Size?
    var location: Location?
    var tilt: Subject.Tilt?
    /// The number of objects, 0 to 5.
    var count = 0
    /// The second of two objects that differ, and the relation of the first to it.
    var other: Figure?
    var relation: Relation?
    /// The colour and pattern of the background; a sketch has none.
    var ground: Hue?
    var cover: Pattern?
    /// The style.
    var style: Style

    /// A property, its answers, and the answer of an image.
    private struct Question: Sendable {
      let name: String
      let answers: [String]
      let answer: @Sendable (Facts) -> Int

      /// A question that an image may leave open: "none" is its last answer.
      init<Answer: CaseIterable & Equatable & Sendable>(
        _ name: String, _ answer: @escaping @Sendable (Facts) -> Answer?
      ) where Answer: RawRepresentable<String> {
        let cases = Array(Answer.allCases)
        self.name = name
        answers = cases.map(\.rawValue) + ["none"]
        self.answer = { facts in answer(facts).flatMap { cases.firstIndex(of: $0) } ?? cases.count }
      }

      init(_ name: String, count: ClosedRange<Int>, _ answer: @escaping @Sendable (Facts) -> Int) {
        (self.name, answers) = (name, count.map { "\($0)" })
        self.answer = { answer($0) - count.lowerBound }
      }
    }

    private static let questions: [Question] = [
      Question("shape") { $0.figure }, Question("color") { $0.hue }, Question("pattern") { $0.pattern },
      Question("size") { $0.size }, Question("location") { $0.location }, Question("tilt") { $0.tilt },
      Question("count", count: 0...5) { $0.count }, Question("other") { $0.other },
      Question("relation") { $0.relation }, Question("ground") { $0.ground }, Question("cover") { $0.cover },
      Question("style") { $0.style },
    ]

    /// The properties, in the order of `labels`.
    package static let properties = questions.map(\.name)

    /// Every answer to every question, "shape circle" first.
    package static let classes = questions.flatMap { question in question.answers.map { "\(question.name) \($0)" } }

    /// The classes that answer each question.
    package static let ranges: [Range<Int>] = {
      var start = 0
      return questions.map { question in
        defer { start += question.answers.count }
        return start..<start + question.answers.count
      }
    }()

    /// The class that answers each question.
    package var labels: [Int] {
      zip(Self.questions, Self.ranges).map { question, range in range.lowerBound + question.answer(self) }
    }
  }
}
