import Foundation

/// A row of a published table.
struct PublishedFigure: Equatable {
  /// How far the source is from the authors of the method: their own (`primary`), another paper's or repository's
  /// (`secondary`), or a collection's (`tertiary`).
  enum Kind: String { case primary, secondary, tertiary }

  /// The pretrained model, as `CLIP ViT-B/16`.
  let backbone: String
  /// Images per class, 0 before tuning; `nil` where the protocol has one number.
  let shots: Int?
  /// As the source prints it.
  let method: String
  /// Percentages by the name of the column.
  let values: [String: Double]
  let source: String
  let kind: Kind
}

/// Figures that others have published, with where they were read. Only figures that were seen are in the tables.
///
/// Text that is compiled in, as the program is one file. A line of a table:
///
///     : ImageNet Caltech101 …            the columns
///     @ primary; R-AMT official code     how close the source is, and the source
///     > CLIP ViT-B/16; 16                model and images per class of the rows that follow
///     R-AMT; 73.07 97 …                  method and values; `-` where there is none
enum PublishedFigures {
  /// The rows of a table.
  static func rows(_ table: String) -> [PublishedFigure] {
    var (columns, source, kind) = ([String](), "", PublishedFigure.Kind.tertiary)
    var (backbone, shots) = ("", Int?.none)
    return table.split(separator: "\n").compactMap { line in
      let parts = line.components(separatedBy: "; ")
      let first = String(parts[0].dropFirst(2))
      switch line.first {
      case ":": columns = first.split(separator: " ").map(String.init)
      case "@": (kind, source) = (PublishedFigure.Kind(rawValue: first) ?? .tertiary, parts.last ?? "")
      case ">": (backbone, shots) = (first, Int(parts.last ?? ""))
      default:
        let numbers = (parts.last ?? "").split(separator: " ").map { Double($0) }
        let values = zip(columns, numbers).compactMap { name, number in number.map { (name, $0) } }
        return PublishedFigure(
          backbone: backbone, shots: shots, method: parts[0], values: Dictionary(uniqueKeysWithValues: values),
          source: source, kind: kind)
      }
      return nil
    }
  }

  /// The models of all tables.
  static let backbones = [fewShot, vtabTasks, vtabGroups, fgvc].flatMap(rows).map(\.backbone).unique.sorted()

  /// The methods of this program under the names that tables print, for settings that are alike by default.
  static let names: [String: String] = [
    "Zero-shot CLIP": "zero-shot", "CLIP": "zero-shot", "R-AMT": "r-amt", "AMT": "mask-tuning", "CoOp": "coop",
    "CoCoOp": "cocoop", "CoOp+R-AMT": "r-amt on coop", "Tip-Adapter": "tip-adapter",
    "Tip-Adapter-F": "tip-adapter-f",
    "CLIP-Adapter": "clip-adapter", "Linear probe": "linear-probe", "TaskRes": "task-res", "LP++": "lp++",
    "GDA": "gda", "Full": "full", "Linear": "linear", "Bias": "bitfit", "VPT-Shallow": "vpt-shallow",
    "VPT-shallow": "vpt-shallow", "VPT-Deep": "vpt-deep", "VPT-deep": "vpt-deep", "Adapter-8": "adapter",
    "LoRA-8": "lora", "Partial-1": "partial-k", "SSF": "ssf", "AdaptFormer": "adaptformer",
    "SPT-Adapter": "spt-adapter", "SPT-Adapter (partial)": "spt-adapter", "SPT-LoRA": "spt-lora",
    "SPT-LoRA (partial)": "spt-lora", "RepAdapter": "repadapter", "FacT (TK<=32)": "fact-tk", "Convpass": "convpass",
    "ProLIP": "prolip", "GPS": "gps", "SO": "so", "2SFS": "2sfs", "CLIP-LoRA (as reported by SO)": "clip-lora",
  ]

  /// The published models by the names that their files usually have.
  static func backbone(_ path: String) -> String? {
    let name = URL(fileURLWithPath: path).lastPathComponent.lowercased().replacing("_", with: "-")
    let known: [(words: [String], backbone: String)] = [
      (["vit-b-16.pt", "clip-vit-base-patch16"], "CLIP ViT-B/16"),
      (["vit-b-32.pt", "clip-vit-base-patch32"], "CLIP ViT-B/32"), (["rn50.pt"], "CLIP RN50"),
      (["rn101.pt"], "CLIP RN101"),
      (["vit-b-16.npz", "vit-base-patch16-224-in21k"], "ViT-B/16 supervised IN-21k"),
      (["mae-pretrain-vit-base.pth"], "ViT-B/16 MAE"),
    ]
    return known.first { $0.words.contains(name) }?.backbone
  }
}
