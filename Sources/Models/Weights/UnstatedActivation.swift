import Formats
import Tensor

/// The activation of weights with OpenAI's names and no configuration.
///
/// OpenAI trained with QuickGELU, and its own files have three more tensors; open_clip trains with GELU unless the
/// model is named `…-quickgelu`. Weights do not show the difference.
enum UnstatedActivation {
  /// The activation, and how certain it is.
  static func of(_ weights: PretrainedWeights) -> (Activation, SettingOrigin) {
    let way = "open_clip_config.json next to it can state \"quick_gelu\""
    if weights.shape(of: "input_resolution") != nil { return (.quickGELU, .published("files of OpenAI")) }
    let label = weights.label.lowercased()
    if case .string(let name)? = weights.values["name"] {
      let isQuick = name.lowercased().contains("quickgelu")
      return (isQuick ? .quickGELU : .gelu, .assumed("a checkpoint of open_clip's training, named \"\(name)\"; \(way)"))
    }
    if label.contains("open_clip") { return (.gelu, .assumed("open_clip's own models have it; \(way)")) }
    return (.quickGELU, .assumed("OpenAI's models have it; \(way)"))
  }
}
