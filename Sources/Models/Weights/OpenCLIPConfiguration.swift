import Formats
import Foundation
import Tensor

/// The activation of weights with OpenAI's names, which shapes do not determine.
///
/// OpenAI trained with QuickGELU. open_clip's own models have GELU, unless `quick_gelu` is set in the `model_cfg` of
/// the `open_clip_config.json` that is published with their weights (open_clip, `build_vision_tower`).
enum OpenCLIPConfiguration {
  /// The file name.
  static let fileName = "open_clip_config.json"

  /// The activation of the model in a folder.
  ///
  /// - Throws: `ConfigurationError` if there is a configuration and it cannot be read.
  static func activation(in folder: URL) throws(ConfigurationError) -> Activation {
    let file = folder.appendingPathComponent(fileName)
    guard FileManager.default.fileExists(atPath: file.path) else { return .quickGELU }
    do {
      let bytes = try MappedFile.bytes(of: file)
      let json = try JSONDecoder().decode(Fields.self, from: Data(bytes))
      return json.model.hasQuickGELU == true ? .quickGELU : .gelu
    } catch {
      throw ConfigurationError("\(file.shown): expected a \"model_cfg\" as open_clip writes it, found \(error)")
    }
  }

  private struct Fields: Decodable {
    let model: Model
    private enum CodingKeys: String, CodingKey { case model = "model_cfg" }

    struct Model: Decodable {
      let hasQuickGELU: Bool?
      private enum CodingKeys: String, CodingKey { case hasQuickGELU = "quick_gelu" }
    }
  }
}
