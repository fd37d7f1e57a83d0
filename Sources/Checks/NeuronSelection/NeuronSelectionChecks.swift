import Methods
import Models
import Tensor

/// The checks of GPS: the loss of training by single entries and biases, and the loss that selects by features.
enum NeuronSelectionChecks {
  /// The case of the method.
  static let cases = [
    EncoderCase("gps", tuning: chosen) { SiteChecks.checks($0) + selection($0) }
  ]

  /// Batches of one class, of one image in two views, and of several classes.
  private static func selection(_ name: MethodName) -> [any Check] {
    [[0, 0], [1, 1, 1, 1], [0, 1, 2, 0, 1, 2], [0, 3, 3, 1, 2, 0, 3, 3, 1, 2]].map { (labels: [Int32]) in
      var numbers = CheckNumbers(seed: UInt64(labels.count))
      let features = numbers.next([labels.count, 5])
      return GradientCheck(
        "\(name)/contrastive of \(labels.count) views", [("features", features)], scope: .network
      ) { SupervisedContrastiveLoss.of($0[0], labels: labels) }
    }
  }

  /// Two inputs of every neuron, by a look at the batch itself.
  @Sendable private static func chosen(
    _ setting: MethodSetting, _ head: any Head, _ images: Tensor, _ labels: [Int32]
  ) -> any EncoderTuning {
    var selection = NeuronSelection(of: setting.tower, seed: 1)
    selection.add((images, images), labels: labels)
    let chosen = zip(selection.weights.map(\.site), selection.largest(2))
    return SiteTuning(
      NeuronSelection.designs(of: setting.tower, Dictionary(uniqueKeysWithValues: Array(chosen))),
      seed: setting.seed)
  }
}
