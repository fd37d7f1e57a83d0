import Foundation

// Mutation testing: breaks one token of the numeric code at a time and asks whether a test fails. See --help.

let help = """
  Tests/mutate: breaks one token of the sources at a time and prints what no test notices.

    --count N       mutants to draw, spread evenly over the files (default 200; `all` for every one)
    --seed S        of the draw (default 1)
    --only PATTERN  files whose path contains PATTERN
    --list          print the candidates instead of running them; all, unless --count says how many
    --mutation ID   run one, by the name that --list prints; may be repeated
    --check         check the lexer and that no listed equivalent is stale; builds nothing
    --thorough      let survivors meet the tests of the command too, which take minutes each

  Exit code 1 when less than 95 % are caught, when a listed equivalent is caught, or when --check fails.
  """

var options = (count: Int?.none, seed: UInt64(1), only: "", list: false, ids: [String](), check: false, thorough: false)
var arguments = CommandLine.arguments.dropFirst()
@MainActor
func value(_ flag: String) -> String {
  guard let value = arguments.popFirst() else { stop("\(flag): expected a value") }
  return value
}
func stop(_ message: String) -> Never {
  FileHandle.standardError.write(Data((message + "\n").utf8))
  exit(2)
}
guard let rootPath = arguments.popFirst() else { stop("expected the root of the package") }
while let flag = arguments.popFirst() {
  switch flag {
  case "--count":
    let text = value(flag)
    guard let count = text == "all" ? Int.max : Int(text), count > 0 else {
      stop("--count: expected a number above 0 or `all`, found \(text)")
    }
    options.count = count
  case "--seed":
    let text = value(flag)
    guard let seed = UInt64(text) else { stop("--seed: expected a number, found \(text)") }
    options.seed = seed
  case "--only": options.only = value(flag)
  case "--list": options.list = true
  case "--mutation": options.ids.append(value(flag))
  case "--check": options.check = true
  case "--thorough": options.thorough = true
  case "--help":
    print(help)
    exit(0)
  default: stop("\(flag): unknown; see --help")
  }
}

do {
  let root = URL(fileURLWithPath: rootPath)
  let session = try Session(root: root, isThorough: options.thorough)
  if options.check { exit(session.check() ? 0 : 1) }
  let chosen = try session.chosen(
    ids: options.ids, count: options.count ?? (options.list ? .max : 200), seed: options.seed, only: options.only)
  if options.list {
    for mutation in chosen { print(mutation.id) }
  } else {
    exit(try session.run(chosen) ? 0 : 1)
  }
} catch {
  stop("\(error)")
}
