import Foundation
import Tensor

/// The elementary functions over 16,384 numbers; the twin is libm's `Double`, one number at a time.
func transcendentalRows() -> [Row] {
  Transcendental.Function.allCases.map { function in
    let count = 16_384
    let twin: (Double) -> Double =
      switch function {
      case .exp: { exp($0) }
      case .log: { log($0) }
      case .tanh: { tanh($0) }
      case .sigmoid: { 1 / (1 + exp(-$0)) }
      case .erf: { erf($0) }
      }
    var x = noise(count, seed: 3)
    x.write { x in for index in 0..<count { x[index] = function == .log ? abs(x[index]) + 1e-3 : 8 * x[index] } }
    var y = Tensor.zeros([count])
    let run = { Tensor.read(x) { x in y.write { y in function.map(x, into: y, count: count) } } }
    run()
    var error = 0.0
    let expected = x.values.map { twin(Double($0)) }
    for (value, expected) in zip(y.values, expected) {
      error = max(error, abs(Double(value) - expected) / Double(Real(abs(expected)).ulp))
    }
    let inputs = x.values.map { Double($0) }
    let time = seconds {
      var sum = 0.0
      for input in inputs { sum += twin(input) }
      use(Real(sum))
    }
    return Row(
      name: "\(function.rawValue) \(count)", unit: "G", work: Double(count), hasPeak: false,
      twin: (String(format: "%.2f ULP", error), Double(count) / time), threads: 1, run: run)
  }
}
