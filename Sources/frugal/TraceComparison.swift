import Formats
import Foundation
import Tensor

/// Two traces side by side, tensor by tensor and bit by bit.
struct TraceComparison: Encodable {
  /// A tensor with different bits: how many elements, and the one with the largest difference.
  struct Difference: Encodable, Equatable {
    let tensor: String
    let shape: [Int]
    /// The number of elements with different bits.
    let count: Int
    /// The row-major index of the largest difference.
    let index: Int
    /// The values there, as text: JSON has no NaN.
    let a, b: String
    /// |a − b|, and the same divided by the larger of |a| and |b|; `nil` if one is not finite.
    let absolute, relative: Double?
    /// Their distance in steps of their type (ulp); `nil` if one is a NaN.
    let ulp: UInt64?
  }

  /// A tensor of two types or shapes.
  struct Mismatch: Encodable, Equatable {
    let tensor: String
    /// `F32 [3, 7]`
    let a, b: String
  }

  let identical: Bool
  /// The number of compared tensors, and of elements in them.
  let tensors, numbers: Int
  /// The first tensor, in the order of calculation, that differs, is missing in B or has another shape there.
  let first: String?
  /// In A only.
  let missing: [String]
  /// In B only.
  let extra: [String]
  let mismatched: [Mismatch]
  /// The tensors that differ, largest difference first.
  let differences: [Difference]
  let metadata: [[String: String]]

  /// Compares the traces in two files.
  init(_ pathA: String, _ pathB: String) throws(TraceError) {
    let (a, b) = (try Self.open(pathA), try Self.open(pathB))
    let names = Self.order(of: a)
    var (tensors, numbers) = (0, 0)
    var (missing, mismatched, differences) = ([String](), [Mismatch](), [Difference]())
    var first: String?
    for name in names {
      let before = (missing.count, mismatched.count, differences.count)
      if b.contains(name) {
        let (x, y) = (try TraceTensor(a, name), try TraceTensor(b, name))
        if x.title == y.title {
          (tensors, numbers) = (tensors + 1, numbers + x.bits.count)
          if let difference = Self.difference(name, x, y) { differences.append(difference) }
        } else {
          mismatched.append(Mismatch(tensor: name, a: x.title, b: y.title))
        }
      } else {
        missing.append(name)
      }
      if first == nil, before != (missing.count, mismatched.count, differences.count) { first = name }
    }
    let extra = b.names.filter { !a.contains($0) }
    for name in extra { _ = try TraceTensor(b, name) }
    (self.tensors, self.numbers, self.first) = (tensors, numbers, first)
    (self.missing, self.extra, self.mismatched) = (missing, extra, mismatched)
    self.differences = differences.enumerated().sorted {
      let (x, y) = ($0.element.relative ?? .infinity, $1.element.relative ?? .infinity)
      return x != y ? x > y : $0.offset < $1.offset
    }.map(\.element)
    identical = first == nil && extra.isEmpty
    // The manifest only repeats the names.
    metadata = [a.metadata, b.metadata].map { $0.filter { $0.key != Manifest.key } }
  }

  /// The names of a trace in the order of calculation: that of its manifest, then by name.
  private static func order(of file: SafeTensorsFile) -> [String] {
    let manifest = file.metadata[Manifest.key].flatMap { try? JSON.decoded(Manifest.self, from: Array($0.utf8)) }
    let stated = (manifest?.tensors ?? []).map(\.name).unique.filter { file.contains($0) }
    let known = Set(stated)
    let others = file.names.filter { !known.contains($0) }.map { (name: $0, position: TracePosition($0)) }
    return stated + others.sorted { $0.position < $1.position }.map(\.name)
  }

  private static func open(_ path: String) throws(TraceError) -> SafeTensorsFile {
    let file: SafeTensorsFile
    do throws(WeightFileError) { file = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .file(error)
    }
    guard !file.names.isEmpty else { throw .empty(file: file.file) }
    return file
  }

  /// The difference of two tensors of one type and shape; `nil` if they have the same bits.
  private static func difference(_ name: String, _ a: TraceTensor, _ b: TraceTensor) -> Difference? {
    guard a.bits != b.bits else { return nil }
    let differing = a.bits.indices.filter { a.bits[$0] != b.bits[$0] }
    func relative(_ index: Int) -> Double {
      let (x, y) = (a.value(index), b.value(index))
      // Elements may differ only in the sign of a zero.
      return x == y ? 0 : relativeDifference(x, y) ?? .infinity
    }
    let worst = differing.map { (index: $0, error: relative($0)) }.reduce((index: differing[0], error: -1.0)) {
      $1.error > $0.error ? $1 : $0
    }.index
    let (x, y) = (a.value(worst), b.value(worst))
    return Difference(
      tensor: name, shape: a.shape.extents, count: differing.count, index: worst, a: a.text(worst), b: b.text(worst),
      absolute: (x - y).isFinite ? abs(x - y) : nil, relative: x == y ? 0 : relativeDifference(x, y),
      ulp: a.distance(worst, to: b))
  }
}

/// |x − y| / max(|x|, |y|) for x ≠ y; `nil` if one is not finite.
private func relativeDifference(_ x: Double, _ y: Double) -> Double? {
  guard x.isFinite, y.isFinite else { return nil }
  let scale = max(abs(x), abs(y))
  // Halves, as the difference of the largest numbers of two signs would be infinite.
  return 2 * abs(x / 2 - y / 2) / scale
}
