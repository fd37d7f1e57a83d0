import Formats
import Foundation
import Methods
import Models
import Tensor

extension InspectCommand {
  /// An image classifier, in a folder or a file; `nil` if the weights are not a classifier's.
  static func inspect(
    classifier path: String, _ hints: BackboneHints, _ images: ImageRequest
  ) throws -> Report? {
    let url = URL(fileURLWithPath: path)
    let weights: PretrainedWeights
    do { weights = try PretrainedWeights(contentsOf: url) } catch {
      // The error is about a classifier; a CLIP or a delta has others.
      if Pretrained.statesClassifier(url) { throw error }
      return nil
    }
    // The tensors of an unknown file are listed; a folder of an unknown model is refused by the model's name.
    let isClassifier =
      url.hasDirectoryPath
      ? !Pretrained.isCLIP(url) : ImageBackbone.recognises(weights) && !CLIPDirectory.isUnsupported(weights)
    guard isClassifier else { return nil }
    let model = try PretrainedClassifier(contentsOf: url, hints: hints, images)
    let backbone = model.backbone
    try Pretrained.refuse(hints, for: backbone.configuration)
    let isConfigured = FileManager.default.fileExists(atPath: url.appendingPathComponent("config.json").path)
    let sizes = isConfigured ? "sizes from tensor shapes and config.json" : "no config.json: sizes from tensor shapes"
    return Report(
      kind: "\(backbone.configuration.architecture), \(weights.format)",
      path: path,
      sha256: Dictionary(weights.files.map { (lastComponent($0.file), $0.sha256.description) }) { first, _ in first },
      bytes: weights.files.reduce(0) { $0 + $1.byteCount }, types: types(of: weights.files),
      parameters: [
        "tower": backbone.tower.parameters.reduce(0) { $0 + $1.value.count },
        "head": backbone.trained?.head.parameters.reduce(0) { $0 + $1.value.count } ?? 0,
        "all": backbone.parameters.reduce(0) { $0 + $1.value.count },
      ],
      settings: [
        "vision": tower(backbone.configuration), "layout": "names of \(backbone.layout.name); \(sizes)",
        "head": backbone.trained.map(head) ?? "none",
      ], origins: lines(model.origins), warnings: withFlags(model.warnings), tensors: tensors(of: weights.files))
  }

  /// The classes of a head, and what it reads if not the features.
  private static func head(_ trained: TrainedHead) -> String {
    "\(trained.head.weight.value.shape[0]) classes" + (trained.reads.map { ", of \($0)" } ?? "")
  }

  /// The sizes of an image tower.
  static func tower(_ configuration: ImageConfiguration) -> String {
    func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
    switch configuration {
    case .visionTransformer(let size):
      let sizes = "images of \(size.imageSize), patches of \(size.patchSize), \(blocks(size.transformer))"
      if size.form == .clip { return sizes }
      let tokens = [
        size.form.hasDistillationToken ? "distillation token" : nil,
        size.form.registers == 0 ? nil : "\(size.form.registers) registers",
        size.form.positions == .all ? nil : size.form.positions.words,
        size.form.rotary.map { "rotary positions, \($0.words)" },
        size.form.hasPreNorm ? "norm before the blocks" : nil,
      ]
      let parts = tokens.compactMap(\.self) + size.transformer.form.words + [size.form.pooling.words]
      return "\(sizes), \(parts.joined(separator: ", "))"
    case .swin(let size):
      return "images of \(size.imageSize), patches of \(size.patchSize), stages of \(list(size.blocks)) blocks, "
        + "width \(size.width), \(list(size.heads)) heads, windows of \(size.windowWords), "
        + "\(size.activation.rawValue), layer norm ε \(size.epsilon)"
    case .convNeXt(let size):
      return "images of \(size.imageSize), patches of \(size.patchSize), stages of \(list(size.blocks)) blocks, "
        + "widths \(list(size.widths)), kernels of \(size.kernelSize), \(size.activation.rawValue), "
        + "layer norm ε \(size.epsilon), of the last \(size.finalEpsilon)"
    case .resNet(let size):
      return "images of \(size.imageSize), ResNet of \(list(size.stages)) bottlenecks, "
        + "width \(size.width), attention pool of \(size.heads) heads"
    }
  }
}
