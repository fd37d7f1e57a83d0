import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import frugal

/// The output of `--json` of every command is what `docs/json.md` says.
@Suite struct JSONDocumentTests {
  /// A line of the document: `classes[].name: text`, `zeroShot.accuracy?: number`.
  struct Line {
    let path: [String]
    let kinds: Set<String>
    let isOptional: Bool

    init?(_ text: Substring) {
      let parts = text.split(separator: ": ", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      isOptional = parts[0].hasSuffix("?")
      path = Self.steps(isOptional ? parts[0].dropLast() : parts[0])
      kinds = Set(parts[1].components(separatedBy: " or ").map { $0 == "false" ? "true" : $0 })
    }

    /// `a.b[].c` → `a`, `b`, `[]`, `c`
    static func steps(_ text: Substring) -> [String] {
      text.replacing("[]", with: ".[]").split(separator: ".").map(String.init)
    }

    /// Whether a value at a path is this one: `*` stands for any key.
    func matches(_ found: [String]) -> Bool {
      found.count == path.count && zip(path, found).allSatisfy { $0 == $1 || $0 == "*" && $1 != "[]" }
    }
  }

  /// The lines of each command's section.
  private func document() throws -> [String: [Line]] {
    let text = try String(contentsOf: Fixtures.package.appendingPathComponent("docs/json.md"), encoding: .utf8)
    let sections = text.components(separatedBy: "\n## frugal ").dropFirst()
    return Dictionary(
      uniqueKeysWithValues: sections.map { section in
        let name = section.prefix { $0 != "\n" }
        let block = section.components(separatedBy: "```")
        return (String(name), block.count > 1 ? block[1].split(separator: "\n").compactMap { Line($0) } : [])
      })
  }

  /// The paths and kinds of all numbers, texts and truth values in a value.
  private func leaves(_ value: JSONValue, _ path: [String] = []) -> [(path: [String], kind: String)] {
    switch value {
    case .null: [(path, "null")]
    case .bool: [(path, "true")]
    case .number: [(path, "number")]
    case .string: [(path, "text")]
    case .array(let elements): elements.flatMap { leaves($0, path + ["[]"]) }
    case .object(let members): members.flatMap { leaves($1, path + [$0]) }
    }
  }

  /// Command lines of a command, in a folder with two runs `a` and `b`, and traces `t` and `u`.
  private static let lines: [String: [String]] = [
    "inspect": ["CLIP --tensors", "a/delta.safetensors", "VIT"],
    "data": ["DATA", "DATA --unchecked"],
    "evaluate": ["--model CLIP --data DATA", "--model CLIP --data DATA --delta a/delta.safetensors"],
    "sensitivity": ["--model VIT --data DATA --samples 4 --out s"],
    "tune": ["--model CLIP --data DATA --method r-amt --shots 2 --epochs 2 --batch 4 --lr 0.002 --force --out c"],
    "predict": ["a PICTURE", "a PICTURE --threshold 0.1"], "report": ["a b ."],
    "demo": ["--plan --task count --method linear"],
    "export": [
      "--model CLIP --delta a/delta.safetensors --ramt x.pth --merged m",
      "--model CLIP --delta b/delta.safetensors --peft p",
    ],
    "world": ["--list --task count", "--pairs 4 --out w"], "pretrain": ["clip --steps 1 --batch 2 --out pre"],
    "gradcheck": ["operations/gelu"], "trace": ["operations/gelu --out v"],
    "grade": ["t t", "t u", "t t --exact", "t u --exact"],
    "exercise": ["--list", "adam --student a --out e", "pack adam --student a --nbgrader n/adam.ipynb"],
    "plan": ["plan.json", "--model CLIP --data DATA --method linear"],
    "cache": ["--cache x", "--cache x --clear"],
    "sweep": ["plan.json --dry-run", "plan.json --status"],
    "explain": ["r-amt"], "methods": [""], "doctor": [""], "completions": ["bash"], "man": [""],
  ]

  @Test func everyCommandPrintsWhatIsDocumented() async throws {
    let document = try document()
    #expect(Set(document.keys) == Set(commands.map { $0.name }))
    let folder = try TemporaryFolder()
    for (name, method) in [("a", "r-amt"), ("b", "lora")] {
      let words = Workbench.quickRun(method, out: folder.url.appendingPathComponent(name))
      try #require(try await runFrugal(words).code == 0)
    }
    let plan = """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}"}, "methods": ["task-res"],
       "data": ["\(Workbench.pictures)"], "shots": [1]}
      """
    try folder.write(plan, to: "plan.json")
    for (name, traced) in [("t", "operations/gelu"), ("u", "operations/linear")] {
      try #require(try await runFrugal(["trace", traced, "--out", folder.path(name)]).code == 0)
    }
    let values = [
      "CLIP": Workbench.model, "DATA": Workbench.pictures, "VIT": MiniatureModels.vit.path,
      "PICTURE": "\(Workbench.pictures)/test/red_circle/00.png",
    ]
    // The book of formulas needs a build in double precision.
    for command in commands where command.name != "audit" {
      #expect(command.options.contains { $0.flag == jsonOption.flag }, "\(command.name)")
      let lines = try #require(document[command.name])
      for text in try #require(Self.lines[command.name]) {
        let words = text.split(separator: " ").map { values[String($0)] ?? String($0) }
        let outcome = try await runFrugal([command.name] + words + ["--json"], in: folder.url)
        let found = leaves(try outcome.json())
        for (path, kind) in found {
          let isKnown = lines.contains { $0.matches(path) && $0.kinds.contains(kind) }
          #expect(isKnown, "frugal \(command.name) \(text): \(path.joined(separator: ".")): \(kind)")
        }
        // Every key that is not optional is in every output.
        for line in lines where !line.isOptional {
          let name = line.path.joined(separator: ".")
          #expect(found.contains { line.matches($0.path) }, "frugal \(command.name) \(text): no \(name)")
        }
      }
    }
  }
}
