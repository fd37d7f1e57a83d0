import Methods

/// A method at the settings that a search chose; `docs/results-settings.md` has the searches.
struct DemoMethod {
  /// Its name in tables.
  let label: String
  /// Its name in `frugal tune`.
  let name: String
  /// The row of the search whose settings it has.
  let searchedRow: String
  private let fixed: [DemoSetting]
  /// Steps of the whole run, if epochs follow from them: the number of steps decides how far masks can travel.
  private let steps: Int?
  private let batch: Int
  /// True if λ is the one that was published for the data set that a task resembles.
  private let hasPublishedLambda: Bool

  private init(
    _ label: String, as name: String? = nil, searchedAs row: String? = nil, steps: Int? = nil, batch: Int = 32,
    hasPublishedLambda: Bool = false, _ fixed: [DemoSetting]
  ) {
    (self.label, self.name, self.steps, self.batch) = (label, name ?? label, steps, batch)
    searchedRow = row ?? label
    (self.hasPublishedLambda, self.fixed) = (hasPublishedLambda, fixed)
  }

  /// The name of its folder.
  var folder: String {
    label.filter { $0 != "(" && $0 != ")" }.replacing("λ ", with: "lambda-").replacing(" ", with: "-")
  }

  /// The settings of a run on so many images.
  ///
  /// - published: the situation whose λ is taken.
  func settings(_ images: Int, published: PublishedSetting) -> [DemoSetting] {
    let epochs = steps.map { max(1, $0 / max(1, images / batch)) }
    return [.batch(batch)] + (epochs.map { [.epochs($0)] } ?? []) + fixed + lambda(published)
  }

  /// λ of the recipe for the data set; the folders of the miniature world have other names.
  private func lambda(_ published: PublishedSetting) -> [DemoSetting] {
    guard hasPublishedLambda, let settings = MethodName(name)?.recipe(published)[MaskTuningSettings.self] else {
      return []
    }
    return [.option("lambda", "\(settings.lambda)")]
  }

  /// Rows for a CLIP and 16 images per class.
  static let clip: [DemoMethod] =
    heads(linear: (0.002, 200), taskRes: (0.1, 200)) + [
      masks("mask-tuning", hasPublishedLambda: false), masks("r-amt"),
      masks("r-amt (λ 1)", as: "r-amt", hasPublishedLambda: false, [.option("lambda", "1")]),
      masks("r-mmt"), masks("r-mt"), masks("r-pmt"), masks("r-amt+task-res"),
      trained("lora", 0.015, [.option("rank", "4"), .option("dropout", "0")]),
      trained("adapter", 0.005, [.option("rank", "8")]), trained("bitfit", 0.045), trained("full", 1e-3),
    ]

  /// Rows for a CLIP and 4 images per class.
  static let fourShots =
    heads(linear: (0.05, 200), taskRes: (0.01, 200)) + [masks("r-amt", rate: 6e-5, steps: 1080)]
  /// Rows for a CLIP and 1 image per class.
  static let oneShot =
    heads(linear: (0.01, 50), taskRes: (0.03, 200)) + [masks("r-amt", rate: 6e-5, steps: 180)]

  /// A rate and a number of epochs for each head.
  private static func heads(linear: (Double, Int), taskRes: (Double, Int)) -> [DemoMethod] {
    [
      DemoMethod(
        "linear", batch: 64, [.centerCrop, .epochs(linear.1), .learningRate(linear.0), .lastEpoch, .noWarmup]),
      DemoMethod("task-res", batch: 256, [.centerCrop, .epochs(taskRes.1), .learningRate(taskRes.0)]),
    ]
  }

  /// Rows of masks, all but plain mask tuning with the settings that were searched for R-AMT.
  private static func masks(
    _ label: String, as name: String? = nil, rate: Double = 5e-4, steps: Int = 1080, hasPublishedLambda: Bool = true,
    _ more: [DemoSetting] = []
  ) -> DemoMethod {
    DemoMethod(
      label, as: name, searchedAs: label == "mask-tuning" ? label : "r-amt", steps: steps,
      hasPublishedLambda: hasPublishedLambda, [.shift(2), .learningRate(rate)] + more)
  }

  private static func trained(_ name: String, _ rate: Double, _ more: [DemoSetting] = []) -> DemoMethod {
    DemoMethod(
      name, steps: 640,
      [.shift(2), .adamW, .lastEpoch, .noWarmup, .stochasticDepth(0), .learningRate(rate)] + more)
  }

  /// Rows for a vision transformer with a linear head and a thousand images.
  static let vit: [DemoMethod] = [
    DemoMethod("linear", batch: 64, course(40) + [.learningRate(5e-2)]), site("bitfit", 40, 3e-2),
    site("lora", 40, 3e-3, [.option("rank", "2"), zeroUp]), site("adapter", 40, 3e-3, [.option("rank", "4"), zeroUp]),
    site("spt-lora", 40, 3e-2, budget(loraTotal)), site("spt-adapter", 40, 3e-3, budget(adapterTotal)),
    site("random", as: "spt-lora", 10, 3e-2, budget(loraTotal) + [.option("allocation", "random")]),
    site("full", 40, 1e-4),
  ]

  private static let zeroUp = DemoSetting.option("branch-init", "zero-up")
  /// Parameters of LoRA of rank 2 at queries and values, 6 · 2 · 2 · (128 + 128), and of adapters of rank 4 after every
  /// MLP, 6 · (2 · 4 · 128 + 4 + 128): the budgets of the rows that are compared with each.
  private static let (loraTotal, adapterTotal) = (6144, 6936)

  private static func budget(_ count: Int) -> [DemoSetting] {
    [.option("rank", "2"), zeroUp, .option("budget", "\(count)")]
  }

  /// A run of so many epochs, a tenth of them warm-up.
  private static func course(_ epochs: Int) -> [DemoSetting] {
    [.epochs(epochs), .warmupEpochs(epochs / 10), .stochasticDepth(0)]
  }

  private static func site(
    _ label: String, as name: String? = nil, _ epochs: Int, _ rate: Double, _ more: [DemoSetting] = []
  ) -> DemoMethod {
    DemoMethod(
      label, as: name, batch: 64, course(epochs) + [.learningRate(rate), .headLearningRate(0.01)] + more)
  }
}
