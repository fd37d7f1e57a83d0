import Foundation

/// The probabilities of every row.
///
///     p_c = exp(z_c) / Σ_k exp(z_k)
///
/// The largest z of a row is subtracted first: p does not change, as exp(−max) cancels, and no exponential overflows.
///
/// - z, p: [rows, classes].
public func softmax(_ z: Matrix) -> Matrix {
  var p = Matrix(z.rows, z.columns)
  for r in 0..<z.rows {
    let largest = z.row(r).max() ?? 0
    let powers = z.row(r).map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    for c in 0..<z.columns { p[r, c] = powers[c] / sum }
  }
  return p
}

/// The gradient of softmax.
///
///     ∂z_c = p_c (∂p_c − Σ_k p_k ∂p_k)
///
/// Derivation: ∂p_k/∂z_c = p_k (1[k = c] − p_c).
///
/// - dp, p: [rows, classes], p being the result of `softmax`; result: [rows, classes].
public func softmaxBackward(_ dp: Matrix, p: Matrix) -> Matrix {
  var dz = Matrix(p.rows, p.columns)
  for r in 0..<p.rows {
    let mean = zip(p.row(r), dp.row(r)).reduce(0) { $0 + $1.0 * $1.1 }
    for c in 0..<p.columns { dz[r, c] = p[r, c] * (dp[r, c] - mean) }
  }
  return dz
}

/// The logarithms of the probabilities of every row, accurate also where a probability is too small for `Double`.
///
///     log p_c = z_c − log Σ_k exp(z_k)
///
/// - z, log p: [rows, classes].
public func logSoftmax(_ z: Matrix) -> Matrix {
  var logP = Matrix(z.rows, z.columns)
  for r in 0..<z.rows {
    let largest = z.row(r).max() ?? 0
    let logSum = largest + log(z.row(r).reduce(0) { $0 + exp($1 - largest) })
    for c in 0..<z.columns { logP[r, c] = z[r, c] - logSum }
  }
  return logP
}

/// The gradient of the logarithm of softmax.
///
///     ∂z_c = ∂(log p)_c − p_c Σ_k ∂(log p)_k
///
/// - dLogP, logP: [rows, classes], logP being the result of `logSoftmax`; result: [rows, classes].
public func logSoftmaxBackward(_ dLogP: Matrix, logP: Matrix) -> Matrix {
  var dz = Matrix(logP.rows, logP.columns)
  for r in 0..<logP.rows {
    let sum = dLogP.row(r).reduce(0, +)
    for c in 0..<logP.columns { dz[r, c] = dLogP[r, c] - exp(logP[r, c]) * sum }
  }
  return dz
}
