import Foundation

/// What the command line asks for.
struct Request {
  static let usage = """
    Fuzz KIND|all [--seconds N] [--runs N] [--seed S] [--only INDEX] [--out FOLDER]

      Reads changed files of a kind and watches what that costs; failing ones are written to FOLDER and reduced.

      KIND         \(Kind.all.map(\.rawValue).joined(separator: ", "))
      --seconds N  time for each kind (default 60, without --runs)
      --runs N     inputs of each kind
      --seed S     other inputs (default 1); the same seed gives the same ones
      --only INDEX writes the input of this number to FOLDER and reads it in this process, with its error
      --out FOLDER default .build/fuzz
      --guided …   libFuzzer chooses the inputs; its options and folders follow (Tests/fuzz-guided)

    """

  /// A wrong command line.
  struct Mistake: Error, CustomStringConvertible { let description: String }

  var kinds: [Kind]
  var seconds: Double?
  var runs: Int?
  var seed: UInt64 = 1
  var only: Int?
  var out = URL(fileURLWithPath: ".build/fuzz")
  /// Of a worker.
  var isWorker = false
  var range: Range<Int>?
  var limit = Limits().seconds
  var record, file: URL?
  /// The options of libFuzzer, if it chooses the inputs.
  var guided: [String]?
  /// The seed of `file`.
  var origin: String?

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    if rest.first == "--worker" {
      isWorker = true
      rest.removeFirst()
    }
    guard let word = rest.popFirst(), let kinds = word == "all" ? Kind.all : Kind(rawValue: word).map({ [$0] }) else {
      throw Mistake(description: "expected a kind\n\(Self.usage)")
    }
    self.kinds = kinds
    func value<Value>(_ flag: String, _ read: (String) -> Value?) throws -> Value {
      guard let word = rest.popFirst(), let value = read(word) else {
        throw Mistake(description: "\(flag): expected a value")
      }
      return value
    }
    while let flag = rest.popFirst() {
      switch flag {
      case "--seconds": seconds = try value(flag) { Double($0) }
      case "--runs": runs = try value(flag) { Int($0) }
      case "--seed": seed = try value(flag) { UInt64($0) }
      case "--only": only = try value(flag) { Int($0) }
      case "--out": out = try value(flag) { URL(fileURLWithPath: $0) }
      case "--guided": (guided, rest) = (Array(rest), [])
      case "--range":
        let (start, end) = (try value(flag) { Int($0) }, try value(flag) { Int($0) })
        guard start <= end else { throw Mistake(description: "\(flag): expected an ascending range") }
        range = start..<end
      case "--limit": limit = try value(flag) { Double($0) }
      case "--record": record = try value(flag) { URL(fileURLWithPath: $0) }
      case "--file": file = try value(flag) { URL(fileURLWithPath: $0) }
      case "--from": origin = try value(flag) { $0 }
      default: throw Mistake(description: "\(flag): expected another flag\n\(Self.usage)")
      }
    }
    guard guided == nil || kinds.count == 1 else {
      throw Mistake(description: "--guided: expected one kind, found all of them")
    }
  }
}
