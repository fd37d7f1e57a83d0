import FrugalTestSupport
import Tensor
import Testing

/// Every golden case of single operations: values, and the gradient of Σ y dy, or of y where it is a scalar.
@Suite(.enabled(if: Fixtures.has("ops"), "golden files of ops are absent: set FRUGAL_FIXTURES"))
struct OperationGoldenTests {
  /// What golden cases have that no method here needs, each with how a case shows it.
  private static let unsupported: [(feature: String, isIn: @Sendable (GoldenCase) -> Bool)] = [
    ("label smoothing", { ($0.args["label_smoothing"].double ?? 0) != 0 }),
    ("labels that are distributions", { $0.op == "cross_entropy_soft" }),
    ("temperature of a teacher", { ($0.args["T"].double ?? 1) != 1 }),
    ("share of a teacher", { ($0.args["alpha"].double ?? 1) != 1 }),
  ]

  private static let supported = Fixtures.cases("ops").filter { golden in !unsupported.contains { $0.isIn(golden) } }

  @Test(arguments: supported) func valueAndGradientsAgree(_ golden: GoldenCase) throws {
    let tensors = try OperationCase(golden).tensors
    let tape = Tape()
    let inputs = tensors.keys.filter { !$0.hasPrefix("d_") && $0 != "y" && $0 != "dy" }.sorted()
    var variables: [String: Variable] = [:]
    for name in inputs {
      let value = try #require(tensors[name])
      variables[name] = tensors["d_\(name)"] == nil ? Variable(value) : tape.leaf(value)
    }
    let y = try OperationCase(golden).output(variables)
    expectClose(y.value, try #require(tensors["y"]), rtol: golden.rtol, atol: golden.atol, "y")

    let leaves = inputs.filter { tensors["d_\($0)"] != nil }
    #expect(leaves.count == tensors.keys.count { $0.hasPrefix("d_") }, "every gradient has its input")
    let loss = tensors["dy"].map { y.dot(Variable($0)) } ?? y
    let gradients = tape.gradients(of: loss, for: leaves.compactMap { variables[$0] })
    for (name, gradient) in zip(leaves, gradients) {
      expectClose(gradient, try #require(tensors["d_\(name)"]), rtol: golden.rtol, atol: golden.atol, "d_\(name)")
    }
  }

  @Test func theIndexHasTheCasesThisWasWrittenFor() { #expect(Fixtures.cases("ops").count == 95) }
}

/// How a golden case is put in terms of our operations.
private struct OperationCase {
  let golden: GoldenCase

  init(_ golden: GoldenCase) { self.golden = golden }

  /// The tensors of the file, in our layout.
  var tensors: [String: Tensor] {
    get throws {
      var tensors = try golden.tensors()
      switch golden.op {
      case "scaled_dot_product_attention": tensors = tensors.mapValues(headsInsideTokens)
      case "multi_head_attention":
        for prefix in ["", "d_"] {
          for kind in ["weight", "bias"] {
            let removed = tensors.removeValue(forKey: "\(prefix)in_proj_\(kind)")
            let stacked = try #require(removed)
            for (name, part) in zip(["q", "k", "v"], thirds(stacked)) { tensors["\(prefix)\(name)_\(kind)"] = part }
          }
        }
      // The teacher is fixed.
      case "distillation": tensors["d_teacher"] = nil
      default: break
      }
      return tensors
    }
  }

  func output(_ inputs: [String: Variable]) throws -> Variable {
    func input(_ name: String) throws -> Variable { try #require(inputs[name], "\(name)") }
    func argument(_ name: String) throws -> Real { Real(try #require(golden.args[name].double, "\(name)")) }
    func count(_ name: String) throws -> Int { try #require(golden.args[name].int, "\(name)") }
    func projected(_ x: Variable, _ name: String) throws -> Variable {
      x.linear(try input("\(name)_weight"), bias: try input("\(name)_bias"))
    }

    switch golden.op {
    case "linear": return try input("x").linear(input("weight"), bias: inputs["bias"])
    case "layernorm":
      return try input("x").layerNorm(gamma: input("weight"), beta: input("bias"), epsilon: argument("eps"))
    case "gelu_erf": return try input("x").gelu()
    case "gelu_tanh": return try input("x").geluTanh()
    case "quickgelu": return try input("x").quickGELU()
    case "relu": return try input("x").relu()
    case "softmax": return try input("x").softmax()
    case "log_softmax": return try input("x").logSoftmax()
    case "scaled_dot_product_attention":
      return try input("q").attention(keys: input("k"), values: input("v"), heads: count("heads"))
    case "multi_head_attention":
      let x = try input("x")
      let attended = try projected(x, "q").attention(
        keys: projected(x, "k"), values: projected(x, "v"), heads: count("heads"),
        isCausal: golden.args["causal"] == .bool(true))
      return try projected(attended, "out_proj")
    case "clip_attention_pool":
      let tokens = try input("x").spatialTokens().adding(input("positional_embedding"))
      let (batch, width) = (tokens.shape[0], tokens.shape[2])
      let mean = tokens.selectingToken(Array(repeating: 0, count: batch)).reshaped(to: [batch, 1, width])
      let attended = try projected(mean, "q").attention(
        keys: projected(tokens, "k"), values: projected(tokens, "v"), heads: count("heads"))
      return try projected(attended.reshaped(to: [batch, width]), "c")
    case "conv2d":
      return try input("x").convolution(
        input("weight"), bias: inputs["bias"], stride: count("stride"), padding: count("padding"),
        groups: count("groups"))
    case "batchnorm_eval":
      return try input("x").batchNorm(
        gamma: input("weight"), beta: input("bias"), mean: input("running_mean").value,
        variance: input("running_var").value, epsilon: argument("eps"))
    case "avgpool2d":
      #expect(golden.args["kernel"] == golden.args["stride"])
      return try input("x").averagePooled(by: count("kernel"))
    case "embedding":
      let ids = try golden.file().integers("ids").map { Int32($0) }
      return try input("weight").embedding(ids, shape: input("ids").shape)
    case "cross_entropy":
      let labels = try golden.file().integers("labels").map { Int32($0) }
      return try input("logits").crossEntropy(labels: labels)
    case "distillation": return try input("student").distillation(teacher: input("teacher").value)
    case "cosine_logits":
      let unit = try input("text_features").l2Normalized()
      return try input("image_features").l2Normalized().linear(unit).scaled(byExponentialOf: input("logit_scale"))
    case "l2_normalize": return try input("x").l2Normalized()
    case "l2_norm_of_parameter": return Variable.l2Norm([try input("param")])
    default: throw UnknownOperation(name: golden.op)
    }
  }

  struct UnknownOperation: Error { let name: String }
}

/// [batch, heads, tokens, headWidth] → [batch, tokens, heads · headWidth].
private func headsInsideTokens(_ x: Tensor) -> Tensor {
  let (batch, heads, tokens, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let values = x.values
  var result = [Real](repeating: 0, count: values.count)
  for b in 0..<batch {
    for h in 0..<heads {
      for t in 0..<tokens {
        for c in 0..<width {
          result[((b * tokens + t) * heads + h) * width + c] = values[((b * heads + h) * tokens + t) * width + c]
        }
      }
    }
  }
  return Tensor([batch, tokens, heads * width], result)
}

/// A tensor cut into three along its first dimension.
private func thirds(_ x: Tensor) -> [Tensor] {
  let shape = Shape([x.shape[0] / 3] + x.shape.extents.dropFirst())
  let values = x.values
  return (0..<3).map { Tensor(shape, Array(values[($0 * shape.count)..<(($0 + 1) * shape.count)])) }
}
