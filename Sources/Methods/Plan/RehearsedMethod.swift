import Datasets
import Models
import Tensor

extension Run {
  /// The number of images that the method looks at to choose what to tune, and of those at a time; `nil` for none.
  var survey: (images: Int, batch: Int)? { name.encoder.survey(configuration.recipe) }

  /// A method of the same cost as that of the run, made quickly: by a look at a few images, with a head of made-up
  /// features.
  ///
  /// - batches, count: how many images it looks at, and how many at a time; progress: called after each batch.
  func rehearsed(
    textFeatures: Tensor?, batches: Int, of count: Int, progress: @escaping () -> Void = {}
  ) throws -> Method {
    var setting = try setting(textFeatures)
    setting.recipe = name.encoder.recipe(setting.recipe, surveying: batches * count, batch: count)
    setting.base = try baseRun()?.rehearsed(textFeatures: textFeatures, batches: batches, of: count)
      .trainables.map(\.initial)
    if name.head.needsExamples { setting.examples = examples(width: tower.featureWidth) }
    if name.encoder.readsTrunk, let projection = tower.projection {
      setting.trunk = examples(width: projection.weight.value.shape[1])
    }
    let choosing = ChoiceData(
      data.train, ImageLoader(preprocessing: pretrained.preprocessing), training: (images, loader),
      progress: { _, _ in progress() })
    return try Method(name, setting, choosing: choosing)
  }

  /// Made-up features of as many images and views as the run has.
  private func examples(width: Int) -> HeadExamples {
    let views = loader.transform == .evaluation ? 1 : configuration.recipe.views ?? 1
    let labels = (0..<views).flatMap { _ in images.items.map { Int32($0.label) } }
    // Of no meaning, but different: equal ones would be a special case.
    var numbers = RandomStream(seed: 1, purpose: .shuffle, step: 0)
    let values = (0..<labels.count * width).map { _ in Real(numbers.next() % 2001) / 1000 - 1 }
    return HeadExamples(features: Tensor([labels.count, width], values), labels: labels, views: views)
  }
}
