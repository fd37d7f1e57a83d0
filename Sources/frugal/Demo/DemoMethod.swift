/// A method at settings that suit the miniature world; `docs/results.md` says how they were chosen.
struct DemoMethod {
  /// What it is called in tables.
  let label: String
  /// What `frugal tune` calls it.
  let name: String
  private let fixed: [String]
  /// Steps of the whole run, where epochs follow from them: masks travel a distance that steps decide.
  private let steps: Int?
  private let batch: Int

  private init(_ label: String, _ name: String? = nil, steps: Int? = nil, batch: Int = 32, _ fixed: String) {
    (self.label, self.name, self.steps, self.batch) = (label, name ?? label, steps, batch)
    self.fixed = fixed.split(separator: " ").map(String.init)
  }

  /// The name of its folder.
  var folder: String {
    label.filter { $0 != "(" && $0 != ")" }.replacing("λ ", with: "lambda-").replacing(" ", with: "-")
  }

  /// The flags of a run on so many pictures.
  func flags(_ pictures: Int) -> [String] {
    let epochs = steps.map { max(1, $0 / max(1, pictures / batch)) }
    return ["--batch", "\(batch)"] + (epochs.map { ["--epochs", "\($0)"] } ?? []) + fixed
  }

  /// Methods for a CLIP and few pictures.
  static let clip: [DemoMethod] = [
    DemoMethod(
      "linear", batch: 64, "--crop center --epochs 200 --lr 1e-2 --select last --warmup none --stochastic-depth 0"),
    DemoMethod("task-res", batch: 256, "--crop center --epochs 200 --lr 3e-2"),
    masks("mask-tuning"), masks("r-amt"), masks("r-amt (λ 1)", as: "r-amt", " --lambda 1"), masks("r-mmt"),
    masks("r-mt"), masks("r-pmt"), masks("r-amt+task-res"),
    trained("lora", "--lr 3e-2 --rank 4 --dropout 0"), trained("adapter", "--lr 3e-2 --rank 8"),
    trained("bitfit", "--lr 3e-2"), trained("full", "--lr 1e-3"),
  ]

  /// The published rate, and as many steps as carry a mask across its threshold.
  private static func masks(_ label: String, as name: String? = nil, _ more: String = "") -> DemoMethod {
    DemoMethod(label, name, steps: 360, "--shift 2 --lr 8e-5" + more)
  }

  private static func trained(_ name: String, _ more: String) -> DemoMethod {
    DemoMethod(
      name, steps: 160, "--shift 2 --optimizer adamw --select last --warmup none --stochastic-depth 0 " + more)
  }

  /// Methods for a vision transformer with a linear head and a thousand pictures.
  static let vit: [DemoMethod] = [
    site("linear", "--lr 5e-2"), site("bitfit", "--lr 3e-2"), site("partial-k", "--lr 3e-3"),
    site("lora", "--lr 3e-2 --rank 2" + branches), site("adapter", "--lr 3e-2 --rank 4" + branches),
    site("spt-lora", budget), site("spt-adapter", budget),
    site("random", as: "spt-lora", budget + " --allocation random"), site("full", "--lr 1e-3"),
  ]

  private static let branches = " --branch-init zero-up"
  /// What LoRA of rank 2 at queries and values trains, 6 · 2 · 2 · (128 + 128): all that are compared with it have as much.
  private static let budget = "--lr 1e-2 --rank 2" + branches + " --budget 6144"

  private static func site(_ label: String, as name: String? = nil, _ more: String) -> DemoMethod {
    DemoMethod(label, name, batch: 64, "--epochs 10 --warmup-epochs 2 --stochastic-depth 0 " + more)
  }
}
