extension Variable {
  /// The Euclidean norm of several tensors taken as one vector.
  ///
  ///     y = √(Σ x²),   ∂x = ∂y x / y,   0 where y = 0
  ///
  /// - tensors: any shapes, at least one; result: scalar. Keeps the tensors.
  public static func l2Norm(_ tensors: [Variable]) -> Variable {
    var square = 0.0
    for tensor in tensors {
      square += Tensor.read(tensor.value) { x in longDot(x, x, tensor.value.count) }
    }
    let norm = Real(square.squareRoot())
    let kept = tensors.map { $0.needsGradient ? $0.value : nil }
    return Tape.record(.l2Norm, Tensor(norm), from: tensors) { dy in
      let scale = norm > 0 ? dy.scalar / norm : 0
      return kept.map { $0?.scaled(by: scale) }
    }
  }
}
