/// The tensors of maps and norms whose outputs are scaled and shifted (SSF (a), (c); Lian et al. 2022, eq. 5).
///
///     γ ⊙ (W x + b) + β = (γ ⊙ W) x + (γ ⊙ b + β)
///
/// - weights: a map is NAME, [out, ...], and NAME.bias; a norm is NAME.scale and NAME.shift, [1, out].
/// - tuned: γ and β, [1, out], are NAME.factor and NAME.offset of a map, NAME.scale.factor and NAME.scale.offset of a
///   norm. Result: `weights` with the changed ones in place.
public func scaledAndShifted(_ weights: Parameters, by tuned: Parameters) -> Parameters {
  var changed = weights
  for (name, factors) in tuned where name.hasSuffix(factorSuffix) {
    let site = String(name.dropLast(factorSuffix.count))
    let weight = weights.required(site)
    changed[site] = weight.zip(perChannel(factors, of: weight)) { $0 * $1 }
    guard let offsets = tuned[site + offsetSuffix] else { continue }
    changed[biasName(site)] = weights.required(biasName(site)).zip(factors) { $0 * $1 } + offsets
  }
  return changed
}

/// The gradients of factors and offsets (SSF (c)).
///
///     ∂γ_o = Σ_i ∂W'[o, i] W[o, i] + ∂b'_o b_o,   ∂β = ∂b',   W' = γ ⊙ W, b' = γ ⊙ b + β
///
/// - dChanged: the gradients of the result of `scaledAndShifted`; weights and tuned: its arguments.
public func scaledAndShiftedBackward(_ dChanged: Parameters, _ weights: Parameters, by tuned: Parameters) -> Parameters
{
  var gradients: Parameters = [:]
  for (name, factors) in tuned where name.hasSuffix(factorSuffix) {
    let site = String(name.dropLast(factorSuffix.count))
    let products = dChanged.required(site).zip(weights.required(site)) { $0 * $1 }
    let width = products.count / factors.count
    var dFactors = Matrix(1, factors.count)
    for (index, product) in products.values.enumerated() { dFactors[0, index / width] += product }
    if tuned[site + offsetSuffix] != nil {
      let dBias = dChanged.required(biasName(site))
      dFactors = dFactors + dBias.zip(weights.required(biasName(site))) { $0 * $1 }
      gradients[site + offsetSuffix] = dBias
    }
    gradients[name] = dFactors
  }
  return gradients
}

private let (factorSuffix, offsetSuffix) = (".factor", ".offset")

/// The bias of a map, or the shift of a norm.
private func biasName(_ site: String) -> String {
  site.hasSuffix(".scale") ? site.dropLast("scale".count) + "shift" : site + ".bias"
}

/// Each factor at all weights of its channel.
private func perChannel(_ factors: Matrix, of weight: Matrix) -> Matrix {
  let width = weight.count / factors.count
  return Matrix(weight.rows, weight.columns, weight.values.indices.map { factors.values[$0 / width] })
}
