import Checks
import FrugalTestSupport
import Tensor
import Testing

/// SPT (d).
@Suite struct RankingTests {
  /// The same by a stable sort.
  private func sorted(_ tensors: [Tensor]) -> [(tensor: Int, index: Int)] {
    let all = tensors.indices.flatMap { tensor in tensors[tensor].values.indices.map { (tensor: tensor, index: $0) } }
    func key(_ entry: (tensor: Int, index: Int)) -> Real {
      let x = tensors[entry.tensor].values[entry.index]
      return x > 0 ? x : 0
    }
    return all.enumerated().sorted { a, b in
      let (x, y) = (key(a.element), key(b.element))
      return x == y ? a.offset < b.offset : x > y
    }.map(\.element)
  }

  @Test(arguments: TopKTests.lists.map(\.name)) func ranksAreThoseOfAStableSort(_ name: String) throws {
    let tensors = try #require(TopKTests.lists.first { $0.name == name }).tensors
    let total = tensors.reduce(0) { $0 + $1.count }
    let order = sorted(tensors)
    for count in Set([0, 1, 2, total / 7, total / 2, max(0, total - 1), total]) where count <= total {
      let ranking = Ranking(of: tensors, largest: count)
      #expect(ranking.tensors.map { Int($0) } == order.prefix(count).map(\.tensor), "\(count)")
      #expect(ranking.positions.map { Int($0) } == order.prefix(count).map(\.index), "\(count)")
    }
  }

  /// Of very many equal numbers only those that are asked for are looked at.
  @Test func theFirstOfManyEqualNumbersAreTaken() {
    let ranking = Ranking(of: [.zeros([300_000]), Tensor([2], [0, 1])], largest: 4)
    #expect(ranking.tensors == [1, 0, 0, 0] && ranking.positions == [1, 0, 1, 2])
  }

  /// What is ranked among the first k is what `TopK` keeps.
  @Test(arguments: [1, 500, 4000]) func theFirstRanksAreTheLargest(_ count: Int) {
    var numbers = CheckNumbers(seed: 3)
    let tensors = [numbers.next([70, 61]), numbers.next([4099])]
    let masks = TopK.masks(of: tensors, keeping: count)
    let ranking = Ranking(of: tensors, largest: count)
    #expect(masks.reduce(0) { $0 + $1.keptCount } == ranking.count)
    for (tensor, index) in zip(ranking.tensors, ranking.positions) { #expect(masks[Int(tensor)][Int(index)]) }
  }
}
