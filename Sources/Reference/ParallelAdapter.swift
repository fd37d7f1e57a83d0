extension Network {
  /// z'' with what the bottleneck NAME parallel to an MLP adds; z'' itself where there is none (AdaptFormer (a), (b);
  /// Chen et al. 2022).
  ///
  ///     y = z'' + s (U ReLU(D z' + a) + b)
  ///
  /// - sum z'': [rows, width]; z', what the norm of the MLP reads: the same shape; D = NAME.branch.down: [rank, width];
  ///   U = NAME.branch.up: [width, rank]; biases a and b under the same names with .bias; s = `parallelScale`.
  func addingBottleneck(to sum: Matrix, of z: Matrix, _ name: String) -> Matrix {
    guard weights["\(name).branch.down"] != nil else { return sum }
    let hidden = bottleneck(z, name).map { max($0, 0) }
    let y = linear(hidden, weight: self["\(name).branch.up"], bias: self["\(name).branch.up.bias"])
    return sum + y.map { settings.parallelScale * $0 }
  }

  /// The gradient of z' by the bottleneck alone, `nil` where there is none; stores the gradients of its tensors by
  /// their names.
  ///
  ///     ∂ReLU = s Uᵀ ∂y where D z' + a > 0, else 0
  func bottleneckBackward(_ dy: Matrix, of z: Matrix, _ name: String, _ gradients: inout Parameters) -> Matrix? {
    guard weights["\(name).branch.down"] != nil else { return nil }
    let narrow = bottleneck(z, name)
    let up = linearBackward(
      dy.map { settings.parallelScale * $0 }, x: narrow.map { max($0, 0) }, weight: self["\(name).branch.up"])
    let dNarrow = up.x.zip(narrow) { d, x in x > 0 ? d : 0 }
    let down = linearBackward(dNarrow, x: z, weight: self["\(name).branch.down"])
    gradients["\(name).branch.up"] = up.weight
    gradients["\(name).branch.up.bias"] = up.bias
    gradients["\(name).branch.down"] = down.weight
    gradients["\(name).branch.down.bias"] = down.bias
    return down.x
  }

  /// D z' + a
  private func bottleneck(_ z: Matrix, _ name: String) -> Matrix {
    linear(z, weight: self["\(name).branch.down"], bias: self["\(name).branch.down.bias"])
  }
}
