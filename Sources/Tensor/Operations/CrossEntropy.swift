extension Variable {
  /// Cross-entropy with class labels, averaged over the batch, with optional label smoothing (Szegedy et al. 2016).
  ///
  ///     ℒ = (1/n) Σ_i ( (1 − e) · −log p_i[y_i]  +  e · (1/C) Σ_c −log p_i[c] ),   p_i = softmax(z_i)
  ///     ∂z_i = (∂ℒ/n) (p_i − (1 − e) 1[c = y_i] − e/C)
  ///
  /// - z (self): [batch, classes]; labels: [batch], each in 0 ..< classes; result: scalar.
  /// - Keeps z and log Σ exp z, [batch]. Traps on a label out of range.
  public func crossEntropy(labels: [Int32], smoothing: Real = 0) -> Variable {
    let (rows, classes) = (shape.rows, shape.width)
    require(
      shape.rank == 2 && labels.count == rows && labels.allSatisfy { $0 >= 0 && $0 < classes },
      "crossEntropy: expected [batch, classes] and a label below classes for each, found \(shape) and \(labels.prefix(8))"
    )
    var logSums = Tensor.zeros([rows])
    let z = value
    var total = 0.0
    Tensor.read(z) { z in
      logSums.write { logSums in
        for row in 0..<rows {
          let z = z + row &* classes
          logSums[row] = logSumExp(z, classes)
          let mean = rowSum(classes) { load(z + $0, $1) } / Real(classes)
          let label = logSums[row] - z[Int(labels[row])]
          total += Double((1 - smoothing) * label + smoothing * (logSums[row] - mean))
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
            let floor = smoothing / Real(classes)
            @inline(always)
            func gradient(_ index: Int, _ present: Int) {
              let p = Transcendental.expOfNegative(load(z + index, present) - logSum)
              store((p - floor) * scale, dz + index, present)
            }
            forEachLanes(classes, gradient)
            dz[Int(labels[row])] -= (1 - smoothing) * scale
          }
        }
      }
      return [dz]
    }
  }

  /// Cross-entropy with a distribution over classes for each row, averaged over the batch.
  ///
  ///     ℒ = −(1/n) Σ_i Σ_c t_ic log softmax(z_i)_c
  ///     ∂z_i = (∂ℒ/n) (softmax(z_i) Σ_c t_ic − t_i),   ∂t_ic = −(∂ℒ/n) log softmax(z_i)_c
  ///
  /// - z (self), targets t: [batch, classes]; result: scalar. Keeps log softmax(z) and t.
  public func crossEntropy(targets: Variable) -> Variable {
    require(
      shape.rank == 2 && targets.shape == shape,
      "crossEntropy: expected targets \(shape), found \(targets.shape)")
    let (rows, classes) = (shape.rows, shape.width)
    let logP = Variable(value).logSoftmax().value
    let t = targets.value
    let total = Tensor.read(logP, t) { logP, t in
      longSum(rows * classes) { load(logP + $0, $1) * load(t + $0, $1) }
    }
    let (zNeeds, tNeeds) = (needsGradient, targets.needsGradient)
    return Tape.record(.softCrossEntropy, Tensor(Real(-total / Double(rows))), from: [self, targets]) { dy in
      let scale = dy.scalar / Real(rows)
      let dz =
        !zNeeds
        ? nil
        : Tensor.read(logP, t) { logP, t in
          Tensor([rows, classes]) { dz in
            forEachRow(rows, width: classes) { row in
              let (logP, t, dz) = (logP + row &* classes, t + row &* classes, dz + row &* classes)
              let mass = rowSum(classes) { load(t + $0, $1) }
              @inline(always)
              func gradient(_ index: Int, _ present: Int) {
                let p = Transcendental.expOfNegative(load(logP + index, present))
                store((p * mass - load(t + index, present)) * scale, dz + index, present)
              }
              forEachLanes(classes, gradient)
            }
          }
        }
      return [dz, tNeeds ? logP.mapLanes { $0 * -scale } : nil]
    }
  }
}
