import Checks
import Foundation
import Tensor
import Testing

/// One randomised comparison: what is compared, and which numbers it draws.
///
/// A trial is told by its subject, its number and the seed of the run, all of them in its description. The seed is 1,
/// or what the environment variable `FRUGAL_SEED` holds: another seed tries other shapes and values, and the seed of a
/// failure repeats it.
package struct Trial<Subject: Sendable & CustomStringConvertible>: Sendable, CustomTestStringConvertible {
  /// What is compared.
  package let subject: Subject
  private let number: Int

  /// Trials of every subject.
  package static func all(_ subjects: [Subject], count: Int) -> [Trial] {
    subjects.flatMap { subject in (0..<count).map { Trial(subject: subject, number: $0) } }
  }

  /// `softmax, trial 3, FRUGAL_SEED=1`
  package var testDescription: String { "\(subject), trial \(number), FRUGAL_SEED=\(RunSeed.value)" }

  /// The numbers of this trial and no other.
  package var numbers: CheckNumbers {
    // FNV-1a, as the standard library's hashes differ from run to run.
    let hash = "\(subject) \(number)".utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return CheckNumbers(seed: hash ^ (RunSeed.value &* 0x9E37_79B9_7F4A_7C15))
  }
}

private enum RunSeed {
  static let value: UInt64 = {
    guard let text = ProcessInfo.processInfo.environment["FRUGAL_SEED"] else { return 1 }
    guard let seed = UInt64(text) else {
      preconditionFailure("FRUGAL_SEED: expected a number from 0 to 2^64 - 1, found \"\(text)\"")
    }
    return seed
  }()
}

extension CheckNumbers {
  /// One of several.
  package mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: choices.indices, using: &self)]
  }

  /// An extent from 1 on: ones, lanes, tiles, their neighbours, primes.
  package mutating func extent(upTo limit: Int) -> Int {
    let all = [1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 23, 31, 32, 33, 47, 64, 65, 101, 128, 131, 257]
    return pick(all.filter { $0 <= limit })
  }

  /// Numbers of several kinds: even ones, small, large, on a coarse grid with many ties, half of them zeros.
  package mutating func anything(_ shape: Shape) -> Tensor {
    switch Int.random(in: 0..<6, using: &self) {
    case 0: next(shape, scale: 0.02)
    case 1: next(shape, scale: 6)
    case 2: next(shape, scale: 2).mapped { ($0 * 2).rounded() / 2 }
    case 3: next(shape).mapped { max($0, 0) }
    default: next(shape)
    }
  }

  /// Numbers no nearer to zero than 0.05, where kinks and poles lie.
  package mutating func awayFromZero(_ shape: Shape) -> Tensor {
    next(shape, scale: pick([1, 5])).mapped { $0 < 0 ? $0 - 0.05 : $0 + 0.05 }
  }
}

extension Tensor {
  /// A function of every element.
  package func mapped(_ function: (Real) -> Real) -> Tensor { Tensor(shape, values.map(function)) }
}
