import Formats
import Foundation
import Reference
import Tensor

/// The given numbers of one student: the same ones on every machine, and other ones for every student and exercise.
///
/// They are multiples of powers of two with few digits, which single precision holds exactly.
struct ExerciseDraws {
  private let random: Random
  private var index: UInt64 = 0

  /// The seed is the beginning of the SHA-256 of both names.
  init(exercise: String, student: String) {
    let digest = SHA256.digest(of: Array("\(exercise)\n\(student)".utf8))
    let seed = digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    random = Random(seed: seed, purpose: .synthesis)
  }

  private mutating func next() -> Double {
    index += 1
    return Double(random.uniform(at: index - 1))
  }

  /// Uniform in [0, 1): multiples of 2⁻²⁴.
  mutating func uniform(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows, columns, (0..<rows * columns).map { _ in next() })
  }

  /// Uniform in [−scale, scale]: multiples of scale / 256.
  mutating func matrix(_ rows: Int, _ columns: Int, scale: Double = 1) -> Matrix {
    uniform(rows, columns).map { (($0 * 513).rounded(.down) - 256) / 256 * scale }
  }

  /// Labels, of which the first ones are all different.
  mutating func labels(_ count: Int, below classes: Int) -> Matrix {
    Matrix(
      row: (0..<count).map {
        $0 < classes ? Double(($0 * 2 + 1) % classes) : (next() * Double(classes)).rounded(.down)
      })
  }
}
