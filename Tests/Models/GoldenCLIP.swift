import FrugalTestSupport
import Models
import Tensor
import Testing

/// What a golden case feeds a CLIP: pictures, rows of token ids and labels, of the sizes that the model reads.
struct GoldenCLIPInputs {
  let images: Variable
  /// Token ids, one row per text.
  let ids: [[Int32]]
  /// The index of the token, in each row, whose feature is that of the text.
  let ends: [Int]
  /// The text of each picture.
  let labels: [Int32]

  /// - endOfText: the id whose first occurrence ends a text; `nil` for the largest, as the published code has it.
  init(_ item: GoldenCase, for configuration: CLIPConfiguration, endOfText: Int32? = nil) throws {
    let (tensors, context) = (try item.tensors(), configuration.text.contextLength)
    let size = configuration.vision.imageSize
    let images = try tensors.required("images", [nil, 3, size, size])
    self.images = Variable(images)
    let count = try tensors.required("input_ids", [nil, context]).shape[0]
    let flat = try item.integers("input_ids", below: configuration.text.vocabulary)
    let ids = (0..<count).map { Array(flat[$0 * context..<($0 + 1) * context]) }
    (self.ids, ends) = (
      ids,
      try ids.map { row in
        try #require(row.firstIndex(of: endOfText ?? row.max() ?? 0), "input_ids: a row without its end")
      }
    )
    _ = try tensors.required("labels", [images.shape[0]])
    labels = try item.integers("labels", below: count)
  }
}

extension CLIPConfiguration {
  /// The sizes that the index states for a model in OpenAI's names, whose heads are all `head_width` wide.
  init(openAI args: JSONValue) throws {
    let (vision, text) = (args["vision"], args["text"])
    let headWidth = try #require(vision["head_width"].int)
    let (width, size) = (try #require(vision["width"].int), try #require(vision["image_size"].int))
    try #require(headWidth > 0)
    let image: ImageConfiguration
    if let blocks = vision["layers"].int {
      let patch = try #require(vision["patch_size"].int)
      try #require(width % headWidth == 0 && patch > 0 && size >= patch)
      image = .visionTransformer(
        VisionConfiguration(
          transformer: .openAI(width: width, blocks: blocks, heads: width / headWidth), imageSize: size,
          patchSize: patch))
    } else {
      let (stages, channels) = (try #require(vision["layers"].ints), 32 * width)
      try #require(stages.count == 4 && stages.allSatisfy { $0 > 0 } && width > 0 && width % 2 == 0)
      try #require(channels % headWidth == 0 && size > 0 && size % 32 == 0)
      image = .resNet(
        ResNetConfiguration(stages: stages, width: width, heads: channels / headWidth, imageSize: size))
    }
    let tower = TransformerConfiguration.openAI(
      width: try #require(text["width"].int), blocks: try #require(text["layers"].int),
      heads: try #require(text["heads"].int))
    self.init(
      vision: image,
      text: TextConfiguration(
        transformer: tower, vocabulary: try #require(text["vocab_size"].int),
        contextLength: try #require(text["context_length"].int)), embedding: try #require(args["embed"].int))
  }
}

extension TransformerConfiguration {
  fileprivate static func openAI(width: Int, blocks: Int, heads: Int) -> TransformerConfiguration {
    TransformerConfiguration(
      width: width, hiddenWidth: 4 * width, blocks: blocks, heads: heads, activation: .quickGELU, epsilon: 1e-5)
  }
}
