import Foundation
import Methods
import Models
import Reference
import Tensor

/// The first steps of a training by `Reference`, in double precision whatever the precision of the build:
/// `frugal trace --float64`.
///
/// It goes on from its own values. What is given is what the build has: weights, text features, initial values, draws
/// and images, which double precision holds exactly. The names are those of `StepObserver`.
struct DoubleTraining {
  private let tower: Network
  private let encoder: DoubleEncoder
  private let head: DoubleHead
  private let optimizers: [DoubleOptimizer]
  /// The names of all trained tensors, the encoder's first, and of the encoder's alone.
  private let names, encoderNames: [String]
  /// The head before training, as the untuned model has it.
  private let untrained: Parameters
  /// The values of all trained tensors.
  private var values: Parameters

  /// A training before its first step.
  ///
  /// - Throws: `UsageError` for what `Reference` does not have: another network, tuning, head or optimiser.
  init(_ method: Method, _ recipe: Recipe) throws(UsageError) {
    tower = try Self.network(method)
    encoder = try DoubleEncoder(method.encoder)
    head = try DoubleHead(method.head)
    let (ofEncoder, ofHead) = (method.encoder.trainables, method.head.trainables)
    (names, encoderNames) = ((ofEncoder + ofHead).map(\.name), ofEncoder.map(\.name))
    untrained = Parameters(ofHead.map { ($0.name, Matrix($0.initial)) }) { $1 }
    values = Parameters(method.trainables.map { ($0.name, Matrix($0.initial)) }) { $1 }
    var optimizers: [DoubleOptimizer] = []
    for (name, recipe, trainables) in [("encoder", recipe.encoder, ofEncoder), ("head", recipe.head, ofHead)]
    where !trainables.isEmpty {
      optimizers.append(try DoubleOptimizer(name, recipe, trainables))
    }
    self.optimizers = optimizers
  }

  /// The image tower, frozen.
  private static func network(_ method: Method) throws(UsageError) -> Network {
    guard let tower = method.tower as? VisionTransformer else {
      throw refusal("a vision transformer", "another network")
    }
    let (form, blocks) = (tower.configuration.form, tower.configuration.transformer)
    guard [.clip, .classifier].contains(form), blocks.form == .plain else {
      throw refusal("a vision transformer of CLIP's or ViT's form", "one of another form")
    }
    let kinds: [Activation: Nonlinearity] = [.gelu: .gelu, .quickGELU: .quickGELU]
    guard let nonlinearity = kinds[blocks.activation] else {
      throw refusal("an MLP with GELU or QuickGELU", "one with \(blocks.activation.rawValue)")
    }
    var settings = TransformerSettings(
      blocks: blocks.blocks, heads: blocks.heads, epsilon: blocks.epsilon, nonlinearity: nonlinearity)
    settings.stochasticDepth = written(method.stochasticDepth)
    return Network(Parameters(tower.parameters.map { ($0.site.name, Matrix($0.value)) }) { $1 }, settings)
  }

  /// The refusal of what `Reference` does not have.
  static func refusal(_ expected: String, _ found: String) -> UsageError {
    UsageError(
      "--float64", expected: "\(expected), which the plain loops in double precision have",
      found: "\(found) (a build with REAL64=1 calculates everything in double precision)")
  }

  /// Starts from the values that were shown as `initial/TENSOR`.
  mutating func start(from shown: [String: Tensor]) {
    for name in names { values[name] = shown["initial/\(name)"].map { Matrix($0) } ?? values[name] }
  }

  /// Takes a step and returns everything it calculates, by name.
  ///
  /// - given: what the build has shown of the step, of which draws and inputs are read; rates: by half.
  mutating func step(_ given: [String: Tensor], rates: [String: Double]) -> [String: [Double]] {
    var shown: [String: [Double]] = [:]
    func show(_ role: String, _ tensors: Parameters) {
      for (name, value) in tensors { shown["\(role)/\(name)"] = value.values }
    }
    show("mask", encoder.masks(values))
    let network = encoder.tuned(tower, values, given)
    let labels = (given["input/labels"]?.values ?? []).map { Int($0) }
    let forward = DoubleForward(network, given)
    for (name, value) in forward.shown { shown["forward/\(name)"] = value.values }
    let logits = head.logits(forward, values)
    shown["forward/logits"] = logits.values
    var teacher: Matrix?
    if encoder.needsTeacher {
      teacher = head.logits(DoubleForward(tower, given), untrained)
      shown["teacher/logits"] = teacher?.values
    }
    let objective = encoder.objective(logits, teacher: teacher, labels: labels, values)
    for (name, value) in objective.terms { shown["loss/\(name)"] = [value] }

    let gradients = objective.losses.map { loss -> Parameters in
      let ofHead = head.gradients(loss.dLogits, forward, values)
      var result = ofHead.values
      if !encoderNames.isEmpty {
        result.merge(encoder.gradients(network, tower, forward, ofHead.dFeatures)) { $1 }
        for (name, direct) in loss.direct { result[name] = result[name].map { $0 + direct } }
      }
      return result
    }
    for (index, own) in gradients.enumerated() where gradients.count > 1 {
      // What a loss does not depend on has a gradient of 0.
      for name in names {
        shown["gradient \(index + 1)/\(name)"] = (own[name] ?? values[name]!.map { _ in 0 }).values
      }
    }
    let (kept, ruled) = encoder.combined(gradients, given)
    show("keep", kept)
    let applied = gradients[0].merging(ruled) { $1 }
    for name in names { shown["gradient/\(name)"] = applied[name]?.values }
    for optimizer in optimizers {
      let rate = rates[optimizer.name] ?? 0
      shown["rate/\(optimizer.name)"] = [rate]
      optimizer.step(&values, applied, rate: rate)
      show("state", optimizer.state)
    }
    show("value", values)
    return shown
  }

  /// The number that a setting was written as: 0.1 where single precision holds 0.100000001.
  static func written(_ setting: Real) -> Double { Double("\(setting)") ?? Double(setting) }
}

/// Adam or AdamW for one half of a method (R-AMT (g), TaskRes (e), SPT (l)).
final class DoubleOptimizer {
  let name: String
  private let recipe: OptimizerRecipe
  private let trainables: [Trainable]
  private var moments: [String: Moments] = [:]

  init(_ name: String, _ recipe: OptimizerRecipe, _ trainables: [Trainable]) throws(UsageError) {
    guard recipe.kind == .adam || recipe.kind == .adamw else {
      throw DoubleTraining.refusal("Adam or AdamW", recipe.kind.rawValue)
    }
    (self.name, self.recipe, self.trainables) = (name, recipe, trainables)
  }

  /// Updates the values of its half.
  func step(_ values: inout Parameters, _ gradients: Parameters, rate: Double) {
    for trainable in trainables {
      guard var value = values[trainable.name], let gradient = gradients[trainable.name] else {
        trap("DoubleOptimizer: expected a value and a gradient of \(trainable.name), found none")
      }
      var own = moments[trainable.name] ?? Moments(like: value)
      adamStep(
        &value, gradient: gradient, moments: &own,
        learningRate: rate, weightDecay: trainable.isDecayed ? recipe.weightDecay : 0,
        decay: recipe.kind == .adamw ? .decoupled : .coupled, beta1: recipe.betas.first, beta2: recipe.betas.second,
        epsilon: recipe.epsilon ?? 1e-8)
      (values[trainable.name], moments[trainable.name]) = (value, own)
    }
  }

  /// m and v by name.
  var state: Parameters {
    var state: Parameters = [:]
    for (name, moments) in moments {
      (state["\(name).first-moment"], state["\(name).second-moment"]) = (moments.first, moments.second)
    }
    return state
  }
}

extension Matrix {
  /// A tensor of the library: its first extent as rows; a vector as one row.
  init(_ tensor: Tensor) {
    let rows = tensor.shape.rank > 1 ? tensor.shape[0] : 1
    self.init(rows, tensor.count / max(1, rows), tensor.values.map { Double($0) })
  }
}

extension Images {
  /// Images of the library: [count, channels, height, width].
  init(_ tensor: Tensor) {
    self.init(
      count: tensor.shape[0], channels: tensor.shape[1], height: tensor.shape[2], width: tensor.shape[3],
      tensor.values.map { Double($0) })
  }
}
