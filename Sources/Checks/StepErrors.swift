import Tensor

extension GradientCheck {
  /// The errors of central differences along one random direction v of length 1, by the length h of the step.
  ///
  ///     |D(h) − ⟨∂ℒ/∂x, v⟩| / |⟨∂ℒ/∂x, v⟩|,   D(h) = (ℒ(x + h v) − ℒ(x − h v)) / 2h
  ///
  /// Large steps are off by h² times a third derivative, small ones by the rounding of ℒ divided by h: the check's own
  /// step lies between.
  ///
  /// - steps: h > 0; result: the name of each input with one error per step.
  package func errors(at steps: [Double]) -> [(input: String, errors: [Double])] {
    let (output, gradients) = outputAndGradients()
    let weights = Self.weights(output.shape).values
    return inputs.indices.map { position in
      let value = inputs[position].value
      let v = Self.direction(0, value.shape)
      let slope = innerProduct(gradients[position].values, v)
      var moved = inputs.map(\.value)
      func loss(_ h: Double) -> Double {
        moved[position] = Tensor(value.shape, zip(value.values, v).map { $0 + Real(h) * $1 })
        return innerProduct((relaxed?(moved) ?? function(moved.map { Variable($0) }).value).values, weights)
      }
      let errors = steps.map { h in abs((loss(h) - loss(-h)) / (2 * Double(Real(h))) - slope) / abs(slope) }
      return (inputs[position].name, errors)
    }
  }
}
