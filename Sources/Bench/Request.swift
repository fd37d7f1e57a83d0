import Formats
import Foundation
import Methods
import Models
import Tensor

let usage = """
  usage: Bench [CASE…] [--items PREFIX,…] [--threads 1,2] [--repeats 15] [--images DIR] [--json] [--compare FILE]
         Bench gemm --tune [--threads N] [--repeats 15]
         Bench accuracy [--stride N]
         Bench peer-worker [--images DIR] CASE

  Speed of kernels, steps and data, all cases by default. Each item is checked against its plain twin, then interleaved
  with others and with the machine's peaks (multiply-adds in registers, a copy of memory): median of n samples, half the
  distance of the quartiles, speed, share of the peak measured in the same turns, times the twin, error.

    gemm            matrix products: ViT-B/16 and text towers, attention, squares, thin and odd shapes
    ops             operations forward and backward, optimiser, masks, gradient dropout
    transcendental  exp, log, tanh, sigmoid
    clip-infer      CLIP ViT-B/16, random weights: image tower and text tower
    ramt-step       one training step of R-AMT on it
    spt             SPT on ViT-B/16: a training step with LoRA and free weights, sensitivities, all budgets
    taskres         a whole training of TaskRes on cached features
    preprocess      JPEG and PNG files to a model's input, alone and in the background of an image tower; needs --images
    growth          a step of R-AMT at three batch sizes, three image sizes, three depths

    --items         only items whose names begin with one of these
    --threads       numbers of threads, separated by commas (default 1); of several, the gain of each is listed
    --repeats       samples of every row (default 15)
    --images        a folder of JPEG and PNG files
    --json          one line of JSON per row, to be kept for --compare
    --compare       the rows of an earlier --json; lists ratios, largest slowdown first
    --help          this text

  gemm --tune measures other extents for the blocks of products than those chosen by the sizes of this machine's caches,
  and prints what the table would be here. The extents never change a result.

  accuracy prints the largest errors of the elementary functions over all 2³² values (every Nth with --stride), of the
  activations built on them, and of long sums.

  peer-worker answers one JSON line with another, so that a driver can interleave these items with other programs:
  {"item": NAME, "threads": N, "min_s": S, "cold": false} → {"item", "seconds" a call, "reps", "other_cpu", "gflop" or
  "images", "shape"}, or {"error"}; {"cmd": "peak"} → {"peak_rss_mb"}; {"cmd": "quit"}.
  """

/// The parsed command line.
struct Request {
  var isPeerWorker = false
  var cases: [Case] = []
  var prefixes: [String] = []
  var threads = [1]
  var repeats = 15
  var images: String?
  var isJSON = false
  var earlier: String?
  var isTuning = false

  struct Mistake: Error, CustomStringConvertible { let description: String }

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    if rest.first == "peer-worker" {
      isPeerWorker = true
      rest.removeFirst()
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--threads": threads = try Self.numbers(argument, rest.popFirst())
      case "--repeats":
        let numbers = try Self.numbers(argument, rest.popFirst())
        guard numbers.count == 1 else { throw Mistake(description: "--repeats: expected one number, found \(numbers)") }
        repeats = numbers[0]
      case "--items": prefixes += try Self.text(argument, rest.popFirst()).split(separator: ",").map(String.init)
      case "--images": images = try Self.text(argument, rest.popFirst())
      case "--json": isJSON = true
      case "--tune": isTuning = true
      case "--compare": earlier = try Self.text(argument, rest.popFirst())
      default:
        guard let name = Case(rawValue: argument) else {
          let names = Case.allCases.map(\.rawValue).joined(separator: ", ")
          throw Mistake(description: "\(argument): expected a flag of --help or one of \(names)")
        }
        cases.append(name)
      }
    }
    if isPeerWorker, cases.count != 1 {
      throw Mistake(description: "peer-worker: expected one case, found \(cases.count)")
    }
    let hasMore = !prefixes.isEmpty || images != nil || isJSON || earlier != nil
    if isTuning, cases != [.gemm] || threads.count > 1 || hasMore {
      throw Mistake(description: "--tune: expected \"gemm --tune\", with one of --threads and --repeats at most")
    }
    if cases.isEmpty { cases = Case.allCases }
  }

  private static func text(_ flag: String, _ text: String?) throws -> String {
    guard let text else { throw Mistake(description: "\(flag): expected a value, found nothing") }
    return text
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

  /// The requested items of a case.
  func items(of name: Case) -> [Item] {
    name.items(images: images).filter { item in
      prefixes.isEmpty || prefixes.contains { item.name.hasPrefix($0) }
    }
  }
}
