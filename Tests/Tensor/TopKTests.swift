import Checks
import FrugalTestSupport
import Tensor
import Testing

@Suite struct TopKTests {
  /// The same by sorting: larger numbers first, earlier indices first among equals.
  static func sorted(_ tensors: [Tensor], keeping k: Int) -> [[Bool]] {
    let keys = tensors.map { $0.values.map { $0 > 0 ? $0 : 0 } }
    let all = keys.indices.flatMap { tensor in keys[tensor].indices.map { (tensor: tensor, position: $0) } }
    let order = all.enumerated().sorted { a, b in
      let (x, y) = (keys[a.element.tensor][a.element.position], keys[b.element.tensor][b.element.position])
      return x == y ? a.offset < b.offset : x > y
    }
    var kept = keys.map { Array(repeating: false, count: $0.count) }
    for entry in order.prefix(k) { kept[entry.element.tensor][entry.element.position] = true }
    return kept
  }

  static func bits(_ masks: [BitMask]) -> [[Bool]] { masks.map { mask in (0..<mask.count).map { mask[$0] } } }

  /// Lists of odd sizes, by what is in them.
  static var lists: [(name: String, tensors: [Tensor])] {
    let sizes: [Shape] = [[0], [1], [7, 3], [65], [2, 3, 11], [0, 4], [129]]
    var numbers = CheckNumbers(seed: 5)
    let spread = sizes.map { numbers.next($0).mapped { abs($0) } }
    let powers = sizes.map { numbers.next($0).mapped { Real(sign: .plus, exponent: Int($0 * 40), significand: 1.25) } }
    let few = sizes.map { numbers.next($0).mapped { ($0 * 3).rounded() } }
    let odd: [Real] = [
      .nan, -.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, -1, .greatestFiniteMagnitude,
    ]
    let special = sizes.map { shape in
      Tensor(shape, (0..<shape.count).map { _ in odd.randomElement(using: &numbers) ?? 0 })
    }
    // Neighbours that differ in the last bit only: the last digit decides.
    let near = sizes.map {
      numbers.next($0).mapped { $0 > 0 ? (1 as Real).nextUp : (0.3 > -$0 ? 1 : (1 as Real).nextDown) }
    }
    return [
      ("spread", spread), ("powers of two", powers), ("few values", few), ("special values", special),
      ("last bits", near), ("zeros", sizes.map { Tensor.zeros($0) }), ("none", []),
    ]
  }

  @Test(arguments: lists.indices) func theMasksAreThoseOfSorting(_ index: Int) {
    let (name, tensors) = Self.lists[index]
    let total = tensors.reduce(0) { $0 + $1.count }
    for k in Set([0, 1, 2, 3, 17, 64, 65, total / 2, total - 1, total].filter { 0...total ~= $0 }) {
      let masks = TopK.masks(of: tensors, keeping: k)
      #expect(Self.bits(masks) == Self.sorted(tensors, keeping: k), "\(name), \(k) of \(total)")
      #expect(masks.reduce(0) { $0 + $1.keptCount } == k, "\(name), \(k) of \(total)")
    }
  }

  @Test func everyCountOfASmallListIsThatOfSorting() {
    let tensors = [Tensor([5], [3, 1, 3, 0, 2]), Tensor([4], [3, 0, 2, 5])]
    for k in 0...9 {
      #expect(Self.bits(TopK.masks(of: tensors, keeping: k)) == Self.sorted(tensors, keeping: k), "\(k)")
    }
  }

  @Test func amongEqualNumbersTheFirstAreKept() {
    let masks = TopK.masks(of: [Tensor([3], repeating: 2), Tensor([3], repeating: 2)], keeping: 4)
    #expect(Self.bits(masks) == [[true, true, true], [true, false, false]])
  }

  /// Longer than a piece of parallel work.
  @Test func theThreadsDoNotMatter() {
    let tensors = [CheckNumbers(seed: 3).tensor([600_001]), CheckNumbers(seed: 4).tensor([70_003])]
    defer { Parallel.threads = 0 }
    let masks = [1, 2, 3, 7].map { threads in
      Parallel.threads = threads
      return TopK.masks(of: tensors, keeping: 123_457)
    }
    for other in masks.dropFirst() { #expect(other == masks[0]) }
    #expect(Self.bits(masks[0]) == Self.sorted(tensors, keeping: 123_457))
  }

  @Test func moreThanThereAreIsATrap() async {
    var process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TopK.masks(of: [Tensor([3], repeating: 1)], keeping: 4)
    }
    expectTrap(process, saying: "TopK: expected to keep 0 to 3 elements, found 4")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TopK.masks(of: [Tensor([3], repeating: 1)], keeping: -1)
    }
    expectTrap(process, saying: "TopK: expected to keep 0 to 3 elements, found -1")
  }
}

extension Tensor {
  fileprivate func mapped(_ function: (Real) -> Real) -> Tensor { Tensor(shape, values.map(function)) }
}
