import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// `frugal grade --exact`: traces compared by their bits.
@Suite struct ExactGradeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file of tensors.
  private func write(_ name: String, _ tensors: [String: [Real]], as type: ElementType = .f32) throws -> String {
    var writer = SafeTensorsWriter()
    for (name, values) in tensors { writer.add(name, Tensor([values.count], values), as: type) }
    try writer.write(to: folder.url.appendingPathComponent(name))
    return folder.path(name)
  }

  private func compare(
    _ a: [String: [Real]], _ b: [String: [Real]], as type: ElementType = .f32
  ) throws -> TraceComparison {
    try TraceComparison(try write("a", a, as: type), try write("b", b, as: type))
  }

  @Test func theSameBitsAreIdentical() async throws {
    let tensors: [String: [Real]] = ["x": [0, -0.0, .nan, .infinity], "y": [], "z": [1]]
    let (a, b) = (try write("a", tensors), try write("b", tensors))
    let outcome = try await runFrugal("grade", a, b, "--exact")
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("compared 3 tensors, 5 numbers\nidentical: the same bits"))
    #expect(outcome.errors.isEmpty)
  }

  /// What a number becomes, and how far that is.
  @Test(
    arguments: [
      (1, Float(1).nextUp, 1, 0x1p-23), (1, 1.5, 1 << 22, 0.5), (0, -0.0, 0, 0),
      (.leastNonzeroMagnitude, -.leastNonzeroMagnitude, 2, 0x1p-148), (2, 3, 1 << 22, 1),
    ] as [(Float, Float, UInt64, Double)])
  func distancesAreCounted(_ a: Float, _ b: Float, _ ulp: UInt64, _ absolute: Double) throws {
    let found = try compare(["x": [5, Real(a)]], ["x": [5, Real(b)]])
    let difference = try #require(found.differences.first)
    #expect(!found.identical && found.first == "x")
    #expect(difference.index == 1 && difference.count == 1 && difference.shape == [2])
    #expect(difference.ulp == ulp && difference.absolute == absolute)
    let relative = absolute / max(abs(Double(a)), abs(Double(b)))
    #expect(difference.relative == (absolute == 0 ? 0 : relative))
    #expect(difference.a == "\(a)" && difference.b == "\(b)")
  }

  @Test func numbersOfDoublePrecisionAreComparedAsSuch() throws {
    let url = folder.url
    func write(_ name: String, _ bits: UInt64) throws -> String {
      let header = #"{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#
      let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
      try folder.write(bytes + withUnsafeBytes(of: bits.littleEndian, Array.init), to: name)
      return url.appendingPathComponent(name).path
    }
    let found = try TraceComparison(try write("a", (1.0).bitPattern), try write("b", (1.0).nextUp.bitPattern))
    #expect(found.differences.map { $0.ulp } == [1])
    #expect(found.differences.map { $0.absolute } == [0x1p-52] && found.differences[0].b == "1.0000000000000002")
  }

  @Test func whatIsNoNumberIsTheWorst() throws {
    let found = try compare(["x": [1, 2, 3], "y": [1]], ["x": [9, .nan, 4], "y": [.infinity]])
    #expect(found.differences.map { $0.tensor } == ["x", "y"] && found.differences.map { $0.index } == [1, 0])
    #expect(found.differences[0].count == 3 && found.differences[0].ulp == nil)
    #expect(found.differences.allSatisfy { $0.relative == nil && $0.absolute == nil })
    #expect(try !JSONEncoder().encode(found).isEmpty)
  }

  /// Operations come before what is made of them, forward passes before gradients, and steps in their order.
  @Test func theFirstThatDiffersIsFirstInTheOrderOfCalculation() throws {
    let names = [
      "operations/gelu/large/output", "operations/gelu/large/gradient/x", "rules/a/output",
      "optimizers/sgd/step 1/value/x", "layers/linear/[1]/output", "methods/r-amt/step 1/loss/loss",
      "methods/r-amt/step 1/gradient/x", "methods/r-amt/step 1/value/x", "methods/r-amt/step 2/loss/loss",
    ]
    let a = Dictionary(uniqueKeysWithValues: names.map { ($0, [Real(1)]) })
    for (index, name) in names.enumerated() {
      var b = a
      for later in names[index...] { b[later] = [2] }
      #expect(try compare(a, b).first == name)
    }
  }

  @Test func theWorstComesFirstInTheTable() throws {
    let a: [String: [Real]] = ["small": [1, 1, 1], "large": [1, 1, 1], "same": [1]]
    let b: [String: [Real]] = ["small": [1, 1.25, 1.125], "large": [1, 1, 3], "same": [1]]
    let found = try compare(a, b)
    #expect(found.differences.map { $0.tensor } == ["large", "small"])
    #expect(found.differences.map { $0.index } == [2, 1] && found.differences.map { $0.count } == [1, 2])
    #expect(found.tensors == 3 && found.numbers == 7)
    let text = found.text("a", "b", top: 1)
    #expect(text.contains("first: large") && text.contains("different: 2 tensors that differ"))
    #expect(text.contains("large   1 of 3  [2]    1.0  3.0  2.0e+00   6.7e-01   12582912"), "\(text)")
    #expect(!text.contains("small   "))
  }

  @Test func missingExtraAndReshapedTensorsAreNamed() async throws {
    let a = try write("a", ["x": [1], "y": [1, 2], "z": [3]])
    let b = try write("b", ["w": [1], "y": [1], "z": [3]])
    let outcome = try await runFrugal("grade", a, b, "--exact")
    let summary = "expected the same bits, found 1 tensor missing, 1 in B only, 1 of another shape or type"
    expectRefusal(outcome, code: 1, ["frugal grade: ", summary])
    for line in ["first: x", "missing in B: x", "in B only: w", "other shape or type: y: F32 [2] in A, F32 [1] in B"] {
      #expect(outcome.output.contains(line), "\(outcome.output)")
    }
    let json = try await runFrugal("grade", a, b, "--exact", "--json").json()
    #expect(json["identical"].bool == false && json["tensors"].int == 1 && json["first"].string == "x")
    #expect(json["missing"].array?.count == 1 && json["extra"].array?.count == 1)
    // Only B has more: nothing of A is first, and yet they are not the same.
    let subset = try TraceComparison(try write("c", ["z": [3]]), b)
    #expect(!subset.identical && subset.first == nil && subset.extra == ["w", "y"])
  }

  @Test func typesMustAgree() throws {
    let found = try TraceComparison(try write("a", ["x": [1]]), try write("b", ["x": [1]], as: .f64))
    #expect(found.mismatched == [.init(tensor: "x", a: "F32 [1]", b: "F64 [1]")] && !found.identical)
  }

  @Test func whatCannotBeComparedIsRefused() async throws {
    let good = try write("good", ["x": [1]])
    let empty = try write("empty", [:])
    let half = try write("half", ["x": [1]], as: .f16)
    try folder.write("{}", to: "text")
    let lines: [([String], String)] = [
      ([], "expected a reference and a submission, found 0"),
      ([good], "expected a reference and a submission, found 1"), ([good, good, good], "found 3"),
      ([good, good, "--rubric", good], "--rubric: cannot be combined with --exact"),
      ([good, folder.path("none")], "none: expected"),
      ([folder.path("text"), good], "text: expected"), ([good, empty], "empty: expected tensors, found none"),
      ([good, half], "half: tensor \"x\": expected F32 or F64, found F16"),
      ([good, good, "--top", "-1"], "--top: expected a whole number from 0"), ([good, folder.url.path], "expected"),
    ]
    for (words, text) in lines {
      let outcome = try await runFrugal(["grade", "--exact"] + words)
      expectRefusal(outcome, code: 2, [text])
      #expect(outcome.output.isEmpty)
    }
    #expect(throws: TraceError.empty(file: empty)) { try TraceComparison(empty, good) }
  }
}
