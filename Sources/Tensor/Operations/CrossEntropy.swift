extension Variable {
  /// Cross-entropy with class labels, averaged over the batch (R-AMT (k), TaskRes (d)).
  ///
  ///     ℒ = −(1/n) Σ_i log p_i[y_i],   p_i = softmax(z_i)
  ///     ∂z_i[c] = (∂ℒ/n) (p_i[c] − 1[c = y_i])
  ///
  /// From log p[c] = z[c] − log Σ_k exp z[k]: ∂ log p[y]/∂z[c] = 1[c = y] − p[c]. The loss is log Σ exp z − z[y],
  /// never the logarithm of a p that may have underflowed; rows are added in double precision.
  ///
  /// - z (self): [batch, classes]; labels: [batch], each in 0 ..< classes; result: scalar.
  /// - Keeps z and log Σ exp z, [batch]. Traps on a label out of range.
  public func crossEntropy(labels: [Int32]) -> Variable {
    let (rows, classes) = (shape.rows, shape.width)
    require(
      shape.rank == 2 && labels.count == rows && labels.allSatisfy { $0 >= 0 && $0 < classes },
      "crossEntropy: expected [batch, classes] and a label below classes for each, found \(shape) "
        + "and \(labels.prefix(8))"
    )
    var logSums = Tensor.zeros([rows])
    let z = value
    var total = 0.0
    Tensor.read(z) { z in
      logSums.write { logSums in
        for row in 0..<rows {
          let z = z + row &* classes
          logSums[row] = logSumExp(z, classes)
          total += Double(logSums[row] - z[Int(labels[row])])
        }
      }
    }
    let kept = logSums
    return Tape.record(.crossEntropy, Tensor(Real(total / Double(rows))), from: [self]) { dy in
      let scale = dy.scalar / Real(rows)
      let dz = Tensor.read(z, kept) { z, logSums in
        Tensor([rows, classes]) { dz in
          for row in 0..<rows {
            let (z, dz, logSum) = (z + row &* classes, dz + row &* classes, logSums[row])
            @inline(__always)
            func gradient(_ index: Int, _ present: Int) {
              let p = Transcendental.expOfNegative(load(z + index, present) - logSum)
              store(p * scale, dz + index, present)
            }
            forEachLanes(classes, gradient)
            dz[Int(labels[row])] -= scale
          }
        }
      }
      return [dz]
    }
  }
}
