import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods
@testable import Models

/// A recorded run of the published code of R-AMT: what it read and what it wrote at every step, seen in our sites.
struct MaskTuningTrace {
  let golden: GoldenCase
  let tensors: [String: Tensor]
  let method: Method
  let tuning: MaskTuning
  let file: SafeTensorsFile
  let steps: Int
  let classes: Int

  init(_ golden: GoldenCase) throws {
    (self.golden, file) = (golden, try golden.file())
    tensors = try golden.tensors()
    let args = golden.args
    let stem = try #require(args["weights"].string).replacing(".safetensors", with: "")
    let weights = try golden.sibling(stem)
    let size = weights.args
    let isResNet = args["encoder"].string == "rn"
    var source = MemorySource(tensors: try weights.tensors())
    let embedding = try #require(size["output_dim"].int)
    let textFeatures = try source.tensors.required("text_features", [nil, embedding])
    source.tensors["text_features"] = nil
    source.tensors.merge(TextTower.tensors(embedding: embedding)) { $1 }
    let configuration = CLIPConfiguration(
      vision: isResNet ? .resNet(try Self.resNet(size)) : .visionTransformer(try Self.transformer(size)),
      text: TextTower.configuration, embedding: embedding)
    let model = try CLIP(configuration, from: source, layout: isResNet ? .openAIResNetCLIP : .openAICLIP)
    let masksMLP: Bool = try #require(args["mask_mlp"].bool as Bool?)
    let sites: MaskSites = masksMLP ? .all : .attention
    // Null where there is no gradient dropout.
    let lambda = args["gdr_lambda"].double
    try #require(lambda.map { 0...1 ~= $0 } != false)
    tuning = MaskTuning(
      groups: sites.groups(of: model.vision, .official),
      dropout: lambda.map { GradientDropout(lambda: Real($0)) },
      normWeight: Real(try #require(args["loss_weight"].double)))
    method = Method(
      encoder: tuning, head: ZeroShot(textFeatures: textFeatures, logitScale: model.logitScale), tower: model.vision)
    (steps, classes) = (try #require(args["steps"].int), textFeatures.shape[0])
    try #require(steps > 0)
    // The constants of the method, which are no settings of ours.
    #expect(args["threshold"].double.map { Real($0) } == MaskTuning.threshold)
    #expect(args["mask_init"].double.map { Real($0) } == MaskTuning.initialMask)
    #expect(args["gdr_T"].double == 1 && args["gdr_epsilon"].double == 1e-8)
    for name in tensors.keys where name.hasSuffix(".images") {
      _ = try tensors.required(name, [nil, 3, model.vision.imageSize, model.vision.imageSize])
    }
  }

  private static func transformer(_ size: JSONValue) throws -> VisionConfiguration {
    let (width, heads) = (try #require(size["width"].int), try #require(size["heads"].int))
    let (imageSize, patch) = (try #require(size["input_resolution"].int), try #require(size["patch_size"].int))
    try #require(heads > 0 && width % heads == 0 && patch > 0 && imageSize >= patch)
    return VisionConfiguration(
      transformer: TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: try #require(size["layers"].int), heads: heads,
        activation: .quickGELU, epsilon: 1e-5), imageSize: imageSize, patchSize: patch)
  }

  private static func resNet(_ size: JSONValue) throws -> ResNetConfiguration {
    let (stages, width) = (try #require(size["layers"].ints), try #require(size["width"].int))
    let (heads, imageSize) = (try #require(size["heads"].int), try #require(size["input_resolution"].int))
    try #require(stages.count == 4 && stages.allSatisfy { $0 > 0 } && width > 0 && width % 2 == 0)
    try #require(heads > 0 && 32 * width % heads == 0 && imageSize > 0 && imageSize % 32 == 0)
    return ResNetConfiguration(stages: stages, width: width, heads: heads, imageSize: imageSize)
  }

  var rate: Double { golden.args["lr"].double ?? .nan }

  func tensor(_ name: String) throws -> Tensor { try tensors.required(name) }
  func scalar(_ name: String) throws -> Double { Double(try tensors.required(name, []).scalar) }
  func labels(_ step: Int) throws -> [Int32] {
    _ = try tensors.required("s\(step).labels", [tensor("s\(step).images").shape[0]])
    return try golden.integers("s\(step).labels", below: classes)
  }

  /// The name of a masked tensor in the published code, and which part of it a site is.
  static func stored(_ site: Site) throws -> (name: String, form: WeightLayout.Form) {
    let rule = try #require(
      WeightLayout.openAICLIP.rule(for: site.name) ?? WeightLayout.openAIResNetCLIP.rule(for: site.name))
    let name = rule.name.replacing("visual.", with: "").replacing("attn.in_proj_weight", with: "attn.weight")
    return (name.replacing(".weight", with: ".mask_real"), rule.form)
  }

  /// One tensor a masked weight, in the order of our parameters: query, key and value cut out of their stack.
  func ours(_ prefix: String) throws -> [Tensor] {
    try tuning.parameters.map { parameter in
      let (name, form) = try Self.stored(parameter.site)
      let stored = form.storedShape(of: parameter.value.shape)
      return form.canonical(try tensors.required("\(prefix).\(name)", stored.extents), parameter.value.shape)
    }
  }

  /// Whether it holds what follows from its last step.
  var isWhole: Bool { tensors["eval.logits"] != nil }

  func has(_ prefix: String) -> Bool { tensors.keys.contains { $0.hasPrefix("\(prefix).") } }

  /// The real masks before a step.
  func masks(before step: Int) throws -> [Tensor] {
    let name = "s\(step - 1).mask_real"
    return try has(name) ? ours(name) : tuning.trainables.map(\.initial)
  }

  /// The gradient of the norm regulariser: its term alone, beside logits that are constant.
  func normGradient(_ masks: [Tensor]) -> [Tensor] {
    let tape = Tape()
    let leaves = masks.map { tape.leaf($0) }
    let objective = tuning.objective(
      logits: Variable(.zeros([1, 2])), teacher: nil, labels: [0], values: leaves)
    return tape.gradients(of: objective.losses[0], for: leaves)
  }

  /// Gradients at a step by our tape: the first loss, and the second where there is one.
  func gradients(_ tuning: MaskTuning, step: Int, masks: [Tensor]) throws -> [[Tensor]] {
    let tape = Tape()
    let leaves = masks.map { tape.leaf($0) }
    let logits = try studentLogits(step, leaves)
    let teacher = try studentLogits(step, nil)
    let objective = tuning.objective(
      logits: logits, teacher: tuning.needsTeacher ? teacher : nil, labels: try labels(step), values: leaves)
    return tape.gradients(of: objective.losses, for: leaves)
  }

  /// The logits of the masked encoder, or of the untouched one for no masks.
  func studentLogits(_ step: Int, _ masks: [Variable]?) throws -> Variable {
    let pass = Pass(tunings: masks.map { tuning.tunings($0) } ?? [:])
    let images = Variable(try tensor("s\(step).images"))
    return method.head.logits(method.tower(images, pass), [], pass)
  }
}
