import Tensor

/// The linear classifier of a checkpoint, with the tower whose features it reads.
public struct TrainedHead: Sendable {
  /// The tower of the model, or its form for a classifier of two vectors.
  public let tower: any ImageTower
  /// The map: [classes, features of the tower].
  public let head: Linear
  /// What it reads, where that is not the features of the model.
  package let reads: String?
}

/// The reading of a checkpoint's head.
struct HeadReader {
  let shapes: CanonicalShapes
  let configuration: ImageConfiguration
  let tower: any ImageTower
  /// The number of classes that is wanted; `nil` for that of the head.
  let classes: Int?

  private static let second = "head.distillation"

  /// What was found.
  struct Result {
    /// The head on the features of the model, if there is one with these classes.
    var head: Linear?
    /// The head with what it reads.
    var trained: TrainedHead?
    /// The reason why there is none.
    var warning: String?
  }

  /// Reads the head, or skips it with a reason.
  func read(_ reader: inout WeightReader) throws -> Result {
    guard shapes.has("head") else {
      if shapes.has(Self.second) { skip(&reader) }
      return Result(warning: classes == nil ? nil : "no head in the checkpoint: using a new one")
    }
    let stored = try shapes.shape("head", rank: 2)
    let (width, count) = (configuration.featureWidth, stored[0])
    guard classes == nil || classes == count else {
      skip(&reader)
      return Result(warning: "head of \(count) classes not loaded\(requested): using a new one")
    }
    if case .visionTransformer(let size) = configuration, size.form.pooling == .classAndDistillation,
      let vision = tower as? VisionTransformer
    {
      // One of a pair says nothing of the mean of the tokens, nor do two of different sizes.
      guard stored[1] == width, shapes.has(Self.second), try shapes.shape(Self.second, rank: 2) == stored else {
        skip(&reader)
        return Result(warning: "head of the class token not loaded, as it is one of two: using a new one")
      }
      let halves = try [linear(&reader, "head", stored), linear(&reader, Self.second, stored)].map {
        (weight: scaled($0.weight.value, 0.5), bias: $0.bias.map { scaled($0.value, 0.5) })
      }
      return pair(
        TokenPairTower(tower: vision, second: .distillationToken),
        TokenPairTower.joined(halves[0].weight, halves[1].weight), sum(halves.map(\.bias)),
        "the class and the distillation token", "it is one of two")
    }
    if shapes.has(Self.second) { skip(&reader, [Self.second, "\(Self.second).bias"]) }
    if shapes.layout.headReadsPatches, stored[1] == 2 * width, let vision = tower as? VisionTransformer {
      let head = try linear(&reader, "head", stored)
      if let weight = shapes.layout.usedHead(head.weight.value, width: width) {
        return single(Linear(weight: Parameter(head.weight.site, weight), bias: head.bias))
      }
      return pair(
        TokenPairTower(tower: vision, second: .meanOfPatches), head.weight.value, head.bias?.value,
        "the class token and the mean of the patches", "it reads the mean of the patches too")
    }
    guard stored[1] == width else {
      skip(&reader)
      return Result(warning: "head of \(count) classes not loaded\(requested): using a new one")
    }
    return single(try linear(&reader, "head", stored))
  }

  private var requested: String { classes.map { ", \($0) requested" } ?? "" }

  private func single(_ head: Linear) -> Result {
    Result(head: head, trained: TrainedHead(tower: tower, head: head, reads: nil))
  }

  /// A classifier of two vectors: one to predict with, none to tune.
  private func pair(
    _ tower: TokenPairTower, _ weight: Tensor, _ bias: Tensor?, _ reads: String, _ reason: String
  ) -> Result {
    let head = Linear(
      weight: Parameter(Site("head", .projection), weight),
      bias: bias.map { Parameter(Site("head.bias", .bias), $0) })
    let warning = "head of \(weight.shape[0]) classes not loaded, as \(reason): using a new one"
    return Result(
      trained: TrainedHead(tower: tower, head: head, reads: reads), warning: classes == nil ? nil : warning)
  }

  private func linear(_ reader: inout WeightReader, _ name: String, _ shape: Shape) throws -> Linear {
    try Linear(
      &reader, name, .projection, from: shape[1], to: shape[0], hasBias: shapes.has("\(name).bias"))
  }

  private func scaled(_ tensor: Tensor, _ factor: Real) -> Tensor {
    Tensor(tensor.shape, tensor.values.map { $0 * factor })
  }

  /// The sum of those that exist.
  private func sum(_ biases: [Tensor?]) -> Tensor? {
    let biases = biases.compactMap(\.self)
    guard let first = biases.first else { return nil }
    return biases.dropFirst().reduce(first) { sum, next in
      Tensor(sum.shape, zip(sum.values, next.values).map { $0 + $1 })
    }
  }

  private func skip(
    _ reader: inout WeightReader, _ names: [String] = ["head", "head.bias", second, "\(second).bias"]
  ) {
    for name in names { reader.skip(name) }
  }
}
