import Formats
import Tensor

/// The family of names of a CLIP's tensors, and the prefix that all of them have in a wrapper: `module.`, `_orig_mod.`,
/// `model.`, `clip_model.`, …
struct CLIPNames: Equatable {
  /// A family of names.
  enum Family: Equatable, CaseIterable {
    case openAI, huggingFace

    /// A tensor of the image tower of every model, and the alternatives for one of the text tower.
    fileprivate var marks: (vision: String, text: [String]) {
      switch self {
      case .openAI: ("visual.conv1.weight", ["token_embedding.weight", "text.token_embedding.weight"])
      case .huggingFace:
        ("vision_model.embeddings.patch_embedding.weight", ["text_model.embeddings.token_embedding.weight"])
      }
    }
  }

  let family: Family
  let prefix: String

  /// The names of a checkpoint; `nil` if it is no CLIP.
  ///
  /// - Throws: `ConfigurationError` if it holds several under different prefixes.
  static func of(_ source: any TensorSource) throws(ConfigurationError) -> CLIPNames? {
    let names = source.names
    var found: [CLIPNames] = []
    for family in Family.allCases {
      let (vision, text) = family.marks
      for name in names where name == vision || name.hasSuffix(".\(vision)") {
        let prefix = String(name.dropLast(vision.count))
        if text.contains(where: { source.shape(of: prefix + $0) != nil }) {
          found.append(CLIPNames(family: family, prefix: prefix))
        }
      }
    }
    if found.count > 1 {
      let prefixes = found.map { "\"\($0.prefix)\"" }.joined(separator: ", ")
      throw ConfigurationError(
        "\(source.label): expected the tensors of one CLIP, found \(found.count), with the prefixes \(prefixes)")
    }
    if let one = found.first { return one }
    // One that lacks a tensor is a broken CLIP, and the reader names what is missing.
    return Family.allCases.first { family in
      names.contains { $0 == family.marks.vision } || family.marks.text.contains(where: names.contains)
    }.map { CLIPNames(family: $0, prefix: "") }
  }

  /// The checkpoint without the prefix.
  func stripped(_ source: any TensorSource) -> any TensorSource {
    prefix.isEmpty ? source : StrippedSource(source, prefixes: [prefix])
  }
}
