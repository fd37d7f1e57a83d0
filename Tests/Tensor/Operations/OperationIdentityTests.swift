import Checks
import Tensor
import Testing

private func numbers(_ seed: UInt64, _ shape: Shape, scale: Real = 1) -> Tensor {
  CheckNumbers(seed: seed).tensor(shape, scale: scale)
}

private func bits(_ tensor: Tensor) -> [Real.RawSignificand] {
  tensor.values.map { Real.RawSignificand($0.bitPattern) }
}

private func close(_ a: Tensor, _ b: Tensor, within units: Real = 64) -> Bool {
  let largest = max(1, b.values.reduce(0) { max($0, abs($1)) })
  return a.shape == b.shape && zip(a.values, b.values).allSatisfy { abs($0 - $1) <= units * .ulpOfOne * largest }
}

@Suite struct SoftmaxIdentityTests {
  @Test(arguments: [[1, 1], [3, 7], [2, 17], [4, 33], [2, 1000]] as [Shape], [1, 30, 1000] as [Real])
  func rowsSumToOne(_ shape: Shape, _ scale: Real) {
    let p = Variable(numbers(1, shape, scale: scale)).softmax().value.values
    for row in 0..<shape.rows {
      let sum = p[(row * shape.width)..<((row + 1) * shape.width)].reduce(0) { $0 + Double($1) }
      #expect(abs(sum - 1) < 64 * Double(Real.ulpOfOne))
    }
  }

  /// Multiples of ⅛ and a shift by 1024 are exact, and so is their sum: the same bits must follow.
  @Test func shiftChangesNothing() {
    let x = Tensor([3, 19], numbers(2, [3, 19], scale: 40).values.map { ($0 * 8).rounded() / 8 })
    let shifted = Tensor(x.shape, x.values.map { $0 + 1024 })
    #expect(bits(Variable(x).softmax().value) == bits(Variable(shifted).softmax().value))
  }

  @Test func logarithmOfSoftmaxIsLogSoftmax() {
    let x = Variable(numbers(3, [5, 21], scale: 3))
    let want = Tensor([5, 21], x.softmax().value.values.map { Real(_log(Double($0))) })
    #expect(close(x.logSoftmax().value, want))
  }

  @Test func hugeLogitsStayFinite() {
    let tape = Tape()
    let z = tape.leaf(Tensor([2, 3], [1e6, -1e6, 0, -1e30, 0, 1e30]))
    let loss = z.crossEntropy(labels: [0, 2])
    #expect(loss.value.scalar == 0)
    #expect(tape.gradients(of: loss, for: [z])[0].values.allSatisfy { $0 == 0 })
  }

  /// A teacher without a doubt is a label.
  @Test func distillationByACertainTeacherIsCrossEntropy() {
    let z = numbers(4, [5, 7], scale: 3)
    let labels: [Int32] = [0, 6, 3, 3, 1]
    var teacher = [Real](repeating: 0, count: 35)
    for (row, label) in labels.enumerated() { teacher[row * 7 + Int(label)] = 1e4 }
    let (first, second) = (Tape(), Tape())
    let (a, b) = (first.leaf(z), second.leaf(z))
    let distilled = a.distillation(teacher: Tensor([5, 7], teacher))
    let labelled = b.crossEntropy(labels: labels)
    #expect(abs(distilled.value.scalar - labelled.value.scalar) < 64 * .ulpOfOne)
    #expect(close(first.gradients(of: distilled, for: [a])[0], second.gradients(of: labelled, for: [b])[0]))
  }

  @Test func studentLikeItsTeacherHasNoGradient() {
    let tape = Tape()
    let z = tape.leaf(numbers(6, [4, 9], scale: 3))
    let gradient = tape.gradients(of: z.distillation(teacher: z.value), for: [z])[0]
    #expect(close(gradient, .zeros([4, 9])))
  }
}

/// Natural logarithm by its series, so that the test owes nothing to the code under test.
private func _log(_ x: Double) -> Double {
  let exponent = Double(x.exponent)
  let t = (x.significand - 1) / (x.significand + 1)
  var (power, sum) = (t, 0.0)
  for k in stride(from: 1, to: 60, by: 2) {
    sum += power / Double(k)
    power *= t * t
  }
  return 2 * sum + exponent * 0.693147180559945309417
}

@Suite struct AttentionIdentityTests {
  @Test func orderOfKeysDoesNotMatter() {
    let (q, k, v) = (numbers(1, [2, 5, 6]), numbers(2, [2, 9, 6]), numbers(3, [2, 9, 6]))
    func reversed(_ x: Tensor) -> Tensor {
      let values = x.values
      let indices = (0..<2).flatMap { b in (0..<9).flatMap { t in (0..<6).map { (b * 9 + 8 - t) * 6 + $0 } } }
      return Tensor(x.shape, indices.map { values[$0] })
    }
    let plain = Variable(q).attention(keys: Variable(k), values: Variable(v), heads: 2).value
    let other = Variable(q).attention(keys: Variable(reversed(k)), values: Variable(reversed(v)), heads: 2).value
    #expect(close(plain, other))
  }

  /// What a query sees later must change none of its bits, forward or backward.
  @Test(arguments: [1, 2, 7, 17]) func causalAttentionDoesNotLookAhead(_ seen: Int) {
    let (tokens, width) = (19, 6)
    func run(_ seed: UInt64) -> (output: [Real], gradients: [[Real]]) {
      func input(_ which: UInt64) -> Tensor {
        let (first, later) = (
          numbers(which, [1, tokens, width]).values, numbers(which &+ seed, [1, tokens, width]).values
        )
        return Tensor([1, tokens, width], Array(first.prefix(seen * width) + later.dropFirst(seen * width)))
      }
      let tape = Tape()
      let leaves = (1...3).map { tape.leaf(input($0)) }
      let y = leaves[0].attention(keys: leaves[1], values: leaves[2], heads: 2, isCausal: true)
      // A loss of the first `seen` outputs only.
      let weights = numbers(9, [1, tokens, width]).values.enumerated().map { $0 < seen * width ? $1 : 0 }
      let loss = y.dot(Variable(Tensor([1, tokens, width], weights)))
      let gradients = tape.gradients(of: loss, for: leaves).map { Array($0.values.prefix(seen * width)) }
      return (Array(y.value.values.prefix(seen * width)), gradients)
    }
    let (a, b) = (run(100), run(200))
    #expect(a.output == b.output)
    #expect(a.gradients == b.gradients)
  }

  @Test func oneKeyIsCopied() {
    let v = numbers(3, [2, 1, 6])
    let y = Variable(numbers(1, [2, 4, 6])).attention(
      keys: Variable(numbers(2, [2, 1, 6])), values: Variable(v), heads: 3)
    let want = (0..<2).flatMap { b in (0..<4).flatMap { _ in v.values[(b * 6)..<(b * 6 + 6)] } }
    #expect(y.value == Tensor([2, 4, 6], want))
  }
}

@Suite struct NormalizationIdentityTests {
  /// Powers of two scale every intermediate exactly.
  @Test(arguments: [0.25, 2, 1024] as [Real]) func layerNormIgnoresTheScaleOfItsInput(_ scale: Real) {
    let x = numbers(1, [3, 19])
    let (one, zero) = (Variable(Tensor([19], repeating: 1)), Variable(Tensor.zeros([19])))
    let plain = Variable(x).layerNorm(gamma: one, beta: zero, epsilon: 0).value
    let scaled = Variable(x.scaled(by: scale)).layerNorm(gamma: one, beta: zero, epsilon: 0).value
    #expect(bits(plain) == bits(scaled))
  }

  @Test(arguments: [1, 7, 16, 19, 33]) func l2NormalizedRowsHaveLengthOne(_ width: Int) {
    let y = Variable(numbers(1, [3, width], scale: 50)).l2Normalized().value.values
    for row in 0..<3 {
      let square = y[(row * width)..<((row + 1) * width)].reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(square - 1) < 16 * Double(Real.ulpOfOne))
    }
  }

  /// Up to a norm of 1e-12 the divisor is that constant, and the gradient is that of a product.
  @Test(arguments: [0, 3e-13, 3e-12] as [Real]) func rowsBelowTheSmallestNormAreDividedByIt(_ size: Real) {
    let tape = Tape()
    let x = tape.leaf(Tensor([1, 3], [size, 0, 0]))
    let dy = Variable(Tensor([1, 3], [2, 3, 5]))
    let dx = tape.gradients(of: x.l2Normalized().dot(dy), for: [x])[0].values
    let norm: Real = max(size, 1e-12)
    let expected: [Real] = size > 1e-12 ? [0, 3 / norm, 5 / norm] : [2 / norm, 3 / norm, 5 / norm]
    for (found, expected) in zip(dx, expected) { #expect(abs(found - expected) <= 4 * Real.ulpOfOne * abs(expected)) }
  }

  @Test func zerosHaveFiniteGradients() {
    let tape = Tape()
    let x = tape.leaf(.zeros([2, 5]))
    #expect(tape.gradients(of: Variable.l2Norm([x]), for: [x])[0] == .zeros([2, 5]))
    let loss = x.l2Normalized().dot(Variable(numbers(1, [2, 5])))
    #expect(tape.gradients(of: loss, for: [x])[0].values.allSatisfy { $0.isFinite })
    #expect(x.l2Normalized().value == .zeros([2, 5]))
    #expect(tape.gradients(of: x.relu().dot(Variable(numbers(1, [2, 5]))), for: [x])[0] == .zeros([2, 5]))
  }
}

@Suite struct LinearIdentityTests {
  /// ⟨A x, y⟩ = ⟨x, Aᵀ y⟩, with Aᵀ y from the backward pass.
  @Test(arguments: [(1, 0, 1), (1, 1, 1), (2, 1, 1), (3, 0, 2), (1, 2, 3)])
  func backwardOfConvolutionIsItsAdjoint(_ stride: Int, _ padding: Int, _ groups: Int) {
    let channels = 6
    let weight = Variable(numbers(2, [6, channels / groups, 3, 2]))
    let tape = Tape()
    let x = tape.leaf(numbers(1, [2, channels, 7, 5]))
    let image = x.convolution(weight, stride: stride, padding: padding, groups: groups)
    let y = numbers(3, image.shape)
    let left = image.dot(Variable(y))
    let adjoint = tape.gradients(of: left, for: [x])[0]
    let right = Variable(x.value).dot(Variable(adjoint)).value.scalar
    #expect(abs(left.value.scalar - right) < 256 * .ulpOfOne * max(1, abs(right)))
  }

  @Test(arguments: [1, 3, 17]) func convolutionOfOnePixelIsLinear(_ channels: Int) {
    let (x, weight, bias) = (numbers(1, [5, channels]), numbers(2, [7, channels]), numbers(3, [7]))
    let linear = Variable(x).linear(Variable(weight), bias: Variable(bias)).value
    let convolved = Variable(x.reshaped(to: [5, channels, 1, 1]))
      .convolution(Variable(weight.reshaped(to: [7, channels, 1, 1])), bias: Variable(bias)).value
    #expect(close(linear, convolved.reshaped(to: [5, 7])))
  }

  @Test(arguments: [2, 3]) func patchesTimesKernelsAreTheConvolution(_ size: Int) {
    let (x, weight) = (numbers(1, [2, 3, 7, 6]), numbers(2, [5, 3, size, size]))
    let convolved = Variable(x).convolution(Variable(weight), stride: size).value
    let linear = Variable(x).patches(of: size).linear(Variable(weight.reshaped(to: [5, 3 * size * size]))).value
    let (positions, values) = (linear.shape[1], linear.values)
    let turned = (0..<2).flatMap { b in
      (0..<5).flatMap { o in (0..<positions).map { values[(b * positions + $0) * 5 + o] } }
    }
    #expect(close(convolved, Tensor(convolved.shape, turned)))
  }
}

/// R-AMT (c).
@Suite struct MaskedWeightIdentityTests {
  @Test(arguments: [1, 16, 19]) func maskOfOnesChangesNothing(_ count: Int) {
    var values = numbers(1, [count]).values
    values[0] = -0.0
    let weight = Tensor([count], values)
    let y = Variable(weight).masked(by: .init(Variable(Tensor([count], repeating: 0.01)), above: 0.005)).value
    #expect(bits(y) == bits(weight))
  }

  /// A mask that is applied while packing gives the bits of one that is applied before, forward and backward.
  @Test(arguments: [(1, 1, 1), (3, 17, 5), (33, 65, 40), (7, 7, 100), (40, 800, 35), (5, 0, 3), (2, 3, 4100)])
  func maskedProductsHaveTheBitsOfMaskedWeights(_ rows: Int, _ width: Int, _ out: Int) {
    let inputs = [
      numbers(1, [rows, width]), numbers(2, [out, width]), numbers(3, [out, width]), numbers(4, [out]),
    ]
    func run(_ map: ([Variable]) -> Variable) -> [[Real.RawSignificand]] {
      let tape = Tape()
      let leaves = inputs.map { tape.leaf($0) }
      let y = map(leaves)
      let cotangents = [numbers(5, [rows, out]), numbers(6, [rows, out])]
      return [bits(y.value)] + tape.gradients(of: cotangents.map { (y, $0) }, for: leaves).flatMap { $0.map(bits) }
    }
    let fused = run { $0[0].linear($0[1], maskedBy: .init($0[2], above: 0.1), bias: $0[3]) }
    #expect(fused == run { $0[0].linear($0[1].masked(by: .init($0[2], above: 0.1)), bias: $0[3]) })
  }

  @Test func gradientOfTheMaskIsExactlyGradientTimesWeight() {
    let (weight, mask, dy) = (numbers(1, [3, 17]), numbers(2, [3, 17]), numbers(3, [3, 17]))
    let tape = Tape()
    let (w, m) = (tape.leaf(weight), tape.leaf(mask))
    let gradients = tape.gradients(of: w.masked(by: .init(m, above: 0.1)).dot(Variable(dy)), for: [w, m])
    #expect(gradients[1].values == zip(dy.values, weight.values).map { $0 * $1 })
    #expect(gradients[0].values == zip(dy.values, mask.values).map { $1 > 0.1 ? $0 : 0 })
  }

  @Test func entryAtTheThresholdIsDropped() {
    let mask = Variable(Tensor([4], [0.005, Real(0.005).nextUp, Real(0.005).nextDown, .nan]))
    let tape = Tape()
    let weight = tape.leaf(Tensor([4], repeating: 1))
    let y = weight.masked(by: .init(mask, above: 0.005))
    #expect(y.value.values == [0, 1, 0, 0])
    let gradient = tape.gradients(of: y.dot(Variable(Tensor([4], repeating: 3))), for: [weight])[0]
    #expect(gradient.values == [0, 3, 0, 0])
  }
}

@Suite struct ActivationIdentityTests {
  /// Both zeros are 0 and not −0, whose reciprocal has another sign.
  @Test func rectifiedZerosArePositive() {
    let y = Variable(Tensor([19], repeating: -0.0)).relu().value
    #expect(bits(y) == bits(.zeros([19])))
  }

  @Test func tailsAreExact() {
    let x = Variable(Tensor([4], [1000, -1000, 0, 4000]))
    for y in [x.gelu(), x.geluTanh(), x.quickGELU(), x.relu()] { #expect(y.value.values == [1000, 0, 0, 4000]) }
  }

  /// x Φ(x) − (−x) Φ(−x) = x, as Φ(x) + Φ(−x) = 1.
  @Test func differenceOfMirroredValuesIsTheInput() {
    let x = numbers(1, [37], scale: 5)
    for activation in [{ $0.gelu() }, { $0.geluTanh() }, { $0.quickGELU() }] as [(Variable) -> Variable] {
      let (right, left) = (activation(Variable(x)).value, activation(Variable(x.scaled(by: -1))).value)
      #expect(close(Variable(right).adding(Variable(left), scale: -1).value, x))
    }
  }
}
