import Foundation
import Tensor

/// The elementary functions over 16,384 values; the twin is libm's `Double`, one value at a time.
var transcendentalItems: [Item] {
  Transcendental.Function.allCases.map { function in Item(function.rawValue) { elementary(function) } }
}

private func elementary(_ function: Transcendental.Function) -> Work {
  let count = 16_384
  let twin: (Double) -> Double =
    switch function {
    case .exp: { exp($0) }
    case .log: { log($0) }
    case .tanh: { tanh($0) }
    case .sigmoid: { 1 / (1 + exp(-$0)) }
    }
  var x = noise([count], seed: 3)
  x.write { x in for index in 0..<count { x[index] = function == .log ? abs(x[index]) + 1e-3 : 8 * x[index] } }
  let (input, result) = (x, Buffer(Tensor.zeros([count])))
  func run() { Tensor.read(input) { x in result.tensor.write { y in function.map(x, into: y, count: count) } } }
  return Work(
    shape: "\(count)", amount: .giganumbers(1e-9 * Double(count)),
    twin: {
      run()
      let inputs = input.values.map { Double($0) }
      var expected = [Double](repeating: 0, count: count)
      let time = seconds { for index in 0..<count { expected[index] = twin(inputs[index]) } }
      let error = zip(result.tensor.values, expected).reduce(0) {
        max($0, abs(Double($1.0) - $1.1) / Double(Real(abs($1.1)).ulp))
      }
      return Work.Twin(error: error, unit: .ulp, speed: 1e-9 * Double(count) / time)
    }, run: run)
}
