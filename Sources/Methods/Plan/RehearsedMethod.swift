import Datasets
import Formats
import Foundation
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
    var setting = setting(textFeatures)
    setting.recipe = name.encoder.recipe(setting.recipe, surveying: batches * count, batch: count)
    if name.head.needsExamples {
      let views = loader.transform == .evaluation ? 1 : configuration.recipe.views ?? 1
      let labels = (0..<views).flatMap { _ in images.items.map { Int32($0.label) } }
      // Of no meaning, but different: equal ones would be a special case.
      var numbers = RandomStream(seed: 1, purpose: .shuffle, step: 0)
      let width = pretrained.tower.featureWidth
      let values = (0..<labels.count * width).map { _ in Real(numbers.next() % 2001) / 1000 - 1 }
      setting.examples = HeadExamples(features: Tensor([labels.count, width], values), labels: labels, views: views)
    }
    let choosing = ChoiceData(
      data.train, ImageLoader(preprocessing: pretrained.preprocessing), training: (images, loader),
      progress: { _, _ in progress() })
    return try Method(name, setting, choosing: choosing)
  }
}

extension Run {
  /// Equal for runs whose parts cost the same: those of one method, model and settings, with as many classes and images
  /// in a step.
  package var rehearsalKey: String {
    get throws {
      var settings = configuration
      settings.data = .init(path: "", classes: [], sha256: "")
      (settings.seed, settings.shots, settings.benchmark) = (0, nil, nil)
      settings.recipe.epochs = 1
      settings.templates = []
      let counts = [
        configuration.data.classes.count, min(images.count, settings.recipe.batchSize),
        // A head that is made of features takes as long as there are features.
        name.head.needsExamples ? images.count : 0,
      ]
      return "\(counts) " + String(decoding: try JSON.encoded(settings), as: UTF8.self)
    }
  }
}

/// A few images of a run, prepared as its training steps see them.
struct RehearsedImages {
  /// Reading, decoding and preparing an image.
  let loading: WorkCost
  /// The bytes of a prepared image.
  let bytes: Int
  private let images: Tensor
  private let items: [LabelledImage]

  /// The first images of a run; of the test split, where nothing is trained on.
  ///
  /// - Throws: `ImageError` for an image that cannot be read; `RunError` if there is none.
  init(_ run: Run, _ count: Int) throws {
    let set = run.images.count > 0 ? run.images : run.data.folder.test
    let items = Array(set.items.prefix(count))
    guard !items.isEmpty else { throw RunError("\(run.data.folder.root.shown): expected images, found none") }
    let files = items.enumerated().map { (url: $1.url, number: $0) }
    var images = Tensor.zeros([0])
    let found = try WorkCost.measured { images = try run.loader.loadAll(files) }
    loading = 1 / Double(items.count) * found.cost
    bytes = images.count / items.count * MemoryLayout<Real>.size
    (self.images, self.items) = (images, items)
  }

  /// A batch of any size: the images again and again.
  func batch(_ count: Int) -> Tensor { images.rows((0..<count).map { $0 % items.count }) }

  /// The labels of a batch.
  func labels(_ count: Int) -> [Int32] { (0..<count).map { Int32(items[$0 % items.count].label) } }
}
