import Foundation
import Methods

/// A protocol of published comparisons, which decides the layout of a table.
enum PaperProtocol: String, CaseIterable {
  /// Images per class of CoOp's eleven datasets (Zhou et al. 2022).
  case fewShot = "Few-shot classification"
  /// The base half of the classes is learned, the other one is met by name alone (Zhou et al. 2022).
  case baseToNew = "From base to new classes"
  /// Nineteen tasks of 1,000 images in three groups (Zhai et al. 2019).
  case vtab = "VTAB-1k"
  /// Five datasets of fine-grained classes, whole (Jia et al. 2022).
  case fgvc = "FGVC"
  /// Trained on ImageNet, tested on other pictures of its classes (Zhou et al. 2022).
  case domains = "Domain generalisation"
  /// Anything else.
  case other = "Other data"

  /// The columns in the order of the papers; none for other data.
  var columns: [PaperColumn] {
    switch self {
    case .fewShot, .baseToNew: PaperColumn.fewShot
    case .vtab: PaperColumn.vtab
    case .fgvc: PaperColumn.fgvc
    case .domains: PaperColumn.domains
    case .other: []
    }
  }

  /// The protocol of some runs, and their column; by the dataset, the images per class and the classes.
  static func of(_ group: RunGroup) -> (PaperProtocol, PaperColumn?) {
    let settings = group.runs[0].settings
    let folder = PaperColumn.key(URL(fileURLWithPath: settings.data.path).standardizedFileURL.lastPathComponent)
    func column(_ columns: [PaperColumn]) -> PaperColumn? { columns.first { $0.keys.contains(folder) } }
    let benchmark = settings.benchmark.flatMap { known in PaperColumn.fewShot.first { $0.benchmark == known } }
    if group.isBase { return (.baseToNew, benchmark) }
    if group.shots == nil {
      if let found = column(PaperColumn.vtab) { return (.vtab, found) }
      if let found = column(PaperColumn.fgvc) { return (.fgvc, found) }
    }
    return benchmark.map { (.fewShot, $0) } ?? (.other, nil)
  }
}

/// A dataset of a published table.
struct PaperColumn: Equatable {
  /// As tables print it.
  let name: String
  /// Names of its folder, without case and punctuation.
  let keys: [String]
  /// The images of its published test split.
  let images: Int
  /// Its group of VTAB-1k.
  var group: String?
  var benchmark: Benchmark?

  static func key(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }

  /// In the order of the tables of Zhou et al. (2022), with the images of their test splits.
  static let fewShot: [PaperColumn] = [
    of(.imagenet, "ImageNet", 50_000), of(.caltech101, "Caltech101", 2_465), of(.oxfordPets, "OxfordPets", 3_669),
    of(.stanfordCars, "StanfordCars", 8_041), of(.oxfordFlowers, "Flowers102", 2_463), of(.food101, "Food101", 30_300),
    of(.fgvcAircraft, "FGVCAircraft", 3_333), of(.sun397, "SUN397", 19_850), of(.dtd, "DTD", 1_692),
    of(.eurosat, "EuroSAT", 8_100), of(.ucf101, "UCF101", 3_783),
  ]

  private static func of(_ benchmark: Benchmark, _ name: String, _ images: Int) -> PaperColumn {
    PaperColumn(name: name, keys: [key(benchmark.rawValue)], images: images, benchmark: benchmark)
  }

  /// The groups of VTAB-1k, in order.
  static let vtabGroups = ["Natural", "Specialized", "Structured"]

  /// The folders of the tasks, with the images of their test splits.
  static let vtab: [PaperColumn] =
    tasks(
      "Natural",
      [
        "cifar": 10_000, "caltech101": 6_084, "dtd": 1_880, "oxford_flowers102": 6_149, "oxford_iiit_pet": 3_669,
        "svhn": 26_032, "sun397": 21_750,
      ])
    + tasks(
      "Specialized",
      ["patch_camelyon": 32_768, "eurosat": 5_400, "resisc45": 6_300, "diabetic_retinopathy": 42_670])
    + tasks(
      "Structured",
      [
        "clevr_count": 15_000, "clevr_dist": 15_000, "dmlab": 22_735, "kitti": 711, "dsprites_loc": 73_728,
        "dsprites_ori": 73_728, "smallnorb_azi": 12_150, "smallnorb_ele": 12_150,
      ])

  private static func tasks(_ group: String, _ images: KeyValuePairs<String, Int>) -> [PaperColumn] {
    images.map { PaperColumn(name: $0.key, keys: [key($0.key)], images: $0.value, group: group) }
  }

  /// ImageNet and its variants with the usual names of their folders, in the order of the papers' tables.
  static let domains = [
    PaperColumn(name: "ImageNet", keys: ["imagenet"], images: 50_000, benchmark: .imagenet),
    PaperColumn(name: "V2", keys: ["imagenetv2"], images: 10_000),
    PaperColumn(name: "Sketch", keys: ["imagenetsketch"], images: 50_889),
    PaperColumn(name: "A", keys: ["imagenetadversarial", "imageneta"], images: 7_500),
    PaperColumn(name: "R", keys: ["imagenetrendition", "imagenetr"], images: 30_000),
  ]

  /// In the order of their tables (Jia et al. 2022), with the folders that they have.
  static let fgvc = [
    PaperColumn(name: "CUB-200", keys: ["cub200", "cub2002011"], images: 5_794),
    PaperColumn(name: "NABirds", keys: ["nabirds"], images: 24_633),
    PaperColumn(name: "OxfordFlowers", keys: ["oxfordflower", "oxfordflowers"], images: 6_149),
    PaperColumn(name: "StanfordDogs", keys: ["stanforddogs"], images: 8_580),
    PaperColumn(name: "StanfordCars", keys: ["stanfordcars"], images: 8_041),
  ]
}
