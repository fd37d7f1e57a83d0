import Foundation
import Tensor

let usage = """
  usage: Bench [gemm] [transcendental] [--threads 1,2] [--repeats 15]

  Speed of the numeric kernels, all of them by default. A row is checked against its plain twin, then timed in turns
  with the others: median of n runs, half the distance of the quartiles, share of the peak measured in the same run.

    gemm            matrix products of a ViT-B/16 with 8 images of 197 tokens, and of its attention heads
    transcendental  exp, log, tanh, sigmoid, erf
    --threads       numbers of threads, separated by commas (default 1)
    --repeats       runs of every row (default 15)
    --help          this text
  """

/// What the command line asks for.
struct Request {
  var suites: [String] = []
  var threads = [1]
  var repeats = 15

  struct Mistake: Error, CustomStringConvertible { let description: String }

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "gemm", "transcendental": suites.append(argument)
      case "--threads": threads = try Request.numbers(argument, rest.popFirst())
      case "--repeats":
        let numbers = try Request.numbers(argument, rest.popFirst())
        guard numbers.count == 1 else { throw Mistake(description: "--repeats: expected one number, found \(numbers)") }
        repeats = numbers[0]
      default:
        throw Mistake(description: "\(argument): expected gemm, transcendental, --threads, --repeats or --help")
      }
    }
    if suites.isEmpty { suites = ["gemm", "transcendental"] }
  }

  private static func numbers(_ flag: String, _ text: String?) throws -> [Int] {
    let parts = (text ?? "").split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count, numbers.allSatisfy({ (1...1024).contains($0) }) else {
      throw Mistake(
        description: "\(flag): expected numbers from 1 to 1024, found \(text.map { "\"\($0)\"" } ?? "nothing")")
    }
    return numbers
  }
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") {
  print(usage)
  exit(0)
}
do {
  let request = try Request(arguments)
  print("\(Parallel.cores) cores, \(Real.self), tile \(tileDescription), \(buildDescription)")
  for threads in request.threads {
    Parallel.threads = threads
    var rows: [Row] = []
    if request.suites.contains("gemm") { rows += gemmRows() }
    if request.suites.contains("transcendental") { rows += transcendentalRows() }
    measure(rows, repeats: request.repeats)
  }
} catch {
  FileHandle.standardError.write(Data("Bench: \(error)\n".utf8))
  exit(2)
}
