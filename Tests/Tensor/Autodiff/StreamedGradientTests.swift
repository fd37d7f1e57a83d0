import Checks
import Tensor
import Testing

@Suite struct StreamedGradientTests {
  private func network(_ tape: Tape) -> (loss: Variable, leaves: [Variable]) {
    var numbers = CheckNumbers(seed: 1)
    let x = Variable(numbers.next([4, 5]))
    let leaves = [tape.leaf(numbers.next([6, 5])), tape.leaf(numbers.next([6])), tape.leaf(numbers.next([3, 6]))]
    let unused = tape.leaf(numbers.next([2]))
    let hidden = x.linear(leaves[0], bias: leaves[1]).gelu()
    // The last map is read twice: its gradient is complete behind the first reader only.
    let logits = hidden.linear(leaves[2]).adding(hidden.scaled(byExponentialOf: Variable(Tensor(0))).linear(leaves[2]))
    return (logits.crossEntropy(labels: [0, 1, 2, 1]), leaves + [unused])
  }

  @Test func gradientsAreThoseOfAWalkThatKeepsThem() {
    let (streaming, keeping) = (Tape(), Tape())
    let (loss, leaves) = network(streaming)
    var found: [Int: Tensor] = [:]
    streaming.forEachGradient(of: loss, for: leaves) { index, gradient in
      #expect(found[index] == nil)
      found[index] = gradient
    }
    let (sameLoss, sameLeaves) = network(keeping)
    let wanted = keeping.gradients(of: sameLoss, for: sameLeaves)
    for index in 0..<3 { #expect(found[index] == wanted[index]) }
    #expect(found[3] == nil && wanted[3] == .zeros([2]))
  }

  @Test func theLastLayerComesFirst() {
    let tape = Tape()
    let (loss, leaves) = network(tape)
    var order: [Int] = []
    tape.forEachGradient(of: loss, for: leaves) { index, _ in order.append(index) }
    #expect(order.first == 2 && Set(order) == [0, 1, 2])
  }

  @Test func aLossThatIsALeafIsItsOwnGradient() {
    let tape = Tape()
    let leaf = tape.leaf(Tensor(3))
    var found: [Tensor] = []
    tape.forEachGradient(of: leaf, for: [leaf]) { found.append($1) }
    #expect(found == [Tensor(1)])
  }
}
