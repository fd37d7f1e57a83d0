import Foundation
import Methods

/// A group of runs in a table of a paper: what it measured, and what was published of the same.
struct PaperEntry {
  /// A published figure of the same dataset, model and setting, or the reason why none is shown.
  enum Published {
    case figure(PublishedFigure, Double)
    case missing(String)
  }

  /// The reason where nothing else is in the way.
  static let unknown = "no published figure is known"

  let group: RunGroup
  /// The published model that the runs' model is; `nil` where that is not known.
  let backbone: String?
  let kind: PaperProtocol
  /// The dataset of the protocol; `nil` for other data.
  let column: PaperColumn?
  let accuracy: Published
  let zeroShot: Published

  /// - backbone: the published model that the runs' model is; `nil` where that is not known.
  init(_ group: RunGroup, backbone: String?) {
    let (kind, column) = PaperProtocol.of(group)
    (self.group, self.backbone, self.kind, self.column) = (group, backbone, kind, column)
    let obstacle = Self.obstacle(group, kind, column, backbone)
    func figure(_ method: String, shots: Int?) -> Published {
      if let obstacle { return .missing(obstacle) }
      let name = column?.name ?? ""
      let found = Self.figures(kind, method, shots: shots, backbone ?? "").first { $0.values[name] != nil }
      guard let found, let value = found.values[name] else { return .missing(Self.unknown) }
      return .figure(found, value)
    }
    let shots = kind == .fewShot ? group.shots : nil
    zeroShot = kind == .fewShot ? figure("zero-shot", shots: 0) : .missing(Self.unknown)
    if let obstacle = obstacle ?? Self.difference(of: group) {
      accuracy = .missing(obstacle)
    } else {
      accuracy = figure(group.method, shots: shots)
    }
  }

  /// The name of the dataset at the head of its column.
  var name: String { column?.name ?? group.dataset }

  /// The published rows of a method, primary sources first.
  static func figures(_ kind: PaperProtocol, _ method: String, shots: Int?, _ backbone: String) -> [PublishedFigure] {
    let own = all[kind] ?? []
    let found = own.filter {
      $0.backbone == backbone && $0.shots == shots && PublishedFigures.names[$0.method] == method
    }
    return [PublishedFigure.Kind.primary, .secondary, .tertiary].flatMap { kind in found.filter { $0.kind == kind } }
  }

  private static let all: [PaperProtocol: [PublishedFigure]] = [
    .fewShot: PublishedFigures.rows(PublishedFigures.fewShot), .vtab: PublishedFigures.rows(PublishedFigures.vtabTasks),
    .fgvc: PublishedFigures.rows(PublishedFigures.fgvc),
    .baseToNew: PublishedFigures.rows(PublishedFigures.baseToNew),
    .domains: PublishedFigures.rows(PublishedFigures.domains),
  ]

  /// What makes any published figure one of something else: data, model, or the choice of the epoch.
  private static func obstacle(
    _ group: RunGroup, _ kind: PaperProtocol, _ column: PaperColumn?, _ backbone: String?
  ) -> String? {
    guard let column else { return "the dataset is none of the published ones" }
    guard backbone != nil else { return "\(group.model) is not known as a published model" }
    if kind != .baseToNew, let total = group.runs.map(\.result.test.total).first(where: { $0 != column.images }) {
      return "\(grouped(total)) test images, not \(grouped(column.images))"
    }
    return group.isChosenByTest ? "the epoch was selected on the test split" : nil
  }

  /// The settings that are not those of the published runs.
  static func difference(of group: RunGroup) -> String? {
    let settings = group.runs[0].settings
    guard let name = MethodName(settings.method) else { return "the method is not known" }
    var published = settings
    published.recipe = name.recipe(
      PublishedSetting(
        benchmark: settings.benchmark, shots: settings.shots, fidelity: settings.fidelity,
        classes: settings.classes ?? .all))
    if let budget = name.encoder.budget(of: settings.recipe) {
      published.recipe = name.encoder.recipe(published.recipe, budget: budget)
    }
    // Nothing reads the optimiser of a head that trains nothing.
    if !name.head.isTrained { published.recipe.head = published.recipe.encoder }
    if settings.recipe == published.recipe { return nil }
    let (own, others) = (settings.flattened, published.flattened)
    let keys = Set(own.keys).union(others.keys).filter { own[$0] != others[$0] }.sorted()
    let shown = keys.prefix(3).map {
      "\($0.replacing("recipe.", with: "")) \(own[$0] ?? "none") instead of \(others[$0] ?? "none")"
    }
    return "other settings: " + shown.joined(separator: ", ") + (keys.count > 3 ? ", …" : "")
  }
}
