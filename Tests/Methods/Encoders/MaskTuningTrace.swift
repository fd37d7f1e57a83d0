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

  init(_ golden: GoldenCase) throws {
    (self.golden, file) = (golden, try golden.file())
    tensors = try golden.tensors()
    let args = golden.args
    let stem = try #require(args["weights"].string).replacing(".safetensors", with: "")
    let weights = Fixtures.golden("ramt", stem)
    let size = weights.args
    let isResNet = args["encoder"].string == "rn"
    var source = MemorySource(tensors: try weights.tensors())
    let textFeatures = try #require(source.tensors["text_features"])
    source.tensors["text_features"] = nil
    let embedding = try #require(size["output_dim"].int)
    source.tensors.merge(TextTower.tensors(embedding: embedding)) { $1 }
    let configuration = CLIPConfiguration(
      vision: isResNet ? .resNet(try Self.resNet(size)) : .visionTransformer(try Self.transformer(size)),
      text: TextTower.configuration, embedding: embedding)
    let model = try CLIP(configuration, from: source, layout: isResNet ? .openAIResNetCLIP : .openAICLIP)
    let masksMLP: Bool = try #require(args["mask_mlp"].bool as Bool?)
    let sites: MaskSites = masksMLP ? .all : .attention
    // Null where there is no gradient dropout.
    let lambda = args["gdr_lambda"].double
    tuning = MaskTuning(
      groups: sites.groups(of: model.vision, .official),
      dropout: lambda.map { GradientDropout(lambda: Real($0)) },
      normWeight: Real(try #require(args["loss_weight"].double)))
    method = Method(
      encoder: tuning, head: ZeroShot(textFeatures: textFeatures, logitScale: model.logitScale), tower: model.vision)
  }

  private static func transformer(_ size: JSONValue) throws -> VisionConfiguration {
    let width = try #require(size["width"].int)
    return VisionConfiguration(
      transformer: TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: try #require(size["layers"].int),
        heads: try #require(size["heads"].int), activation: .quickGELU, epsilon: 1e-5),
      imageSize: try #require(size["input_resolution"].int), patchSize: try #require(size["patch_size"].int))
  }

  private static func resNet(_ size: JSONValue) throws -> ResNetConfiguration {
    ResNetConfiguration(
      stages: try #require(size["layers"].array).compactMap(\.int), width: try #require(size["width"].int),
      heads: try #require(size["heads"].int), imageSize: try #require(size["input_resolution"].int))
  }

  var steps: Int { golden.args["steps"].int ?? 0 }
  var rate: Double { golden.args["lr"].double ?? .nan }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(golden.name): no \(name)") }
  func scalar(_ name: String) throws -> Double { Double(try tensor(name).scalar) }
  func labels(_ step: Int) throws -> [Int32] { try file.integers("s\(step).labels").map { Int32($0) } }

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
      return form.canonical(try tensor("\(prefix).\(name)"), parameter.value.shape)
    }
  }

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
