import Foundation
import Synchronization

/// What became of a mutant.
enum Verdict: Sendable {
  case notCompiled
  case caught(by: String)
  case survived

  var isCaught: Bool { if case .caught = self { true } else { false } }
}

/// The tests that a mutant of a file meets, the likeliest to catch it first.
enum Suites {
  /// Suites that do not have their subject's name.
  private static let named: [String: String] = [
    "Adam": "Optimizer", "SGD": "Optimizer", "OptimizerRecipe": "Optimizer|Recipe", "TrainingState": "Checkpoint|Train",
    "MaskTuning": "MaskTuning|Flip|Method", "EncoderTuning": "MaskTuning|Method|Share",
    "MaskSites": "MaskTuning|Method",
    "TrainingData": "Train", "TrainingSource": "Train", "RunConfiguration": "RunFolder|Checkpoint|Experiment",
    "MethodAssembly": "Method|Recipe", "MethodName": "Method|Recipe", "Benchmark": "Recipe",
    "PretrainedCLIP": "Pretrained|Method|Delta", "Head": "Method|TaskRes", "Objective": "Method",
  ]

  static let tensor = "^TensorTests\\."
  static let middle = "^ModelsTests\\.|^DatasetsTests\\."
  static let methods = "^MethodsTests\\."
  /// Slow: the command in processes of its own.
  static let processes = "^FrugalTests\\."

  /// What is run first, and what else can notice a change: imports run downwards only.
  static func filters(for path: String) -> (first: String, wider: [String]) {
    if path.hasPrefix("Sources/Tensor/") { return (tensor, [middle, methods]) }
    let stem = String(path.split(separator: "/").last!.dropLast(".swift".count))
    return ("\(methods)(\(named[stem] ?? stem))", [methods])
  }
}

/// Puts mutants to the tests, in single and in double precision side by side.
struct Judge {
  struct Case {
    let mutation: Mutation
    let source: [UInt8]
    /// Whether it is listed as equivalent: then only the likeliest tests are asked whether that is wrong.
    let isListed: Bool
  }

  /// Single precision first.
  let workshops: [Workshop]
  /// Whether survivors meet the tests of the command too.
  let isThorough: Bool
  /// Is told what became of each mutation, from any thread.
  let report: @Sendable (Case, Verdict) -> Void

  /// Three rounds: the likeliest tests, in whichever precision is free; for those that are left all tests in the other
  /// precision; and then the remaining tests in the first one.
  func judge(_ cases: [Case]) {
    let uncaught = Mutex<[(suspect: Case, first: Int)]>([])
    round(cases.map { ($0, nil) }) { workshop, suspect in
      switch verdict(suspect, workshop, [Suites.filters(for: suspect.mutation.path).first]) {
      case .survived where !suspect.isListed:
        print("suspect   \(suspect.mutation.id)")
        fflush(nil)
        uncaught.withLock { $0.append((suspect, workshop)) }
      case let verdict: report(suspect, verdict)
      }
    }
    let remaining = Mutex<[(suspect: Case, except: Int?)]>([])
    let (pairs, singles) = uncaught.withLock { list in
      (list.filter { suits($0.suspect, 1 - $0.first) }, list.filter { !suits($0.suspect, 1 - $0.first) })
    }
    round(pairs.map { ($0.suspect, $0.first) }) { workshop, suspect in
      let filters = Suites.filters(for: suspect.mutation.path)
      let verdict = verdict(suspect, workshop, [filters.first] + filters.wider)
      if verdict.isCaught { return report(suspect, verdict) }
      remaining.withLock { $0.append((suspect, workshop)) }
    }
    round(remaining.withLock { $0 } + singles.map { ($0.suspect, 1 - $0.first) }) { workshop, suspect in
      let last = isThorough && workshop == 0 ? [Suites.processes] : []
      report(suspect, verdict(suspect, workshop, Suites.filters(for: suspect.mutation.path).wider + last))
    }
  }

  private func suits(_ suspect: Case, _ workshop: Int) -> Bool {
    Condition.allHold(suspect.mutation.conditions, workshops[workshop].flags)
  }

  /// Every workshop takes cases, except those that are to go to the other, until none is left for it.
  private func round(_ cases: [(suspect: Case, except: Int?)], _ body: @Sendable (Int, Case) -> Void) {
    let waiting = Mutex(cases)
    DispatchQueue.concurrentPerform(iterations: workshops.count) { workshop in
      while true {
        let next = waiting.withLock { list in
          list.firstIndex { $0.except != workshop && suits($0.suspect, workshop) }.map { list.remove(at: $0).suspect }
        }
        guard let next else { return }
        body(workshop, next)
      }
    }
  }

  private func verdict(_ suspect: Case, _ workshop: Int, _ filters: [String]) -> Verdict {
    do {
      let workshop = workshops[workshop]
      return try workshop.with(suspect.mutation, suspect.source) {
        guard try workshop.build().isBuilt else { return .notCompiled }
        for filter in filters {
          guard let reason = describe(try workshop.test(filter)) else { continue }
          return .caught(by: "\(reason) \(filter.filter { $0 != "^" && $0 != "\\" }) (\(workshop.name))")
        }
        return .survived
      }
    } catch {
      stop("\(suspect.mutation.id): \(error)")
    }
  }

  private func describe(_ ending: Ending) -> String? {
    switch ending {
    case .passed: nil
    case .failed: "fails"
    case .crashed(let signal): "crashes by signal \(signal):"
    case .timedOut: "loops in"
    }
  }
}
