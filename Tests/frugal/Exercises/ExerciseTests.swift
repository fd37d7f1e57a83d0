import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// Exercises: solutions in NumPy earn all points, planted mistakes are named, and nobody gets another's numbers.
@Suite struct ExerciseTests {
  static let fixtures = Fixtures.package.appendingPathComponent("Tests/Fixtures/exercises")
  static let names = Exercise.all.map(\.name)

  /// A wrong tensor, and the cause that is to be named.
  struct Case: Decodable {
    let tensor: String
    let cause: String?
  }

  /// The public check of an exercise, graded with what a solution gave for it.
  private func grade(_ name: String, _ file: URL) throws -> (Grading, Score) {
    let (exercise, folder) = (try Exercise.named(name), try TemporaryFolder())
    let reference = folder.url.appendingPathComponent("check.safetensors")
    try exercise.writeReference(
      exercise.instance(.publicCheck, student: Exercise.publicStudent), to: reference)
    let files = try GradedFiles(reference.path)
    var options = Grading.Options()
    (options.follows, options.recalculation) = (true, exercise.recalculation(of: files))
    #expect(options.recalculation != nil)
    let grading = try Grading(
      files, try Manifest(in: files), submission: file.path, options: options)
    return (grading, Score(grading, by: exercise.rubric))
  }

  @Test(arguments: names, ["float64", "float32"]) func aSolutionEarnsAllPoints(
    _ name: String, _ type: String
  ) throws {
    let (grading, score) = try grade(
      name, Self.fixtures.appendingPathComponent("\(name)/\(type).npz"))
    #expect(grading.isRight, "\(grading.text(score))")
    #expect(score.points == score.outOf && grading.tensors.allSatisfy { $0.verdict == .right })
  }

  /// One mistake costs the points of one tensor: later ones are judged by the submission's own.
  @Test(arguments: names) func aPlantedMistakeIsNamedAndCostsOneTensor(_ name: String) throws {
    let data = try Data(contentsOf: Self.fixtures.appendingPathComponent("cases.json"))
    let cases = try #require(
      try JSONDecoder().decode([String: [String: Case]].self, from: data)[name])
    #expect(cases.count >= 4)
    for (file, expected) in cases.sorted(by: { $0.key < $1.key }) {
      let (grading, score) = try grade(
        name, Self.fixtures.appendingPathComponent("\(name)/\(file).npz"))
      let text = "\(file)\n\(grading.text(score))"
      #expect(
        grading.tensors.filter { !$0.verdict.earns }.map { $0.tensor } == [expected.tensor],
        "\(text)")
      #expect(grading.first?.cause == expected.cause, "\(text)")
      #expect(score.points == score.outOf - 1, "\(text)")
    }
  }

  /// Each mistake of the table is told from the right answer and from those that come before it, in single precision.
  @Test(arguments: names) func everyMistakeOfTheTableIsOne(_ name: String) throws {
    let exercise = try Exercise.named(name)
    for size in Exercise.Size.allCases {
      let values = exercise.instance(size, student: "someone")
      for step in exercise.steps {
        let tolerance = Tolerance(
          Tolerance.derived(.f64, .f64, terms: 1024), of: values[step.name].values)
        for mistake in step.mistakes {
          let mistaken = mistake.calculate(values).values
          #expect(mistaken.count == values[step.name].count, "\(step.name): \(mistake.cause)")
          #expect(!tolerance.accepts(mistaken), "\(step.name): \(mistake.cause)")
        }
      }
    }
  }

  @Test func theTableIsSound() throws {
    #expect(Set(Self.names).count == Self.names.count && Self.names.count >= 12)
    for exercise in Exercise.all {
      let names = exercise.inputs.map(\.name) + exercise.steps.map(\.name)
      #expect(Set(names).count == names.count)
      for (index, step) in exercise.steps.enumerated() {
        let before = names.prefix(exercise.inputs.count + index)
        #expect(step.from.allSatisfy(before.contains), "\(exercise.name): \(step.name)")
      }
      for size in Exercise.Size.allCases {
        let values = exercise.instance(size, student: "a")
        #expect(names.allSatisfy { values[$0].values.allSatisfy(\.isFinite) }, "\(exercise.name)")
      }
    }
    let error = try #require(throws: UsageError.self) { try Exercise.named("layernorm") }
    #expect(error.description.contains("did you mean layer-norm?"))
  }

  @Test func everyStudentHasOwnNumbers() throws {
    for exercise in Exercise.all {
      let (ada, bob) = (
        exercise.instance(.own, student: "ada"), exercise.instance(.own, student: "bob")
      )
      let name = exercise.steps[0].name
      #expect(exercise.instance(.own, student: "ada")[name] == ada[name])
      #expect(exercise.inputs.contains { ada[$0.name] != bob[$0.name] }, "\(exercise.name)")
    }
  }

  @Test func idsBecomeNamesOfFolders() {
    #expect(Exercise.folderName("ada.l-1@uni.edu") == "ada.l-1@uni.edu")
    #expect(Exercise.folderName("../x y") == "%2E.%2Fx%20y" && Exercise.folderName("é") == "%C3%A9")
    let long = String(repeating: "ä", count: 400)
    #expect(
      Exercise.folderName(long).utf8.count <= 120
        && Exercise.folderName(long) != Exercise.folderName(long + "b"))
  }
}
