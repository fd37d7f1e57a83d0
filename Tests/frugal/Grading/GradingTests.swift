import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// Verdicts, dependence and tolerances of `frugal grade`.
@Suite struct GradingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// x is given; y is made of it, z of y, and w of nothing else.
  static let manifest = """
    {"tensors": [{"name": "x", "isGiven": true}, {"name": "y", "from": ["x"], "terms": 4, "equation": "(a)"},
    {"name": "z", "from": ["y"], "terms": 4}, {"name": "w", "from": ["x"], "terms": 1}]}
    """

  static let right: [String: [Double]] = ["x": [1, 2], "y": [0.5, -2, 3], "z": [7, 5], "w": [1]]

  private func write(_ name: String, _ tensors: [String: [Double]], manifest: String? = nil) throws -> String {
    var writer = SafeTensorsWriter(metadata: manifest.map { [Manifest.key: $0] } ?? [:])
    for (name, values) in tensors { writer.add(name, doubles: values) }
    try writer.write(to: folder.url.appendingPathComponent(name))
    return folder.path(name)
  }

  private func grade(
    _ submission: [String: [Double]], _ options: Grading.Options = .init()
  ) throws -> Grading {
    let files = try GradedFiles(try write("r", Self.right, manifest: Self.manifest))
    return try Grading(
      files, try Manifest(in: files), submission: try write("s", submission), options: options)
  }

  @Test func aRightSubmissionIsRight() throws {
    var submission = Self.right
    submission["x"] = nil
    submission["y"] = [0.5, -2, 3.0.nextUp]
    submission["more"] = [1]
    let grading = try grade(submission)
    #expect(grading.isRight && grading.first == nil && grading.extra == ["more"])
    #expect(grading.tensors.map { $0.tensor } == ["y", "z", "w"])
    // 4 (N + 8) u: N = 4 for y, 8 for z, which is made of it.
    let tolerances: [Double] = [48, 64, 36].map { $0 * 0x1p-53 }
    #expect(grading.tensors.map { $0.tolerance } == tolerances)
  }

  /// Every tensor made of all before it, and two of each other: none is its own ancestor.
  @Test func ancestorsAreInTheirOrder() {
    let dense = (0..<300).map { index in
      Manifest.Entry(name: "t\(index)", from: (0..<index).reversed().map { "t\($0)" })
    }
    let dependence = Dependence(Manifest(tensors: dense))
    func ancestors(_ name: String) -> [String] { Array(dependence.ancestors(of: name)) }
    #expect(ancestors("t299") == (0..<299).map { "t\($0)" } && ancestors("t0").isEmpty && ancestors("x").isEmpty)
    let circle = [("a", ["c", "a"]), ("b", ["a"]), ("c", ["b"])].map { Manifest.Entry(name: $0, from: $1) }
    #expect(Array(Dependence(Manifest(tensors: circle)).ancestors(of: "b")) == ["a", "c"])
  }

  @Test func whatDependsOnADifferenceFollowsFromIt() throws {
    let grading = try grade(["y": [0.5, -2, 3.5], "z": [7, 6], "w": [1]])
    #expect(grading.tensors.map { $0.verdict } == [.differs, .follows, .right])
    #expect(grading.first?.tensor == "y" && grading.tensors[1].follows == "y")
    let worst = try #require(grading.tensors[0].worst)
    #expect(worst.index == [2] && worst.absolute == 0.5 && worst.expected == "3.0" && worst.found == "3.5")
    #expect(grading.tensors[0].wrong == 1 && !grading.isRight)
  }

  /// With what calculates z from y, the own y decides about z.
  @Test func laterTensorsAreJudgedByTheSubmissionsOwn() throws {
    var options = Grading.Options()
    options.follows = true
    options.recalculation = Recalculation(
      result: { name, values in name == "z" ? values["y"].map { [$0.values[2] * 2, 1] } : nil },
      mistakes: { name, values in name == "z" ? values["y"].map { [("half of it", [$0.values[2], 1])] } ?? [] : [] })
    let carried = try grade(["y": [0.5, -2, 4], "z": [8, 1], "w": [1]], options)
    #expect(carried.tensors.map { $0.verdict } == [.differs, .carried, .right])
    let mistaken = try grade(["y": [0.5, -2, 4], "z": [4, 1], "w": [1]], options)
    #expect(mistaken.tensors[1].verdict == .differs && mistaken.tensors[1].cause == "half of it")
  }

  @Test func whatIsMissingOrHasAnotherShapeOrIsNoNumberIsNamed() throws {
    let grading = try grade(["Y": [1], "z": [7, .nan], "w": [1, 2]])
    #expect(grading.tensors.map { $0.verdict } == [.missing, .notFinite, .shape])
    #expect(grading.tensors[0].summary() == "missing (did you mean Y?)")
    #expect(grading.tensors[1].wrong == 1 && grading.tensors[1].worst?.relative == nil)
    #expect(grading.tensors[2].summary() == "expected F64 [1], found F64 [2]")
    #expect(throws: Never.self) { try JSONEncoder().encode(grading) }
  }

  @Test func singlePrecisionHasItsOwnTolerance() throws {
    var writer = SafeTensorsWriter()
    for (name, values) in Self.right { writer.add(name, Tensor([values.count], values.map { Real($0) }), as: .f32) }
    try writer.write(to: folder.url.appendingPathComponent("f32"))
    let files = try GradedFiles(try write("r", Self.right, manifest: Self.manifest))
    let grading = try Grading(files, try Manifest(in: files), submission: folder.path("f32"), options: .init())
    #expect(grading.isRight && grading.tensors[0].tolerance == 48 * 0x1p-24)
  }

  @Test func tolerancesAreMeasuredByTheSizeOfTheReference() {
    let tolerance = Tolerance(1e-3, of: [3, 0, -4, .infinity, .nan])
    #expect(abs(tolerance.scale - (25.0 / 3).squareRoot()) < 1e-12)
    #expect(tolerance.error(3.003, at: 0) < 1.0001e-3 && tolerance.error(-4.004, at: 2) < 1.0001e-3)
    #expect(tolerance.error(0.001, at: 1) == 0.001 / tolerance.scale)
    #expect(tolerance.error(.infinity, at: 3) == 0 && tolerance.error(.nan, at: 4) == 0)
    #expect(tolerance.error(-.infinity, at: 3) == .infinity && tolerance.error(.nan, at: 0) == .infinity)
    #expect(Tolerance(1e-3, of: [0, 0]).error(1e-4, at: 0) == 1e-4)
    #expect(Tolerance(1, of: [1e308]).error(-1e308, at: 0) == 2)
    #expect(Tolerance(1, of: []).accepts([]))
    // Below the smallest normal number, where half of a number may be 0.
    let least = Double.leastNonzeroMagnitude
    #expect(Tolerance(1e-3, of: [least]).error(0, at: 0) == 1)
    #expect(Tolerance(1e-3, of: [least, 3 * least]).error(least, at: 1) == 2.0 / 3)
    #expect(!Tolerance(1e-3, of: [least]).accepts([2 * least]) && Tolerance(1e-3, of: [least]).accepts([least]))
  }

  @Test(arguments: ["nan", "inf", "-1", "0", "w=nan"]) func aToleranceThatIsNoSmallNumberIsAnError(
    _ text: String
  ) async throws {
    let file = try write("r", ["w": [1]])
    let outcome = try await runFrugal("grade", file, file, "--tolerance=\(text)")
    expectRefusal(outcome, code: 2, ["--tolerance: expected a number above 0, up to 1"])
    let manifest = try folder.write("{\"tensors\": [{\"name\": \"w\", \"terms\": -64}]}", to: "manifest.json")
    let negative = try await runFrugal("grade", file, file, "--manifest", manifest.path)
    expectRefusal(negative, code: 2, ["expected 0 terms or more of \"w\", found -64"])
  }

  @Test func everyFormatThatIsReadIsGraded() throws {
    let reference = try GradedFiles(try write("r", ["a": [1, 2]]))
    try folder.write(NumPyWriter.bytes([1, 2], shape: [2]), to: "answers/a.npy")
    try folder.write("no array", to: "answers/b.npy")
    try folder.write("ignored", to: "answers/readme.txt")
    let loose = try Grading(reference, nil, submission: folder.path("answers"), options: .init())
    #expect(loose.isRight && loose.extra == ["b"])
    let archive = ZipWriter.stored([(name: "a.npy", data: NumPyWriter.bytes([1, 2], shape: [2]))])
    try folder.write(archive, to: "answers.npz")
    #expect(try Grading(reference, nil, submission: folder.path("answers.npz"), options: .init()).isRight)
    let broken = try Grading(
      try GradedFiles(try write("r2", ["b": [1]])), nil, submission: folder.path("answers"), options: .init())
    #expect(broken.tensors.map { $0.verdict } == [.unreadable])
  }

  /// A pickle that would call a function, which is never called, and a file of nothing known.
  @Test func whatCannotBeReadEarnsNothing() throws {
    try folder.write("hello", to: "text.safetensors")
    let hostile = Fixtures.package.appendingPathComponent("Tests/Fixtures/weights/evil-os-system.pt").path
    let reference = try GradedFiles(try write("r", ["a": [1, 2]]))
    for name in [hostile, folder.path("text.safetensors"), folder.path("none.npz")] {
      let grading = try Grading(reference, nil, submission: name, options: .init())
      #expect(try #require(grading.problem).contains("expected"), "\(grading.problem ?? "")")
      #expect(!grading.isRight && grading.tensors.map { $0.verdict } == [.missing])
      #expect(Score(grading, by: .plain(["a"])).points == 0)
    }
  }

  /// A header that promises terabytes is never read: its shape is another one.
  @Test func hugeShapesCostNothing() throws {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    bytes += header.utf8
    try folder.write(bytes, to: "answers/a.npy")
    let reference = try GradedFiles(try write("r", ["a": [1, 2]]))
    let grading = try Grading(reference, nil, submission: folder.path("answers"), options: .init())
    #expect(grading.tensors[0].verdict == .unreadable)
  }
}
