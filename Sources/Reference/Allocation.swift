import Foundation

/// The module of a matrix with enough selected entries.
public enum ModuleKind: Sendable {
  /// A parallel low-rank branch.
  case lora
  /// A sequential bottleneck with GELU and biases.
  case adapter

  /// The parameters of a module of rank r at a matrix [out, in] (SPT (f)).
  ///
  ///     LoRA: r (in + out)        adapter, sized by the output: 2 r out + r + out
  public func cost(out: Int, in width: Int, rank: Int) -> Int {
    self == .lora ? rank * (width + out) : 2 * rank * out + rank + out
  }
}

/// The names of the ranked tensors of a vision transformer, in the order of its forward pass (SPT (c)).
///
/// Norms, biases, and the six linear maps of every block. Patch embedding and positions stay frozen; class token and
/// head are always trained.
public func rankedNames(blocks: Int, hasPreNorm: Bool = false) -> [String] {
  var names = hasPreNorm ? ["vision.preNorm.scale", "vision.preNorm.shift"] : []
  for block in (0..<blocks).map({ "vision.blocks.\($0)" }) {
    names += ["\(block).attentionNorm.scale", "\(block).attentionNorm.shift"]
    for map in ["query", "key", "value", "output"] {
      names += ["\(block).attention.\(map)", "\(block).attention.\(map).bias"]
    }
    names += ["\(block).mlpNorm.scale", "\(block).mlpNorm.shift"]
    for map in ["up", "down"] { names += ["\(block).mlp.\(map)", "\(block).mlp.\(map).bias"] }
  }
  return names + ["vision.postNorm.scale", "vision.postNorm.shift"]
}

/// True if a ranked tensor is a vector: a bias, or a scale or shift of a norm.
public func isVector(_ name: String) -> Bool { [".bias", ".scale", ".shift"].contains { name.hasSuffix($0) } }

/// An entry of a tensor: the tensor's index in a list, and its own row-major index in the tensor.
public struct Entry: Sendable, Equatable {
  /// The indices.
  public let tensor, index: Int
}

/// All entries of several tensors by descending sensitivity (SPT (d)).
///
/// Equal ones keep the order of the tensors and of their elements. What is not above 0 counts as 0.
public func ranking(_ sensitivities: [Matrix]) -> [Entry] {
  let entries = sensitivities.indices.flatMap { tensor in
    sensitivities[tensor].values.indices.map { Entry(tensor: tensor, index: $0) }
  }
  let scores = entries.map { entry in
    let score = sensitivities[entry.tensor].values[entry.index]
    return score > 0 ? score : 0
  }
  return entries.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.map { entries[$0] }
}

/// The weights that are tuned for one τ, and their form (SPT (f) to (h)).
public struct TuningPlan: Sendable, Equatable {
  /// τ, the number of selected entries.
  public private(set) var threshold: Int
  /// The matrices with a module, and the vectors that are tuned whole.
  public private(set) var modules: [String] = [], vectors: [String] = []
  /// The ascending indices of the entries that are tuned singly, by tensor.
  public private(set) var entries: [String: [Int]] = [:]
  /// Σ modules + Σ vectors + Σ entries + class token; the head is not counted (SPT (h)).
  public private(set) var total: Int

  /// The plan for the first τ entries of a ranking.
  ///
  ///     matrix with n selected entries: a module if n ≥ cost / α, else the n entries       (SPT (f), α = 10)
  ///     vector with n selected entries: tuned whole if n ≥ length / β, else the n entries  (SPT (g), β = 5)
  ///
  /// - names, shapes: of the ranked tensors, in the order of the ranking; classToken: its width.
  public init(
    threshold: Int, ranking: [Entry], names: [String], shapes: [(rows: Int, columns: Int)], classToken: Int,
    kind: ModuleKind, rank: Int = 8, alpha: Double = 10, beta: Double = 5
  ) {
    self.threshold = threshold
    total = classToken
    var selected = [[Int]](repeating: [], count: names.count)
    for entry in ranking.prefix(threshold) { selected[entry.tensor].append(entry.index) }
    for (tensor, name) in names.enumerated() {
      let (n, shape) = (Double(selected[tensor].count), shapes[tensor])
      let cost = kind.cost(out: shape.rows, in: shape.columns, rank: rank)
      if isVector(name), n >= Double(shape.columns) / beta {
        vectors.append(name)
        total += shape.columns
      } else if !isVector(name), n >= Double(cost) / alpha {
        modules.append(name)
        total += cost
      } else if n > 0 {
        entries[name] = selected[tensor].sorted()
        total += selected[tensor].count
      }
    }
  }
}

extension TuningPlan {
  /// The plan that trains a budget, entry by entry, for budgets without a published sweep.
  ///
  /// The entries come by rank until the budget is used up. The entry that brings n to cost / α or above makes the
  /// matrix's module, or to length / β the vector, unless more than the budget would then be trained.
  ///
  /// - trainsNorms: false where entries of norms are counted and not trained (SPT (k)).
  public init(
    filling budget: Int, ranking: [Entry], names: [String], shapes: [(rows: Int, columns: Int)], classToken: Int,
    kind: ModuleKind, rank: Int, alpha: Double, beta: Double, trainsNorms: Bool
  ) {
    var plan = TuningPlan(
      threshold: 0, ranking: ranking, names: names, shapes: shapes, classToken: classToken, kind: kind)
    var trained = classToken
    for (place, entry) in ranking.enumerated() where trained < budget {
      let (name, shape) = (names[entry.tensor], shapes[entry.tensor])
      plan.threshold = place + 1
      if plan.modules.contains(name) || plan.vectors.contains(name) { continue }
      let single = (plan.entries[name] ?? []) + [entry.index]
      let isTrained = trainsNorms || !(name.hasSuffix(".scale") || name.hasSuffix(".shift"))
      let cost = isVector(name) ? shape.columns : kind.cost(out: shape.rows, in: shape.columns, rank: rank)
      let isWhole = Double(single.count) >= Double(cost) / (isVector(name) ? beta : alpha)
      if isWhole, trained - (isTrained ? single.count - 1 : 0) + cost <= budget {
        trained += cost - (isTrained ? single.count - 1 : 0)
        plan.total += cost - (single.count - 1)
        plan.entries[name] = nil
        if isVector(name) { plan.vectors.append(name) } else { plan.modules.append(name) }
      } else {
        trained += isTrained ? 1 : 0
        plan.total += 1
        plan.entries[name] = single.sorted()
      }
    }
    plan.modules.sort { names.firstIndex(of: $0)! < names.firstIndex(of: $1)! }
    plan.vectors.sort { names.firstIndex(of: $0)! < names.firstIndex(of: $1)! }
    self = plan
  }
}

/// The numbers of selected entries that are tried (SPT (e)).
///
///     τ_j = ⌈(0.02 j) unit⌉,   j = 1 … 79
///
/// - unit: a million for the published budgets. The product is rounded twice, as in the authors' code.
public func thresholds(unit: Double = 1e6) -> [Int] { (1...79).map { Int(((Double($0) * 0.02) * unit).rounded(.up)) } }

/// The plan whose total is nearest to a budget, the last of several; `nil` if 0 is nearer than all (SPT (e)).
///
/// - plans: by ascending τ; budget: in units, as the released code compares: |total / unit − budget|.
public func nearest(_ plans: [TuningPlan], to budget: Double, unit: Double = 1e6) -> TuningPlan? {
  var (best, bestTotal) = (nil as TuningPlan?, 0.0)
  for plan in plans where abs(Double(plan.total) / unit - budget) <= abs(bestTotal - budget) {
    (best, bestTotal) = (plan, Double(plan.total) / unit)
  }
  return best
}
