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

/// The update of R-AMT from its recorded gradients: its rule in plain numbers, then Adam.
@Suite(.enabled(if: Fixtures.has("ramt"), "golden files of ramt are absent: set FRUGAL_FIXTURES"))
struct MaskTraceTests {
  @Test(arguments: Fixtures.cases("ramt", op: "ramt_trace")) func adamMovesMasksAsRecorded(_ golden: GoldenCase) throws
  {
    let tensors = try golden.tensors()
    let names = try #require(golden.args["masked_order"].strings)
    let rate = try #require(golden.args["lr"].double)
    var masks = try names.map { name in
      try tensors["s0.mask_real.\(name)"]
        ?? Tensor(try #require(tensors["s1.mask_real.\(name)"]).shape, repeating: 0.01)
    }
    var optimizer = Adam(zip(names, masks).map { ParameterSlot($0, $1.shape) })
    for step in 1...(try #require(golden.args["steps"].int)) {
      let gradients = try zip(names, masks).map { name, mask in
        Tensor(
          mask.shape,
          try gradient(
            mask.values.map { Double($0) }, golden, ce: #require(tensors["s\(step).g_ce.\(name)"]),
            kl: tensors["s\(step).g_kl.\(name)"], uniform: tensors["s\(step).U.\(name)"]))
      }
      optimizer.step(parameters: &masks, gradients: gradients, learningRate: rate)
      for (index, name) in names.enumerated() {
        let want = try #require(tensors["s\(step).mask_real.\(name)"])
        expectClose(masks[index], want, rtol: 0, atol: 1e-7, "step \(step), \(name)")
        masks[index] = want
      }
    }
  }

  private func gradient(
    _ mask: [Double], _ golden: GoldenCase, ce: Tensor, kl: Tensor?, uniform: Tensor?
  ) throws -> [Real] {
    let norm = mask.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let weight = golden.args["mask_loss"] == .bool(true) ? try #require(golden.args["loss_weight"].double) : 0
    let a = zip(mask, ce.values).map { Double($1) + weight * $0 / norm }
    guard golden.args["gdr"] == .bool(true) else { return a.map { Real($0) } }
    let (b, u) = (try #require(kl).values.map { Double($0) }, try #require(uniform).values.map { Double($0) })
    let lambda = try #require(golden.args["gdr_lambda"].double)
    return a.indices.map { index in
      let (a, b) = (a[index], b[index])
      let sign: Double = a > 0 ? 1 : a < 0 ? -1 : 0
      let probability = 0.5 * (1 + sign * (a + b) / (abs(a) + abs(b) + 1e-8))
      return Real((1 - lambda + (probability > u[index] ? lambda : 0)) * a)
    }
  }
}
