import Checks
import Tensor
import Testing

@Suite struct AttentionTests {
  /// Scores do not change their probabilities when all keys are moved alike, so the gradients of the keys sum to zero:
  /// Σ_j ∂K_j = d^−½ Q Σ_j P_j (∂P_j − D), which is rounding noise of the size of D = ⟨O, ∂O⟩ alone, however large the
  /// scores are.
  @Test(arguments: [0, 1, 30, 1000] as [Real]) func theGradientsOfKeysSumToZero(_ size: Real) {
    let (keys, width) = (7, 5)
    var numbers = CheckNumbers(seed: 3)
    let query = numbers.next([1, 1, width], in: 0.5...1.5)
    let key = Tensor([1, keys, width], numbers.next([keys, width]).values.map { $0 + size })
    let value = numbers.next([1, keys, width], in: 9...11)
    let weights = numbers.next([1, 1, width], in: 0.5...1)
    let tape = Tape()
    let leaf = tape.leaf(key)
    let output = Variable(query).attention(keys: leaf, values: Variable(value), heads: 1)
    let gradient = tape.gradients(of: output.dot(Variable(weights)), for: [leaf])[0].values
    let d = zip(output.value.values, weights.values).reduce(0) { $0 + $1.0 * $1.1 }
    for column in 0..<width {
      let sum = (0..<keys).reduce(0) { $0 + gradient[$1 * width + column] }
      let bound = 8 * Real.ulpOfOne * d * query.values[column] / Real(width).squareRoot()
      #expect(abs(sum) <= bound, "column \(column): \(sum) of at most \(bound)")
      #expect((0..<keys).contains { abs(gradient[$0 * width + column]) > 100 * bound })
    }
  }
}
