extension Variable {
  /// A linear map some of whose weights are shifted (SPT (k)).
  ///
  ///     y = x W'ᵀ + b,   W' = W + scatter(d),   W'[o_k, i_k] = W[o_k, i_k] + d_k
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y W',   ∂d_k = Σ_rows ∂y[o_k] x[i_k],   ∂W = ∂yᵀ x,   ∂b = Σ_rows ∂y
  ///
  /// The value is that of `x.linear(weight.scatterAdding(shifts, at: indices))`, to the bit, but W' is never in memory:
  /// W is shifted while it is packed for the product. Where W is frozen the dense gradient is never formed, only its
  /// entries at the indices.
  ///
  /// - x: [..., in]; W: [out, in]; d: [indices.count]; b: [out] or none; y: [..., out].
  /// - Keeps W and d where x needs a gradient, and x where W or d does.
  public func linear(
    _ weight: Variable, shiftedBy shifts: Variable, at indices: SparseIndices, bias: Variable? = nil
  ) -> Variable {
    require(
      weight.shape == indices.shape && shifts.shape == [indices.count],
      "linear: expected a weight \(indices.shape) and \(indices.count) shifts, found \(weight.shape) "
        + "and \(shifts.shape)"
    )
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    let shift = (indices, shifts.value)
    let y = products.output(value, weight.value, shift: shift, bias: bias?.value)
    let (weightNeeds, shiftsNeed) = (weight.needsGradient, shifts.needsGradient)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weightNeeds || shiftsNeed ? value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .sparseLinear, y, from: [self, weight, shifts] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = keptWeight.map { products.inputGradients(dys, $0, shift: shift) }
        let dw = weightNeeds ? keptInput.map { products.weightGradients(dys, $0) } : nil
        return dys.indices.map { index in
          [
            dx?[index], dw?[index],
            shiftsNeed ? keptInput.map { products.weightGradient(dys[index], $0, at: indices) } : nil,
            biasNeedsGradient ? products.biasGradient(dys[index]) : nil,
          ]
        }
      })
  }
}

extension LinearProducts {
  /// Entries of ∂yᵀ x: Σ_rows ∂y[o_k] x[i_k].
  ///
  /// Rows are processed one after another, so that those of ∂y and x stay in the first-level cache while all entries
  /// read them. Each entry sums 64 rows in `Real`, and these sums in double precision, as all sums over rows do; rows
  /// are cut into at most sixteen pieces of whole groups of 64, by their count alone.
  func weightGradient(_ dy: Tensor, _ x: Tensor, at indices: SparseIndices) -> Tensor {
    let count = indices.count
    let groups = (rows + 63) / 64
    let groupsEach = max(1, (groups + 15) / 16)
    let pieces = (groups + groupsEach - 1) / groupsEach
    var (outs, ins) = ([Int32](), [Int32]())
    outs.reserveCapacity(count)
    ins.reserveCapacity(count)
    for position in indices.positions {
      let (out, column) = position.quotientAndRemainder(dividingBy: Int32(width))
      outs.append(out)
      ins.append(column)
    }
    var sums = [Double](repeating: 0, count: pieces * count)
    sums.withUnsafeMutableBufferPointer { sums in
      outs.withUnsafeBufferPointer { outs in
        ins.withUnsafeBufferPointer { ins in
          guard let sums = sums.baseAddress, let outs = outs.baseAddress, let ins = ins.baseAddress else { return }
          Tensor.read(dy, x) { dy, x in
            Parallel.forEach(pieces) { piece in
              let first = piece * groupsEach * 64
              addEntries(
                first..<min(first + groupsEach * 64, rows), dy, x, outs, ins, count, into: sums + piece * count)
            }
          }
        }
      }
    }
    return Tensor([count]) { d in
      for k in 0..<count { d[k] = Real((0..<pieces).reduce(0) { $0 + sums[$1 * count + k] }) }
    }
  }

  /// Adds the products of some rows to one sum per entry.
  private func addEntries(
    _ rows: Range<Int>, _ dy: UnsafePointer<Real>, _ x: UnsafePointer<Real>, _ outs: UnsafePointer<Int32>,
    _ ins: UnsafePointer<Int32>, _ count: Int, into sums: UnsafeMutablePointer<Double>
  ) {
    withScratch(count) { plain in
      var row = rows.lowerBound
      while row < rows.upperBound {
        let end = min(row &+ 64, rows.upperBound)
        plain.update(repeating: 0, count: count)
        while row < end {
          let (dy, x) = (dy + row &* out, x + row &* width)
          var k = 0
          while k < count {
            plain[k] = fma(dy[Int(outs[k])], x[Int(ins[k])], plain[k])
            k &+= 1
          }
          row &+= 1
        }
        for k in 0..<count { sums[k] += Double(plain[k]) }
      }
    }
  }
}
