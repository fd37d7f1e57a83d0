import Formats
import FrugalTestSupport
import Reference
import Testing

@testable import Tensor

/// Kernels that stand on no tape, by name.
private func trials(_ name: String, count: Int = 16) -> [Trial<String>] { Trial.all([name], count: count) }

@Suite struct ReductionSecondOpinionTests {
  @Test(arguments: trials("sums")) private func sumsAreSums(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let (rows, width) = (numbers.extent(upTo: 65), numbers.extent(upTo: 257))
    let x = numbers.anything([rows, width])
    let plain = PlainTensor(x)
    let byRow = Tensor.read(x) { x in
      Tensor([rows]) { into in for row in 0..<rows { into[row] = rowSum(width) { load(x + row * width + $0, $1) } } }
    }
    let byColumn = Tensor.read(x) { x in
      sumOverRows(rows, width: width) { row, column, present in load(x + (row * width + column), present) }
    }
    let whole = Tensor(Real(Tensor.read(x) { x in longSum(rows * width) { load(x + $0, $1) } }))
    let wrong = [
      PlainTensor([rows], plain.rows.map { .sum($0) }).disagreement(with: byRow),
      PlainTensor([width]) { index in .sum((0..<rows).map { plain[$0, index[0]] }) }.disagreement(with: byColumn),
      PlainTensor(.sum(plain.elements)).disagreement(with: whole),
    ]
    #expect(wrong == [nil, nil, nil], "\(trial.testDescription): \(x.shape)")
  }

  /// Longer than the blocks of 4096 and the pieces of parallel loops.
  @Test(arguments: trials("long sums", count: 3)) private func longSumsAreSums(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let x = numbers.anything([Int.random(in: 30_000..<200_000, using: &numbers)])
    let found = Tensor.read(x) { numbers in longSum(x.count) { load(numbers + $0, $1) } }
    // Lanes add at most 4096 / 16 numbers and then four times in `Real`; blocks are added in double precision.
    let size = x.values.reduce(0) { $0 + abs(Double($1)) }
    let want = Bounded(x.values.reduce(0) { $0 + Double($1) }, error: 260 * size)
    #expect(abs(found - want.value) <= want.tolerance, "\(trial.testDescription): \(x.shape)")
  }

  @Test(arguments: trials("maxima")) private func maximaAreTheFirstLargest(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let (rows, width) = (numbers.extent(upTo: 17), numbers.extent(upTo: 257))
    let x = numbers.anything([rows, width])
    let plain = PlainTensor(x).rows
    let want = plain.map { row in
      var best = 0
      for column in row.indices where row[column].value > row[best].value { best = column }
      return best
    }
    #expect(x.rowMaxima() == want, "\(trial.testDescription): \(x.shape)")
    let largest = Tensor.read(x) { x in (0..<rows).map { rowMaximum(x + $0 * width, width) } }
    #expect(largest.map { Double($0) } == zip(plain, want).map { $0[$1].value }, "\(trial.testDescription): \(x.shape)")
  }

  /// On both sides of a piece of the parallel loop, 2¹⁵ numbers.
  @Test(arguments: trials("elementwise", count: 8)) private func elementsAreTreatedAlike(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let count = numbers.pick([numbers.extent(upTo: 257), 1 << 15, 1 << 15 + 1, 70_003])
    let (a, b, factor) = (numbers.anything([count]), numbers.anything([count]), numbers.next([]).scalar)
    let (x, y) = (PlainTensor(a), PlainTensor(b))
    let wrong = [
      PlainTensor([count], zip(x.elements, y.elements).map { $0 + $1 }).disagreement(with: a.adding(b)),
      x.map { $0 * Bounded(factor) }.disagreement(with: a.scaled(by: factor)),
    ]
    #expect(wrong == [nil, nil], "\(trial.testDescription): \(count) numbers")
    let matrix = numbers.anything([numbers.extent(upTo: 33), numbers.extent(upTo: 33)])
    let plain = PlainTensor(matrix)
    let turned = PlainTensor([matrix.shape[1], matrix.shape[0]]) { plain[$0[1], $0[0]] }
    #expect(turned.disagreement(with: matrix.transposed()) == nil, "\(trial.testDescription): \(matrix.shape)")
  }
}

@Suite struct MaskSecondOpinionTests {
  /// Threshold, count, expand, apply, pack and unpack, against a list of truth values.
  @Test(arguments: trials("masks", count: 32)) private func masksAreListsOfBits(_ trial: Trial<String>) throws {
    var numbers = trial.numbers
    let count = Int.random(in: 0...700, using: &numbers)
    var (scores, weight) = (numbers.anything([count]), numbers.anything([count]))
    let threshold: Real = numbers.pick([0, 0.5, 0.005, -0.3])
    if count > 0 {
      // Neighbours of the threshold, and what is no number.
      let special: [Real] = [threshold, threshold.nextUp, threshold.nextDown, .nan, .infinity, -.infinity]
      let indices = (0..<8).map { _ in Int.random(in: 0..<count, using: &numbers) }
      scores.write { for position in indices { $0[position] = special[position % special.count] } }
      weight.write { $0[count - 1] = -0.0 }
    }
    let bits = scores.values.map { $0 > threshold }
    let mask = BitMask(thresholding: scores, above: threshold)
    let name = Comment(rawValue: "\(trial.testDescription): \(count) bits above \(threshold)")
    #expect((0..<count).map { mask[$0] } == bits, name)
    #expect(mask.keptCount == bits.count { $0 } && mask.keptCount + mask.prunedCount == count, name)
    #expect(Real(mask.keptCount) == mask.real.values.reduce(0, +), name)
    #expect(mask.real.values == bits.map { $0 ? 1 : 0 }, name)
    #expect(
      mask.applied(to: weight).values.map(\.bitPattern)
        == zip(weight.values, bits).map { ($1 ? $0 : 0).bitPattern }, name)
    for order in BitMask.ByteOrder.allCases {
      var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
      for (index, bit) in bits.enumerated() where bit {
        bytes[index / 8] += order == .little ? 1 << UInt8(index % 8) : 1 << UInt8(7 - index % 8)
      }
      #expect(mask.bytes(order: order) == bytes, name)
      #expect(try BitMask(bytes: mask.bytes(order: order), count: count, order: order) == mask, name)
    }
  }

  /// Kept are the first k of the ranking.
  @Test(arguments: trials("top k", count: 32)) private func keptAreThoseThatFewBeat(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let tensors = (0..<numbers.pick([1, 2, 4])).map { _ in numbers.anything(numbers.anyShape()) }
    let ranks = ranking(tensors.map { Matrix(PlainTensor($0)) })
    let k = Int.random(in: 0...ranks.count, using: &numbers)
    var want = tensors.map { [Bool](repeating: false, count: $0.count) }
    for entry in ranks.prefix(k) { want[entry.tensor][entry.index] = true }
    let masks = TopK.masks(of: tensors, keeping: k)
    #expect(
      masks.map { mask in (0..<mask.count).map { mask[$0] } } == want,
      "\(trial.testDescription): \(k) of \(ranks.count)")
  }
}

@Suite struct HalfPrecisionSecondOpinionTests {
  /// Of a format with `fraction` bits behind the point and the smallest normal number 2^`least`: the nearest multiple
  /// of the distance of neighbours, which is a power of two.
  private static func rounded(_ x: Double, fraction: Int, least: Int, limit: Double) -> Double {
    guard x.isFinite, x != 0 else { return x }
    let exponent = max(Int(x.exponent), least)
    let distance = Double(sign: .plus, exponent: exponent - fraction, significand: 1)
    let nearest = (x / distance).rounded(.toNearestOrEven) * distance
    return abs(nearest) >= limit ? x.sign == .minus ? -.infinity : .infinity : nearest
  }

  /// The number of given bits: ± 2^(e − bias) (1 + f / 2^n), without the 1 where e = 0.
  private static func decoded(_ bits: UInt16, exponentBits: Int, fraction: Int) -> Double {
    let (f, e) = (Int(bits) & (1 << fraction - 1), Int(bits) >> fraction & (1 << exponentBits - 1))
    let bias = 1 << (exponentBits - 1) - 1
    let sign: Double = bits >> 15 == 1 ? -1 : 1
    if e == 1 << exponentBits - 1 { return f == 0 ? sign * .infinity : .nan }
    let share = Double(f) / Double(1 << fraction) + (e == 0 ? 0 : 1)
    return sign * share * Double(sign: .plus, exponent: max(e, 1) - bias, significand: 1)
  }

  @Test func allBitsMeanWhatTheFormatSays() {
    for bits in UInt16.min...UInt16.max {
      let (half, brain) = (
        Self.decoded(bits, exponentBits: 5, fraction: 10), Self.decoded(bits, exponentBits: 8, fraction: 7)
      )
      let found = (HalfPrecision.float(binary16: bits), HalfPrecision.float(bfloat16: bits))
      guard Double(found.0) == half || (found.0.isNaN && half.isNaN),
        Double(found.1) == brain || (found.1.isNaN && brain.isNaN)
      else {
        Issue.record("bits \(bits): expected \(half) and \(brain), found \(found)")
        return
      }
    }
  }

  @Test(arguments: trials("half precision", count: 4)) private func roundingIsToTheNearest(_ trial: Trial<String>) {
    var numbers = trial.numbers
    for _ in 0..<20_000 {
      // Any finite number, or one near a boundary between two halves.
      var x = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &numbers))
      if Bool.random(using: &numbers) {
        let middle = x.bitPattern & 0xffff_e000 | (Bool.random(using: &numbers) ? 0x1000 : 0)
        x = Float(bitPattern: middle &+ UInt32.random(in: 0...2, using: &numbers) &- 1)
        if abs(x.exponent) > 20 { x = Float(sign: x.sign, exponent: x.exponent % 20, significand: x.significand) }
      }
      guard x.isFinite else { continue }
      let half = Self.rounded(Double(x), fraction: 10, least: -14, limit: 65536)
      let brain = Self.rounded(
        Double(x), fraction: 7, least: -126, limit: Double(sign: .plus, exponent: 128, significand: 1))
      let found = (
        Double(HalfPrecision.float(binary16: HalfPrecision.binary16(x))),
        Double(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(x)))
      )
      guard found == (half, brain) else {
        Issue.record("\(trial.testDescription): \(x): expected \(half) and \(brain), found \(found)")
        return
      }
    }
  }
}
