import FrugalTestSupport
import Tensor
import Testing

/// A query knows nothing of the others: their order changes no bit of what each of them sees and passes back.
@Suite struct AttentionEquivarianceTests {
  @Test(arguments: Trial.all(["permuted queries"], count: 8))
  private func permutedQueriesGivePermutedOutputs(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let (batch, heads) = (numbers.pick([1, 3]), numbers.pick([1, 2, 3]))
    let (queries, keys, width) = (numbers.extent(upTo: 65), numbers.extent(upTo: 33), heads * numbers.extent(upTo: 17))
    let order = (0..<queries).shuffled(using: &numbers)
    func permuted(_ x: Tensor) -> Tensor {
      let values = x.values
      let indices = (0..<batch).flatMap { b in
        order.flatMap { query in (0..<width).map { (b * queries + query) * width + $0 } }
      }
      return Tensor(x.shape, indices.map { values[$0] })
    }
    let (query, weights) = (numbers.next([batch, queries, width]), numbers.next([batch, queries, width]))
    let (key, value) = (numbers.next([batch, keys, width]), numbers.next([batch, keys, width]))
    func run(_ query: Tensor, _ weights: Tensor) -> (output: Tensor, gradient: Tensor) {
      let tape = Tape()
      let leaf = tape.leaf(query)
      let output = leaf.attention(keys: Variable(key), values: Variable(value), heads: heads)
      return (output.value, tape.gradients(of: [(output, weights)], for: [leaf])[0][0])
    }
    let (plain, other) = (run(query, weights), run(permuted(query), permuted(weights)))
    let name = Comment(rawValue: "\(trial.testDescription): \(query.shape), \(keys) keys, \(heads) heads")
    #expect(other.output == permuted(plain.output), name)
    #expect(other.gradient == permuted(plain.gradient), name)
  }
}
