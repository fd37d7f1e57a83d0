import Formats
import Foundation
import Tensor

/// The statements of the `config.json` of an image classifier, timm's or Hugging Face's, about what shapes do not
/// determine.
package struct StatedBackbone {
  /// The file; `nil` if there is none.
  package let keys: StatedKeys?
  /// Its statements about the network.
  package private(set) var hints = BackboneHints()
  /// True if timm wrote it.
  package private(set) var isTimm = false

  private var isUnread = false

  /// Reads the `config.json` of a directory; next to a single file nothing is known to belong to it.
  ///
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found: also for a
  ///   statement that changes the features and is not supported.
  package init(nextTo url: URL) throws(ConfigurationError) {
    var isDirectory: ObjCBool = false
    let file = url.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue,
      FileManager.default.fileExists(atPath: file.path)
    else {
      let neighbour = url.deletingLastPathComponent().appendingPathComponent("config.json").path
      isUnread = !isDirectory.boolValue && FileManager.default.fileExists(atPath: neighbour)
      keys = nil
      return
    }
    let keys = try StatedKeys(contentsOf: file)
    self.keys = keys
    isTimm = Self.isTimm(keys)
    hints = isTimm ? try BackboneHints(timm: keys) : try BackboneHints(huggingFace: keys)
  }

  private static func isTimm(_ keys: StatedKeys) -> Bool {
    ["pretrained_cfg", "architecture", "model_args", "global_pool"].contains { keys.has($0) }
  }

  /// Returns whether the `config.json` of a folder names an architecture, supported or not, that is no CLIP.
  package static func isStated(in folder: URL) -> Bool {
    guard let keys = try? StatedKeys(contentsOf: folder.appendingPathComponent("config.json")) else { return false }
    if isTimm(keys) { return true }
    guard case .string(let type)? = keys.value("model_type") else { return false }
    return type != "clip"
  }

  /// The `model_type` of a Hugging Face file.
  package var modelType: String? {
    guard case .string(let type) = keys?.value("model_type") else { return nil }
    return type
  }

  /// True if images of another size than the stated one are usual: transformers resizes the positions of DINOv2, and
  /// the other networks have none.
  package var takesAnySize: Bool {
    ["dinov2", "dinov2_with_registers", "dinov3_vit", "convnext", "convnextv2"].contains(modelType)
  }

  /// The object of timm's file that describes images; older files have no object of their own for it.
  package func images() throws(ConfigurationError) -> StatedKeys? {
    guard isTimm, let keys else { return nil }
    return try keys.section("pretrained_cfg") ?? keys
  }

  /// Warnings about keys, or a file, that nothing has read.
  package var warnings: [String] {
    let unread = "config.json next to the weight file: not read, as it may be of another; name the folder to read both"
    return isUnread ? [unread] : keys?.unknown ?? []
  }
}

extension BackboneHints {
  /// Notes a setting with the key that states it, or whose absence means the default of the library that wrote it.
  mutating func note(_ setting: Setting, from keys: StatedKeys, _ key: String) {
    origins[setting] = keys.origin(key, defaultOf: keys.has("architecture") ? "timm" : "transformers")
  }

  /// The side of a square image: a number, or two or three that end in the same side twice.
  static func side(_ keys: StatedKeys, _ key: String) throws(ConfigurationError) -> Int? {
    guard case .list(let list) = keys.value(key) else { return try keys.extent(key) }
    let expected = list.count == 3 ? "[3, size, size]" : "one size, as only square images are supported"
    guard let numbers = keys.value(key)?.numbers, (2...3).contains(numbers.count),
      numbers.count == 2 || numbers[0] == 3,
      numbers.suffix(2).first == numbers.last, let side = numbers.last.flatMap({ Int(exactly: $0) }),
      (1...(1 << 24)).contains(side)
    else { throw keys.error(key, expected) }
    return side
  }
}

extension ImageBackbone {
  /// Reads an image classifier from a weight file of any format, or from a directory with one, whose `config.json` is
  /// read for what shapes do not determine.
  ///
  /// - hints: settings stated by the caller, which take precedence.
  /// - classes: the number of classes of the head; see `init(from:hints:classes:)`.
  /// - Throws: the error of the file format, `ConfigurationError` or `WeightsError`, each naming the file.
  public init(contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil) throws {
    let stated = try StatedBackbone(nextTo: url)
    // What describes images is of no concern to who hands in prepared ones.
    try stated.images()?.acknowledge(StatedKeys.imageKeys)
    try self.init(
      from: PretrainedWeights(contentsOf: url), hints: hints.filled(from: stated.hints), classes: classes,
      notes: stated.warnings)
  }
}

extension StatedKeys {
  /// The keys of timm that describe the preparation of images.
  package static let imageKeys = ["mean", "std", "interpolation", "crop_pct", "crop_mode"]
}
