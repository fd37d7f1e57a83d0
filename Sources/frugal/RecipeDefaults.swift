import Datasets
import Methods

/// The defaults that help prints, read from the recipes of the methods themselves.
struct RecipeDefaults {
  /// The methods that help speaks of.
  let methods: [MethodName]

  /// Those of every method that takes steps.
  static let all = RecipeDefaults(
    methods: MethodList.names.compactMap { MethodName($0) }.filter { !$0.head.isFitted })

  /// `default: linear 200 (100 by dataset or shots); others 100`, or `default 100` where all agree.
  func text(_ value: (Recipe) -> String) -> String {
    text(methods.map { (name: "\($0)", value: phrase($0, value)) })
  }

  /// The default of a setting that each half has of its own: the encoder's, or the head's where only that is trained.
  func optimizerText(_ value: (OptimizerRecipe) -> String) -> String {
    text(
      methods.map { method in
        (name: "\(method)", value: phrase(method) { value(method.encoder.isTrained ? $0.encoder : $0.head) })
      })
  }

  /// The default of a setting of the heads.
  func headText(_ value: (OptimizerRecipe) -> String) -> String {
    let own = methods.filter(\.head.isTrained)
    // A model without text gives any method a linear head.
    let encoder = methods.count == 1 ? methods[0].encoder : MethodList.encoders[0]
    let trained = MethodList.heads.filter { $0.isTrained && !$0.isFitted }
    let heads = own.isEmpty ? trained.map { MethodName(encoder, $0) } : own
    return text(heads.map { method in (name: method.head.name, value: phrase(method) { value($0.head) }) })
  }

  /// The most common value last, without the names of its methods.
  private func text(_ found: [(name: String, value: String)]) -> String {
    var groups: [(value: String, names: [String])] = []
    for (name, value) in found {
      if let index = groups.firstIndex(where: { $0.value == value }) {
        groups[index].names.append(name)
      } else {
        groups.append((value, [name]))
      }
    }
    guard groups.count > 1 else { return "default \(groups.first?.value ?? "none")" }
    let largest = groups.map(\.names.count).max() ?? 0
    let last = largest > 2 ? groups.firstIndex { $0.names.count == largest } : nil
    var parts = groups.indices.filter { $0 != last }.map {
      "\(groups[$0].names.joined(separator: ", ")) \(groups[$0].value)"
    }
    if let last { parts.append("others \(groups[last].value)") }
    return "default: \(parts.joined(separator: "; "))"
  }

  /// The value on data of the usual kind, and any others that published settings have.
  private func phrase(_ method: MethodName, _ value: (Recipe) -> String) -> String {
    func found(_ benchmark: Benchmark?, _ shots: Int?) -> String {
      value(method.recipe(PublishedSetting(benchmark: benchmark, shots: shots, fidelity: .official)))
    }
    let usual = found(nil, method.trainingProtocol == .allImages ? nil : 16)
    let all = ([nil] + Benchmark.allCases.map(Optional.some)).flatMap { benchmark in
      [1, 4, 16, nil].map { found(benchmark, $0) }
    }
    let others = all.unique.filter { $0 != usual }
    return others.isEmpty ? usual : "\(usual) (\(others.joined(separator: ", ")) by dataset or shots)"
  }

  /// 8e-05 → "8e-5", 0.001 → "0.001", 0.0 → "0"
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)".replacing("e-0", with: "e-")
  }
}
