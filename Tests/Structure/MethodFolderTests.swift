import Foundation
import FrugalTestSupport
import Testing

/// A paper's method is named in its own folders only, so that adding or deleting one touches these and the lists.
@Suite struct MethodFolderTests {
  /// A method: its folder in `Sources/Methods` and `Sources/Checks`, and how text speaks of it.
  struct Method: Sendable, CustomTestStringConvertible {
    let folder: String
    /// Names as they are typed and written; the types of the folders come on top.
    let names: [String]
    var testDescription: String { folder }

    static let all = [
      Method(
        folder: "MaskTuning",
        names: [
          "r-amt", "r-mmt", "r-mt", "r-pmt", "R-AMT", "R-MMT", "R-MT", "R-PMT", "mask-tuning", "ramt",
          "gradient dropout", "gradientDropout",
        ]),
      Method(folder: "Sensitivity", names: ["SPT", "spt", "Spt"]),
      Method(folder: "TaskRes", names: ["task-res", "taskres", "taskRes", "Task Residual"]),
      Method(folder: "Scaling", names: ["ssf", "SSF"]),
      Method(folder: "InputAdapter", names: ["repadapter", "RepAdapter"]),
      Method(folder: "ConvolutionalBypass", names: ["convpass", "Convpass"]),
      Method(folder: "NeuronSelection", names: ["gps", "GPS"]),
      Method(folder: "TwoStage", names: ["2sfs", "2SFS"]),
      Method(folder: "Heads/Gaussian", names: ["gda", "GDA"]),
      Method(folder: "Heads/FeatureAdapter", names: ["clip-adapter", "CLIP-Adapter"]),
      Method(folder: "Heads/LinearProbe", names: ["linear-probe"]),
      Method(folder: "Heads/ConditionalContext", names: ["cocoop", "CoCoOp"]),
    ]

    /// The folders of the method.
    var folders: [String] { ["Methods", "Checks"].map { "Sources/\($0)/\(folder)/" } }

    /// The types that the files of the folders declare, without nested ones.
    func types(_ files: [Words]) -> [String] {
      let declarations: Set<Substring> = ["struct", "enum", "class", "protocol", "actor"]
      return files.map(\.file).filter(isOwn).flatMap(\.lines).compactMap { line in
        guard let first = line.first, first != " ", !line.isComment else { return nil }
        let words = line.words
        return words.firstIndex(where: declarations.contains).map { String(words[$0 + 1]) }
      }
    }

    /// Whether a file lies in a folder of the method.
    func isOwn(_ file: SourceFile) -> Bool { folders.contains { file.path.hasPrefix($0) } }
  }

  /// A file, and the words of each of its lines but for citations: the same for all methods.
  struct Words: Sendable {
    let file: SourceFile
    let words: [[Substring]]

    init(_ file: SourceFile) { (self.file, words) = (file, file.lines.map(\.withoutCitations.words)) }

    static let sources = Result { try SourceFile.all(below: "Sources").map { Words($0) } }
  }

  /// Where a method may be named outside of its folders; the start of a path, and why.
  static let allowed: [(path: String, reason: String)] = [
    ("Sources/Methods/MethodList.swift", "the list that a method joins"),
    ("Sources/Checks/Methods/MethodChecks.swift", "the list that the checks of a method join"),
    ("Sources/Methods/Sites/SiteMethod.swift", "recipes whose source is the authors' scripts of SPT"),
    ("Sources/Methods/Heads/HeadMethods.swift", "a recipe whose source is the same scripts"),
    ("Sources/Tensor/Random.swift", "the list of what random numbers are drawn for"),
    ("Sources/Reference/", "the papers in plain loops"),
    ("Sources/Bench/Cases/", "benchmarks of methods"),
    ("Sources/Bench/Request.swift", "the list of benchmarks, as help prints it"),
    ("Sources/Bench/Work.swift", "the list of benchmarks"),
    ("Sources/frugal/Demo/", "the methods that the demo compares, and its claims"),
    ("Sources/frugal/Commands/ExportCommand.swift", "the flag that writes the checkpoints of R-AMT's authors"),
    ("Sources/frugal/Commands/TraceCommand.swift", "the example of the help"),
    ("Sources/Fuzz/Seed.swift", "a checkpoint of two halves, to be changed"),
    ("Sources/frugal/Commands/SensitivityCommand.swift", "the command of SPT"),
    ("Sources/frugal/DoubleTrace/", "steps of the papers in plain loops"),
    ("Sources/frugal/Explain/", "one step of each paper on a toy"),
    ("Sources/frugal/Exercises/", "exercises on steps of the papers"),
    ("Sources/frugal/Commands/ExplainCommand.swift", "the list of these toys"),
    ("Sources/frugal/SensitivityReport.swift", "what this command writes"),
    ("Sources/frugal/SensitivityChart.swift", "what this command draws"),
    ("Sources/frugal/TuneDefaults.swift", "the rule that chooses a method where none is named"),
    ("Sources/frugal/Report/Published/", "figures that others have published, by method"),
    ("Sources/frugal/Report/Sections/WeightsSection.swift", "what this command wrote, in the report"),
  ]

  /// Code that every method shares: no reason is good enough here.
  private static func isGeneric(_ path: String) -> Bool {
    let folders = ["Training", "Run", "Delta", "Pretrained"].map { "Sources/Methods/\($0)/" }
    let isBare = path.hasPrefix("Sources/Methods/") && path.split(separator: "/").count == 3
    return folders.contains { path.hasPrefix($0) } || isBare && path != "Sources/Methods/MethodList.swift"
  }

  /// The lines of files outside of a method's folders that name it.
  private static func mentions(of method: Method, in files: [Words]) -> [(path: String, line: String)] {
    let names = Set((method.names + method.types(files)).map { $0[...] })
    func isNamed(_ words: [Substring]) -> Bool {
      words.contains { word in
        // `spt` in spt-lora, R-AMT in R-AMT-like.
        names.contains(word) || word.indices.contains { word[$0] == "-" && names.contains(word[..<$0]) }
      } || zip(words, words.dropFirst()).contains { names.contains("\($0) \($1)") }
    }
    return files.filter { !method.isOwn($0.file) }.flatMap { source in
      source.words.indices.filter { isNamed(source.words[$0]) }.map { (source.file.path, source.file.shown($0)) }
    }
  }

  /// `R-AMT (c), (d)` in a comment is an address in `docs/methods`, not knowledge of the method.
  @Test func aCitationIsNoMention() {
    let other = SourceFile("Sources/Methods/Training/B.swift", "/// Adam (R-AMT (g), (h) and eq. 7, SPT (l) to (n)).")
    for method in Method.all { #expect(Self.mentions(of: method, in: [Words(other)]).isEmpty) }
    let code = SourceFile(other.path, "let a = \"R-AMT (g)\"")
    #expect(Self.mentions(of: Method.all[0], in: [Words(code)]).count == 1)
  }

  @Test(arguments: Method.all) func aMethodIsNamedInItsFoldersOnly(_ method: Method) throws {
    let files = try Words.sources.get()
    #expect(method.types(files).count > 3, "the types of \(method.folder)")
    for mention in Self.mentions(of: method, in: files) {
      #expect(Self.allowed.contains { mention.path.hasPrefix($0.path) }, "\(mention.line)")
    }
  }

  @Test func noAllowanceIsStaleOrOfGenericCode() throws {
    let files = try Words.sources.get()
    let named = Set(Method.all.flatMap { Self.mentions(of: $0, in: files) }.map(\.path))
    for (path, reason) in Self.allowed {
      #expect(named.contains { $0.hasPrefix(path) }, "\(path), \(reason): names no method any more")
      #expect(!Self.isGeneric(path), "\(path): generic training code names no method")
    }
  }

  @Test(arguments: [
    "// as R-AMT does", "MethodName(\"r-amt+lora\")", "let a = MaskRule.self", "/// gradient dropout", "--r-pmt-rate",
  ])
  func aMentionIsFound(_ line: String) {
    let (own, other) = ("Sources/Methods/MaskTuning/A.swift", "Sources/Methods/Training/B.swift")
    let texts = [(own, "public struct MaskRule {\n\(line)\n}"), (other, "\(line)\nlet b = 1")]
    let files = texts.map { Words(SourceFile($0, $1)) }
    #expect(Self.mentions(of: Method.all[0], in: files).map(\.line) == ["\(other):1: \(line)"])
    #expect(Self.mentions(of: Method.all[1], in: files).isEmpty)
  }
}

extension Substring {
  /// A comment without the equations that it cites, and the papers that these are of.
  fileprivate var withoutCitations: Substring {
    guard utf8.contains(UInt8(ascii: "/")), let start = firstRange(of: "//") else { return self }
    let number = "(?:\\([a-z]\\)|eq\\. [0-9]+)"
    let papers = "R-AMT|SPT|TaskRes|SSF|RepAdapter|Convpass|GPS|2SFS|GDA|CLIP-Adapter|Linear probe|CoCoOp"
    let citation = "(?:\(papers)) \(number)(?:(?:, and |, | and | to )\(number))*"
    let comment = String(self[start.lowerBound...])
    guard comment.utf8.contains(UInt8(ascii: "(")) || comment.contains("eq.") else { return self }
    return self[..<start.lowerBound]
      + comment.replacingOccurrences(of: citation, with: "", options: .regularExpression)
  }
}
