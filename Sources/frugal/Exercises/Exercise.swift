import Formats
import Foundation
import Reference
import Tensor

/// An exercise: given tensors, and steps that calculate others from them, in an order that builds up.
///
/// The steps are those of `Reference`, in double precision. From them come the answers, the statement, the starters,
/// and what a grader calculates again from a submission's own values.
struct Exercise: Sendable {
  /// A given tensor.
  struct Input: Sendable {
    let name: String
    /// 0 for a number, 1 for a vector, 2 for a matrix.
    let rank: Int
    let meaning: String

    init(_ name: String, _ rank: Int, _ meaning: String) {
      (self.name, self.rank, self.meaning) = (name, rank, meaning)
    }
  }

  /// A tensor that is asked for.
  struct Step: Sendable {
    let name: String
    let rank: Int
    let formula: String
    /// Its paper and number, as in `docs/methods`, or its source.
    let equation: String
    /// What it is calculated from.
    let from: [String]
    let calculate: @Sendable (ExerciseValues) -> Matrix
    /// What students get wrong here, as it follows "cause:", and what they get.
    let mistakes: [(cause: String, calculate: @Sendable (ExerciseValues) -> Matrix)]

    init(
      _ name: String, _ rank: Int, _ formula: String, _ equation: String, from: [String],
      mistakes: [(cause: String, calculate: @Sendable (ExerciseValues) -> Matrix)] = [],
      _ calculate: @escaping @Sendable (ExerciseValues) -> Matrix
    ) {
      (self.name, self.rank, self.formula, self.equation, self.from) = (
        name, rank, formula, equation, from
      )
      (self.mistakes, self.calculate) = (mistakes, calculate)
    }
  }

  /// The two instances of an exercise have different shapes, so that a solution for one shape only is noticed.
  enum Size: CaseIterable, Sendable {
    /// The same for everyone, with its answers.
    case publicCheck
    /// A student's own, or a hidden one.
    case own
  }

  let name, title, introduction: String
  let inputs: [Input]
  /// The given matrices.
  let make: @Sendable (inout ExerciseDraws, Size) -> [String: Matrix]
  let steps: [Step]

  /// All of them, in the order in which they build up.
  static let all: [Exercise] = [
    .crossEntropy, .layerNorm, .attention, .attentionBackward, .adam, .zeroShot, .taskRes,
    .straightThrough,
    .gradientDropout, .sensitivity, .allocation, .loraBranch, .maskStep,
  ]

  /// The exercise of a name.
  ///
  /// - Throws: `UsageError` with the nearest name.
  static func named(_ name: String) throws(UsageError) -> Exercise {
    if let found = all.first(where: { $0.name == name }) { return found }
    throw UsageError(
      "\"\(name)\": expected an exercise (frugal exercise --list)\(suggestion(for: name, among: all.map(\.name)))"
    )
  }

  /// The order, the formulas and the dependences of its tensors.
  var manifest: Manifest {
    let given = inputs.map { Manifest.Entry(name: $0.name, isGiven: true) }
    let asked = steps.map {
      Manifest.Entry(name: $0.name, equation: $0.equation, formula: $0.formula, from: $0.from)
    }
    return Manifest(exercise: name, tensors: given + asked)
  }

  /// The rubric that comes with it: one point for each tensor.
  var rubric: Rubric {
    Rubric(
      title: title, follow: true,
      items: steps.map {
        Rubric.Item(name: "\($0.name): \($0.equation)", tensors: [$0.name], points: 1)
      })
  }

  /// The given tensors and the answers of one student.
  func instance(_ size: Size, student: String) -> ExerciseValues {
    var draws = ExerciseDraws(exercise: name, student: student)
    var values = ExerciseValues(make(&draws, size))
    for step in steps { values.set(step.name, step.calculate(values)) }
    return values
  }

  /// The rank of a tensor.
  func rank(_ name: String) -> Int {
    inputs.first { $0.name == name }?.rank ?? steps.first { $0.name == name }?.rank ?? 2
  }

  /// The shape of a tensor: that of its matrix, without the extents of 1 that its rank lacks.
  func shape(_ name: String, _ values: ExerciseValues) -> [Int] {
    let matrix = values[name]
    return switch rank(name) {
    case 0: []
    case 1: [matrix.count]
    default: [matrix.rows, matrix.columns]
    }
  }
}

extension Exercise {
  /// What calculates the tensors of a reference again; `nil` if the reference has other shapes than the exercise.
  func recalculation(of reference: GradedFiles) -> Recalculation? {
    let exercise = self
    let names = inputs.map(\.name) + steps.map(\.name)
    for size in Size.allCases {
      let model = instance(size, student: "")
      guard names.allSatisfy({ reference.form(of: $0)?.shape == shape($0, model) }) else {
        continue
      }
      @Sendable func values(_ values: Recalculation.Values) -> ExerciseValues? {
        var found: [String: Matrix] = [:]
        for (name, tensor) in values {
          let matrix = model[name]
          guard tensor.values.count == matrix.count else { return nil }
          found[name] = Matrix(matrix.rows, matrix.columns, tensor.values)
        }
        return ExerciseValues(found)
      }
      @Sendable func step(_ name: String, _ given: Recalculation.Values) -> (
        step: Step, values: ExerciseValues
      )? {
        guard let step = exercise.steps.first(where: { $0.name == name }),
          step.from.allSatisfy({ given[$0] != nil }),
          let own = values(given)
        else { return nil }
        return (step, own)
      }
      return Recalculation(
        result: { name, given in step(name, given).map { $0.step.calculate($0.values).values } },
        mistakes: { name, given in
          guard let found = step(name, given) else { return [] }
          return found.step.mistakes.map {
            (name: $0.cause, values: $0.calculate(found.values).values)
          }
        })
    }
    return nil
  }
}
