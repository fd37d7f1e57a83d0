import FrugalTestSupport
import Tensor
import Testing

/// Every golden case of single operations: values, and the gradient of Σ y dy, or of y where it is a scalar.
///
/// R-AMT (f) and (k), TaskRes (d).
@Suite(.goldenCases(.ops)) struct OperationGoldenTests {
  /// What golden cases have that no method here needs, each with how a case shows it.
  private static let unsupported: [(feature: String, isIn: @Sendable (GoldenCase) -> Bool)] = [
    ("label smoothing", { ($0.args["label_smoothing"].double ?? 0) != 0 }),
    ("labels that are distributions", { $0.op == "cross_entropy_soft" }),
    ("temperature of a teacher", { ($0.args["T"].double ?? 1) != 1 }),
    ("share of a teacher", { ($0.args["alpha"].double ?? 1) != 1 }),
  ]

  private static let supported = GoldenSet.ops.foundCases().filter { golden in !unsupported.contains { $0.isIn(golden) }
  }

  @Test(arguments: supported) func valueAndGradientsAgree(_ golden: GoldenCase) throws {
    let item = OperationCase(golden)
    try item.requireShapes()
    let tensors = try item.tensors
    let tape = Tape()
    let inputs = tensors.keys.filter { !$0.hasPrefix("d_") && $0 != "y" && $0 != "dy" }.sorted()
    var variables: [String: Variable] = [:]
    for name in inputs {
      let value = try #require(tensors[name])
      variables[name] = tensors["d_\(name)"] == nil ? Variable(value) : tape.leaf(value)
    }
    let y = try item.output(variables)
    expectClose(y.value, try #require(tensors["y"]), rtol: golden.rtol, atol: golden.atol, "y")

    let leaves = inputs.filter { tensors["d_\($0)"] != nil }
    #expect(leaves.count == tensors.keys.count { $0.hasPrefix("d_") }, "every gradient has its input")
    let dy = try tensors["dy"].map { _ in try tensors.required("dy", y.shape.extents) }
    try #require(dy != nil || y.value.count == 1, "y: expected one number or its gradient dy")
    let loss = dy.map { y.dot(Variable($0)) } ?? y
    let gradients = tape.gradients(of: loss, for: leaves.compactMap { variables[$0] })
    for (name, gradient) in zip(leaves, gradients) {
      expectClose(gradient, try #require(tensors["d_\(name)"]), rtol: golden.rtol, atol: golden.atol, "d_\(name)")
    }
  }

  @Test func thereIsACaseOfEachOperation() {
    #expect(Set(GoldenSet.ops.foundCases().map(\.op)) == OperationCase.operations)
  }
}

/// How a golden case is put in terms of our operations.
private struct OperationCase {
  let golden: GoldenCase

  init(_ golden: GoldenCase) { self.golden = golden }

  static let operations: Set<String> = [
    "linear", "layernorm", "gelu_erf", "gelu_tanh", "quickgelu", "relu", "softmax", "log_softmax",
    "scaled_dot_product_attention", "multi_head_attention", "clip_attention_pool", "conv2d", "batchnorm_eval",
    "avgpool2d", "embedding", "cross_entropy", "cross_entropy_soft", "distillation", "cosine_logits", "l2_normalize",
    "l2_norm_of_parameter",
  ]

  /// The shapes of the inputs, by the arguments of the index and by the first input; `nil` stands for any extent.
  ///
  /// Operations trap on others, which would end the run of all tests.
  func requireShapes() throws {
    let tensors = try golden.tensors()
    func extents(_ name: String, _ rank: Int? = nil) throws -> [Int] {
      try tensors.required(name, rank.map { Array(repeating: nil, count: $0) }).shape.extents
    }
    func count(_ name: String) throws -> Int { try #require(golden.args[name].int, "\(name)") }
    func require(_ names: String..., shape: Int?...) throws {
      for name in names { _ = try tensors.required(name, shape) }
    }
    func requireHeads(of width: Int) throws {
      let heads = try count("heads")
      try #require(heads > 0 && width % heads == 0, "expected heads that divide \(width), found \(heads)")
    }

    switch golden.op {
    case "linear":
      let (x, rows, columns) = (try extents("x"), try count("out"), try count("in"))
      try #require(x.last == columns, "x: expected \(columns) columns, found \(x)")
      try require("weight", shape: rows, columns)
      if tensors["bias"] != nil { try require("bias", shape: rows) }
    case "layernorm":
      let width = try count("dim")
      try #require(try extents("x").last == width, "x: expected width \(width)")
      try require("weight", "bias", shape: width)
    case "scaled_dot_product_attention":
      let (batch, heads, width) = (try count("batch"), try count("heads"), try count("head_dim"))
      try require("q", shape: batch, heads, try count("q_tokens"), width)
      try require("k", "v", shape: batch, heads, try count("k_tokens"), width)
    case "multi_head_attention":
      let width = try count("dim")
      try require("x", shape: try count("batch"), try count("tokens"), width)
      try require("in_proj_weight", shape: 3 * width, width)
      try require("in_proj_bias", shape: 3 * width)
      try require("out_proj_weight", shape: width, width)
      try require("out_proj_bias", shape: width)
      try requireHeads(of: width)
    case "clip_attention_pool":
      let (width, side) = (try extents("x", 4)[1], try count("spatial"))
      try require("x", shape: nil, width, side, side)
      try require("positional_embedding", shape: side * side + 1, width)
      try require("q_weight", "k_weight", "v_weight", shape: width, width)
      try require("q_bias", "k_bias", "v_bias", shape: width)
      try require("c_weight", shape: nil, width)
      try require("c_bias", shape: try extents("c_weight")[0])
      try requireHeads(of: width)
    case "conv2d":
      let (x, groups, kernel) = (try extents("x", 4), try count("groups"), try count("kernel"))
      let (channels, padding, stride) = (try extents("weight", 4)[0], try count("padding"), try count("stride"))
      try #require(groups > 0 && x[1] % groups == 0 && channels % groups == 0, "groups: found \(groups)")
      try #require(stride > 0 && padding >= 0 && kernel > 0 && x.suffix(2).allSatisfy { $0 + 2 * padding >= kernel })
      try require("weight", shape: channels, x[1] / groups, kernel, kernel)
      if tensors["bias"] != nil { try require("bias", shape: channels) }
    case "batchnorm_eval":
      try require("weight", "bias", "running_mean", "running_var", shape: try extents("x", 4)[1])
    case "avgpool2d":
      let (x, kernel) = (try extents("x", 4), try count("kernel"))
      try #require(kernel > 0 && x.suffix(2).allSatisfy { $0 >= kernel }, "kernel: found \(kernel) for \(x)")
    case "embedding": try require("weight", shape: try count("vocab"), try count("dim"))
    case "cross_entropy": try require("labels", shape: try extents("logits", 2)[0])
    case "cross_entropy_soft": _ = try tensors.required("targets", try extents("logits", 2))
    case "distillation": _ = try tensors.required("teacher", try extents("student", 2))
    case "cosine_logits":
      try require("text_features", shape: nil, try extents("image_features", 2)[1])
      try #require(try extents("logit_scale").isEmpty, "logit_scale: expected one number")
    default: break
    }
  }

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
      let ids = try golden.integers("ids", below: count("vocab"))
      return try input("weight").embedding(ids, shape: input("ids").shape)
    case "cross_entropy":
      let labels = try golden.integers("labels", below: input("logits").shape[1])
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
