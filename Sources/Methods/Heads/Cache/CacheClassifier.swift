import Models
import Tensor

/// The text classifier and a cache of training features with their labels (Zhang et al., *Tip-Adapter*, ECCV 2022,
/// eq. 5 and 6).
///
///     z = s f Tᵀ + α exp(−β (1 − f Kᵀ)) V,   f, t of length 1                               (Tip-Adapter (b), (c))
///
/// - K: [images, embedding], one row per training image: the mean of the raw features of its views, scaled to length 1.
///   V: [images, classes], the labels as rows with a single 1.
/// - Tip-Adapter-F trains K, whose rows are not scaled again; Tip-Adapter trains nothing.
struct CacheClassifier: Head {
  /// T: [classes, embedding]
  let textFeatures: Tensor
  /// log s
  let logitScale: Parameter
  /// K at its start.
  let keys: Tensor
  /// The label of each key.
  let labels: [Int32]
  /// Vᵀ: [classes, images]
  private let memberships: Tensor
  /// α and β.
  var alpha, beta: Real
  /// The largest α and β of the search after training; `nil` for none.
  var limits: (alpha: Double, beta: Double)?
  /// Whether K is trained.
  var isTrained = false
  /// The features of which K was made, for a cache that is not trained.
  var trainingExamples: HeadExamples?

  /// A cache of keys with their labels, each below `classes`.
  init(
    textFeatures: Tensor, logitScale: Parameter, keys: Tensor, labels: [Int32], alpha: Real, beta: Real
  ) {
    (self.textFeatures, self.logitScale, self.keys, self.labels) = (textFeatures, logitScale, keys, labels)
    (self.alpha, self.beta) = (alpha, beta)
    let (classes, count) = (textFeatures.shape[0], labels.count)
    memberships = Tensor([classes, count]) { into in
      into.update(repeating: 0, count: classes * count)
      for (image, label) in labels.enumerated() { into[Int(label) * count + image] = 1 }
    }
  }

  /// The keys of examples: [images, embedding] (Tip-Adapter (a)).
  static func keys(of examples: HeadExamples) -> Tensor {
    let (images, width) = (examples.images, examples.features.shape.width)
    let mean = Tensor.read(examples.features) { x in
      Tensor([images, width]) { mean in
        for index in 0..<images * width {
          var sum: Real = 0
          for view in 0..<examples.views { sum += x[view * images * width + index] }
          mean[index] = sum / Real(examples.views)
        }
      }
    }
    return Variable(mean).l2Normalized().value
  }

  /// K, if it is trained (Tip-Adapter (d)).
  var trainables: [Trainable] { isTrained ? [Trainable(DeltaEntry.cacheKeys.name, keys)] : [] }

  /// f / ‖f‖
  func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for f / ‖f‖ (Tip-Adapter (c)).
  func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    let affinities = affinities(features.linear(values.first ?? Variable(keys)), beta: beta)
    return features.contrastiveLogitsOfUnits(classifier: Variable(textFeatures), logitScale: logitScale, pass)
      .adding(affinities.linear(Variable(memberships)), scale: alpha)
  }

  /// exp(−β (1 − f Kᵀ)) (Tip-Adapter (b)).
  private func affinities(_ products: Variable, beta: Real) -> Variable {
    Variable(Tensor(products.shape, repeating: -beta)).adding(products, scale: beta).exponential()
  }

  /// α and β
  var choiceNames: [String] { limits == nil ? [] : ["alpha", "beta"] }

  /// 200 values of β and 20 of α, evenly spaced from 0.1 to below their limits, the first of the best pairs kept
  /// (Tip-Adapter (e)).
  func chosen(_ values: [Tensor], on examples: HeadExamples) -> (head: any Head, choices: [String: Double]) {
    guard let limits else { return (self, [:]) }
    let features = Variable(examples.unitFeatures)
    let products = features.linear(Variable(values.first ?? keys))
    let texts = features.contrastiveLogitsOfUnits(
      classifier: Variable(textFeatures), logitScale: logitScale, Pass())
    var (best, correct) = (self, -1)
    for i in 0..<200 {
      let beta = Real(0.1 + Double(i) * (limits.beta - 0.1) / 200)
      let votes = Variable(votes(affinities(products, beta: beta).value))
      for j in 0..<20 {
        let alpha = Real(0.1 + Double(j) * (limits.alpha - 0.1) / 20)
        let found = examples.correct(texts.adding(votes, scale: alpha).value)
        if found > correct { (best.alpha, best.beta, correct) = (alpha, beta, found) }
      }
    }
    return (best, ["alpha": Double(best.alpha), "beta": Double(best.beta)])
  }

  /// A V without multiplying by its zeros: [rows, classes].
  private func votes(_ affinities: Tensor) -> Tensor {
    let (rows, classes) = (affinities.shape[0], textFeatures.shape[0])
    return Tensor.read(affinities) { a in
      Tensor([rows, classes]) { into in
        into.update(repeating: 0, count: rows * classes)
        for row in 0..<rows {
          for (image, label) in labels.enumerated() {
            into[row * classes + Int(label)] += a[row * labels.count + image]
          }
        }
      }
    }
  }

  /// K, the labels, α and β.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(
      ["cache.keys": values.first ?? keys, "cache.labels": Tensor([labels.count], labels.map { Real($0) })],
      settings: ["cacheAlpha": alpha, "cacheBeta": beta])
  }
}

extension DeltaEntry {
  /// The keys of a cache.
  static let cacheKeys = DeltaEntry.classifier(part: "cache.keys")
}

/// Keys, labels, α and β in a delta.
enum CacheDelta: StoredHead {
  static let subject = "a cache of training features"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] {
    ["cache.keys": [nil, width], "cache.labels": [nil]]
  }

  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    guard let tensors = tensors(of: delta), let keys = tensors["cache.keys"], let labels = tensors["cache.labels"]
    else { return }
    let classes = delta.description.classes.count
    guard keys.shape[0] == labels.count,
      labels.values.allSatisfy({ $0 >= 0 && $0 < Real(classes) && $0 == $0.rounded() })
    else {
      throw DeltaError(
        file, expected: "a label below \(classes) for each of \(keys.shape[0]) keys of a cache",
        found: "\(labels.count) labels, or others")
    }
  }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    CacheClassifier(
      textFeatures: textFeatures, logitScale: logitScale, keys: tensors["cache.keys"] ?? .zeros([0, 0]),
      labels: (tensors["cache.labels"]?.values ?? []).map { Int32($0) }, alpha: description.setting("cacheAlpha"),
      beta: description.setting("cacheBeta"))
  }
}
