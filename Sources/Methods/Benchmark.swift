import Datasets

/// The eleven datasets of the CLIP literature (Zhou et al. 2022), for the settings that depend on the dataset.
///
/// Other data is treated like the majority of the eleven.
public enum Benchmark: String, Sendable, CaseIterable, Codable {
  case imagenet, caltech101
  case oxfordPets = "oxford_pets"
  case stanfordCars = "stanford_cars"
  case oxfordFlowers = "oxford_flowers"
  case food101
  case fgvcAircraft = "fgvc_aircraft"
  case sun397, dtd, eurosat, ucf101

  /// The dataset whose usual folder has this name: `caltech-101`, `food-101`, and the names above.
  public init?(folder name: String) {
    let name = name.lowercased()
    guard let known = Self(rawValue: name) ?? Self(rawValue: name.replacing("-", with: "")) else { return nil }
    self = known
  }

  /// The one template that CoOp and its followers use (protocol, section 2).
  public var template: String {
    switch self {
    case .oxfordPets: "a photo of a {}, a type of pet."
    case .oxfordFlowers: "a photo of a {}, a type of flower."
    case .fgvcAircraft: "a photo of a {}, a type of aircraft."
    case .dtd: "{} texture."
    case .eurosat: "a centered satellite photo of {}."
    case .food101: "a photo of {}, a type of food."
    case .ucf101: "a photo of a person doing {}."
    case .stanfordCars, .sun397, .caltech101, .imagenet: Self.standardTemplate
    }
  }

  /// The seven of the eighty templates for ImageNet that were selected for CLIP's zero-shot classifier.
  package static let selectedTemplates = [
    "itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.", "a {} in a video game.",
    "art of the {}.", "a photo of the small {}.",
  ]

  /// The template of other data.
  public static let standardTemplate = "a photo of a {}."
}

extension EXIFRotation {
  /// Photos are rotated, unless the data is a published dataset, whose published pipelines do not.
  public static func usual(for benchmark: Benchmark?) -> EXIFRotation { benchmark == nil ? .rotate : .ignore }
}
