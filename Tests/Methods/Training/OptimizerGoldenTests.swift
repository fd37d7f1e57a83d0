import FrugalTestSupport
import Methods
import Tensor
import Testing

@Suite(.enabled(if: Fixtures.has("optim"), "golden files of optim are absent: set FRUGAL_FIXTURES"))
struct OptimizerGoldenTests {
  @Test(arguments: Fixtures.cases("optim", op: "optimizer_trace")) func traceIsFollowed(_ golden: GoldenCase) throws {
    let tensors = try golden.tensors()
    let names = tensors.keys.filter { $0.hasPrefix("p0.") }.map { String($0.dropFirst(3)) }.sorted()
    var parameters = try names.map { try #require(tensors["p0.\($0)"]) }
    var optimizer = try optimizer(golden, zip(names, parameters).map { ParameterSlot($0, $1.shape) })
    let steps = try #require(golden.args["steps"].int)
    let rate = golden.args["lr"].double
    let rates = try #require(golden.args["lrs"].doubles ?? rate.map { Array(repeating: $0, count: steps) })
    for step in 0..<steps {
      let gradients = try zip(names, parameters).map { name, parameter in
        try row(step, of: #require(tensors["grads.\(name)"]), parameter.shape)
      }
      optimizer.step(parameters: &parameters, gradients: gradients, learningRate: rates[step])
      for (name, parameter) in zip(names, parameters) {
        let want = try row(step, of: #require(tensors["params.\(name)"]), parameter.shape)
        expectClose(parameter, want, rtol: golden.rtol, atol: golden.atol, "step \(step), \(name)")
      }
    }
  }

  private func optimizer(_ golden: GoldenCase, _ slots: [ParameterSlot]) throws -> any Optimizer {
    let args = golden.args
    let decay = args["weight_decay"].double ?? 0
    switch args["kind"].string {
    case "sgd":
      return SGD(
        slots, momentum: try #require(args["momentum"].double), weightDecay: decay,
        isNesterov: args["nesterov"].bool ?? false)
    case "adam", "adamw":
      let betas = try #require(args["betas"].doubles)
      return Adam(
        slots, weightDecay: decay, decay: args["kind"].string == "adam" ? .coupled : .decoupled, beta1: betas[0],
        beta2: betas[1], epsilon: try #require(args["eps"].double))
    default: throw UnknownKind(name: "\(args["kind"])")
    }
  }

  private struct UnknownKind: Error { let name: String }

  /// One step of a tensor [steps, …].
  private func row(_ step: Int, of tensor: Tensor, _ shape: Shape) -> Tensor {
    Tensor(shape, Array(tensor.values[(step * shape.count)..<((step + 1) * shape.count)]))
  }

  @Test func thereAreAllTraces() { #expect(Fixtures.cases("optim", op: "optimizer_trace").count == 15) }
}
