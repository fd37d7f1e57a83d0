import Formats
import Foundation

/// A submission compared with a reference, tensor by tensor in the order of calculation.
struct Grading: Encodable, Sendable {
  /// The files, as they were named.
  let reference, submission: String
  /// Why the submission could not be read at all.
  var problem: String?
  private(set) var tensors: [TensorGrade] = []
  /// Tensors that only the submission has.
  private(set) var extra: [String] = []

  /// The first tensor that is not right.
  var first: TensorGrade? { tensors.first { !$0.verdict.earns } }
  /// True if every tensor is right.
  var isRight: Bool { problem == nil && tensors.allSatisfy { $0.verdict.earns } }

  /// How to compare.
  struct Options: Sendable {
    /// The names of tensors in the submission, by those in the reference, where they differ.
    var names: [String: String] = [:]
    /// t of every tensor, or of single ones by name; derived where neither states it.
    var tolerance: Double?
    var tolerances: [String: Double] = [:]
    /// Whether later tensors are judged by the submission's own earlier ones, where they can be calculated again.
    var follows = false
    var recalculation: Recalculation?
  }

  /// Compares; a submission that cannot be read gives a grading with a problem.
  ///
  /// - Throws: errors of the reference.
  init(_ reference: GradedFiles, _ manifest: Manifest?, submission path: String, options: Options) throws {
    (self.reference, submission) = (reference.label, URL(fileURLWithPath: path).shown)
    var files: GradedFiles?
    do { files = try GradedFiles(path) } catch { problem = "\(error)" }
    let order = manifest ?? Manifest(tensors: Self.names(of: reference).map { Manifest.Entry(name: $0) })
    let stated = Set(order.tensors.map(\.name))
    if let manifest, let lost = manifest.tensors.first(where: { !reference.contains($0.name) }) {
      throw FileError(file: reference.label, expected: "a tensor \"\(lost.name)\", as in the manifest", found: "none")
    }
    let others = manifest == nil ? [] : Self.names(of: reference).filter { !stated.contains($0) }
    let entries = order.tensors + others.map { Manifest.Entry(name: $0) }
    var grader = Grader(reference: reference, submission: files, manifest: order, options: options)
    for entry in entries {
      if entry.isGiven == true {
        try grader.give(entry.name)
      } else {
        tensors.append(try grader.grade(entry))
      }
    }
    let expected = Set(entries.map { options.names[$0.name] ?? $0.name })
    extra = (files?.names ?? []).filter { !expected.contains($0) }
  }

  /// In the order in which a trace calculates them.
  private static func names(of files: GradedFiles) -> [String] {
    files.names.map { (name: $0, position: TracePosition($0)) }.sorted { $0.position < $1.position }.map(\.name)
  }
}

/// The comparison, one tensor after another.
private struct Grader {
  let reference: GradedFiles
  let submission: GradedFiles?
  let options: Grading.Options
  private let dependence: Dependence
  private let terms: [String: Int]
  /// Tensors that are not right.
  private var wrong: Set<String> = []
  /// What later tensors are calculated from: inputs, and what the submission has in the right shape.
  private var values: Recalculation.Values = [:]

  init(reference: GradedFiles, submission: GradedFiles?, manifest: Manifest, options: Grading.Options) {
    (self.reference, self.submission, self.options) = (reference, submission, options)
    dependence = Dependence(manifest)
    let pairs = manifest.tensors.map { ($0.name, $0.isGiven == true ? 0 : $0.terms ?? Tolerance.unstatedTerms) }
    terms = Dictionary(pairs) { first, _ in first }
  }

  /// An input.
  mutating func give(_ name: String) throws { values[name] = try reference.tensor(name) }

  mutating func grade(_ entry: Manifest.Entry) throws -> TensorGrade {
    let name = entry.name
    var wanted = try reference.tensor(name)
    var grade = TensorGrade(
      tensor: name, equation: entry.equation, formula: entry.formula, verdict: .missing,
      expected: GradedTensor.title(wanted.type, wanted.shape), elements: wanted.values.count,
      wrong: wanted.values.count)
    let found = submitted(name, wanted, &grade)
    let own = values
    let asked = wanted
    // What was asked for stands in for what is not there, so that later tensors can be judged. At the end: a change now
    // would copy all of them.
    defer { values[name] = found?.values.allSatisfy(\.isFinite) == true ? found : asked }
    guard let found else {
      wrong.insert(name)
      return grade
    }
    let t =
      options.tolerances[name] ?? options.tolerance
      ?? Tolerance.derived(wanted.type, found.type, terms: summed(name))
    grade.tolerance = t
    let tolerance = Tolerance(t, of: wanted.values)
    judge(&grade, found, wanted, tolerance)
    guard grade.verdict != .right else { return grade }
    let source = dependence.ancestors(of: name).first { wrong.contains($0) }
    if source != nil, grade.verdict == .differs {
      (grade.verdict, grade.follows) = (.follows, source)
      guard options.follows, let again = options.recalculation?.result(name, own), again.count == wanted.values.count
      else {
        wrong.insert(name)
        return grade
      }
      wanted = GradedTensor(type: wanted.type, shape: wanted.shape, values: again)
      let carried = Tolerance(t, of: again)
      if carried.accepts(found.values) {
        (grade.verdict, grade.wrong) = (.carried, 0)
        return grade
      }
      judge(&grade, found, wanted, carried)
    }
    wrong.insert(name)
    let mistakes = options.recalculation?.mistakes(name, own) ?? []
    grade.cause = CauseSearch(reference: wanted, submission: found, tolerance: Tolerance(t, of: wanted.values))
      .cause(mistakes: mistakes)
    return grade
  }

  /// N: the terms of a tensor and of all that it depends on.
  private func summed(_ name: String) -> Int {
    func count(_ name: String) -> Int { min(terms[name] ?? Tolerance.unstatedTerms, 1 << 40) }
    return dependence.ancestors(of: name).reduce(count(name)) { $0 + count($1) }
  }

  /// The tensor of the submission, if it is there and has the right shape; else the grade says what is wrong.
  private func submitted(_ name: String, _ wanted: GradedTensor, _ grade: inout TensorGrade) -> GradedTensor? {
    let ownName = options.names[name] ?? name
    guard let submission, submission.contains(ownName) else {
      // Where many are missing, a near name explains none of them, and looking for it takes the product of all.
      if let submission, wrong.count < 10 { grade.problem = suggestion(for: ownName, among: submission.names) }
      return nil
    }
    guard let form = submission.form(of: ownName) else { return read(ownName, submission, &grade) }
    grade.found = GradedTensor.title(form.type, form.shape)
    // Only what has the shape of the reference is read, so that no tensor is too large.
    guard form.shape == wanted.shape else {
      grade.verdict = .shape
      let count = form.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
      if count == wanted.values.count, let other = try? submission.tensor(ownName) {
        let tolerance = Tolerance(Tolerance.derived(wanted.type, other.type, terms: summed(name)), of: wanted.values)
        grade.cause = CauseSearch(reference: wanted, submission: other, tolerance: tolerance).cause()
      }
      return nil
    }
    return read(ownName, submission, &grade)
  }

  private func read(_ name: String, _ files: GradedFiles, _ grade: inout TensorGrade) -> GradedTensor? {
    do { return try files.tensor(name) } catch {
      (grade.verdict, grade.problem) = (.unreadable, "\(error)")
      return nil
    }
  }

  /// Verdict, number of wrong elements and the worst of them.
  private func judge(
    _ grade: inout TensorGrade, _ found: GradedTensor, _ wanted: GradedTensor, _ tolerance: Tolerance
  ) {
    let errors = found.values.indices.map { tolerance.error(found.values[$0], at: $0) }
    grade.wrong = errors.count { $0 > tolerance.relative }
    if let worst = errors.indices.max(by: { errors[$0] < errors[$1] }) {
      let (r, s) = (wanted.values[worst], found.values[worst])
      let error = errors[worst]
      grade.worst = TensorGrade.Worst(
        index: Axes.index(of: worst, in: wanted.shape), expected: "\(r)", found: "\(s)",
        absolute: (s - r).isFinite ? abs(s - r) : error == 0 ? 0 : nil, relative: error.isFinite ? error : nil)
    }
    let isStrange = zip(found.values, wanted.values).contains { !$0.isFinite && $1.isFinite }
    grade.verdict = grade.wrong == 0 ? .right : isStrange ? .notFinite : .differs
  }
}
