import FrugalTestSupport
import Methods
import Tensor
import Testing

/// R-AMT (g), SPT (l), TaskRes (e).
@Suite(.goldenCases(.optim)) struct OptimizerGoldenTests {
  @Test(arguments: GoldenSet.optim.foundCases(op: "optimizer_trace"))
  func traceIsFollowed(_ golden: GoldenCase) throws {
    let tensors = try golden.tensors()
    let names = tensors.keys.filter { $0.hasPrefix("p0.") }.map { String($0.dropFirst(3)) }.sorted()
    var parameters = try names.map { try tensors.required("p0.\($0)") }
    #expect(!names.isEmpty)
    var optimizer = try optimizer(golden, zip(names, parameters).map { ParameterSlot($0, $1.shape) })
    let steps = try #require(golden.args["steps"].int)
    let rate = golden.args["lr"].double
    let rates = try #require(golden.args["lrs"].doubles ?? rate.map { Array(repeating: $0, count: steps) })
    try #require(steps > 0 && rates.count == steps, "expected \(steps) learning rates, found \(rates.count)")
    for step in 0..<steps {
      let gradients = try zip(names, parameters).map { name, parameter in
        try row(step, of: tensors.required("grads.\(name)", [steps] + parameter.shape.extents), parameter.shape)
      }
      optimizer.step(parameters: &parameters, gradients: gradients, learningRate: rates[step])
      for (name, parameter) in zip(names, parameters) {
        let want = try row(
          step, of: tensors.required("params.\(name)", [steps] + parameter.shape.extents), parameter.shape)
        expectClose(parameter, want, rtol: golden.rtol, atol: golden.atol, "step \(step), \(name)")
      }
    }
  }

  private func optimizer(_ golden: GoldenCase, _ slots: [ParameterSlot]) throws -> any Optimizer {
    let args = golden.args
    let decay = args["weight_decay"].double ?? 0
    switch args["kind"].string {
    case "sgd":
      let (momentum, isNesterov) = (try #require(args["momentum"].double), args["nesterov"].bool ?? false)
      try #require(decay >= 0 && (isNesterov ? momentum > 0 : momentum >= 0))
      return SGD(slots, momentum: momentum, weightDecay: decay, isNesterov: isNesterov)
    case "adam": return try Adam(golden, slots)
    case "adamw": return try Adam(golden, slots, decay: .decoupled)
    default: throw UnknownKind(name: "\(args["kind"])")
    }
  }

  private struct UnknownKind: Error { let name: String }

  /// One step of a tensor [steps, …].
  private func row(_ step: Int, of tensor: Tensor, _ shape: Shape) -> Tensor {
    Tensor(shape, Array(tensor.values[(step * shape.count)..<((step + 1) * shape.count)]))
  }

  @Test func thereAreTracesOfEachRule() {
    let kinds = GoldenSet.optim.foundCases(op: "optimizer_trace").map(\.args["kind"].string)
    #expect(Set(kinds) == ["sgd", "adam", "adamw"])
  }
}

extension Adam {
  /// The rule of a golden case, with its β₁, β₂, ε and weight decay.
  init(
    _ golden: GoldenCase, _ slots: [ParameterSlot], weightDecay: String = "weight_decay", decay: Decay = .coupled
  ) throws {
    let betas = try #require(golden.args["betas"].doubles)
    let (weightDecay, epsilon) = (
      try #require(golden.args[weightDecay].double), try #require(golden.args["eps"].double)
    )
    try #require(betas.count == 2 && betas.allSatisfy { 0..<1 ~= $0 } && weightDecay >= 0 && epsilon >= 0)
    self.init(
      slots, weightDecay: weightDecay, decay: decay, beta1: betas[0], beta2: betas[1], epsilon: epsilon)
  }
}

/// The update of R-AMT from its recorded gradients: its rule in plain numbers, then Adam.
@Suite(.goldenCases(.ramt)) struct MaskTraceTests {
  @Test(arguments: GoldenSet.ramt.foundCases(op: "ramt_trace"))
  func adamMovesMasksAsRecorded(_ golden: GoldenCase) throws {
    let tensors = try golden.tensors()
    let names = try #require(golden.args["masked_order"].strings)
    let rate = try #require(golden.args["lr"].double)
    let start = Real(try #require(golden.args["mask_init"].double))
    var masks = try names.map { name in
      try tensors["s0.mask_real.\(name)"]
        ?? Tensor(tensors.required("s1.mask_real.\(name)").shape, repeating: start)
    }
    var optimizer = try Adam(golden, zip(names, masks).map { ParameterSlot($0, $1.shape) })
    let steps = try #require(golden.args["steps"].int)
    try #require(steps > 0)
    let tolerance = try MaskTolerance(golden)
    for step in 1...steps {
      let gradients = try zip(names, masks).map { name, mask in
        Tensor(
          mask.shape,
          try gradient(
            mask.values.map { Double($0) }, golden,
            ce: tensors.required("s\(step).g_ce.\(name)", mask.shape.extents),
            kl: tensors["s\(step).g_kl.\(name)"], uniform: tensors["s\(step).U.\(name)"]))
      }
      optimizer.step(parameters: &masks, gradients: gradients, learningRate: rate)
      for (index, name) in names.enumerated() {
        let want = try tensors.required("s\(step).mask_real.\(name)", masks[index].shape.extents)
        expectClose(masks[index], want, rtol: tolerance.rtol, atol: tolerance.atol, "step \(step), \(name)")
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
    let epsilon = try #require(golden.args["gdr_epsilon"].double)
    try #require(b.count == a.count && u.count == a.count)
    return a.indices.map { index in
      let (a, b) = (a[index], b[index])
      let sign: Double = a > 0 ? 1 : a < 0 ? -1 : 0
      let probability = 0.5 * (1 + sign * (a + b) / (abs(a) + abs(b) + epsilon))
      return Real((1 - lambda + (probability > u[index] ? lambda : 0)) * a)
    }
  }
}

/// The tolerance of masks that are replayed from recorded gradients, which the index states in words.
struct MaskTolerance {
  let rtol: Double
  let atol: Double

  init(_ golden: GoldenCase) throws {
    // "…; mask_real replayed from the recorded g_ce, g_kl, U: rtol 0, atol 1e-7"
    let found = try #require(
      golden.args["tolerance"].string?.firstMatch(of: /mask_real replayed[^:]*: rtol ([0-9.e-]+), atol ([0-9.e-]+)/),
      "\(golden.name): no tolerance of masks")
    (rtol, atol) = (try #require(Double(found.1)), try #require(Double(found.2)))
  }
}
