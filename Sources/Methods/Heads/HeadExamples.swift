import Datasets
import Models
import Tensor

/// Features of images with their labels, of which a head is made or by which its settings are chosen.
public struct HeadExamples: Sendable {
  /// [views · images, embedding], as the tower gives them: all images of the first view, then those of the second.
  public let features: Tensor
  /// [views · images]
  public let labels: [Int32]
  /// The number of views of each image.
  public let views: Int

  /// Features and labels that belong together; traps where they do not.
  public init(features: Tensor, labels: [Int32], views: Int = 1) {
    require(
      features.shape.rank == 2 && features.shape[0] == labels.count && views > 0 && labels.count % views == 0,
      "HeadExamples: expected features and labels of \(views) views, found \(features.shape) and \(labels.count)")
    (self.features, self.labels, self.views) = (features, labels, views)
  }

  /// The number of images.
  var images: Int { labels.count / views }

  /// Features of length 1.
  var unitFeatures: Tensor { Variable(features).l2Normalized().value }

  /// The number of rows whose label is the class with the largest logit, the first of several.
  func correct(_ logits: Tensor) -> Int { zip(logits.rowMaxima(), labels).count { $0 == Int($1) } }

  /// What the projection of the frozen tower reads of the training images, in as many views.
  ///
  /// - Throws: `ImageError` for a picture that cannot be read; what `progress` throws.
  init(trunkOf data: ChoiceData, _ setting: MethodSetting) throws {
    try self.init(of: data, views: setting.recipe.views, nil) { setting.tower.trunk($0, $1) }
  }

  /// The features of the training images by the frozen tower: one view where their transform is fixed, else as many as
  /// the recipe has, with crops of their own.
  ///
  /// - Throws: `ImageError` for a picture that cannot be read; what `progress` throws.
  init(of data: ChoiceData, _ setting: MethodSetting) throws {
    try self.init(of: data, views: setting.recipe.views, data.features) { setting.tower($0, $1) }
  }

  /// - encode: images [batch, 3, size, size] → features [batch, width].
  private init(
    of data: ChoiceData, views: Int?, _ shelf: FeatureShelf?, encode: @escaping (Variable, Pass) -> Variable
  ) throws {
    let (loader, pass) = (data.training.loader, Pass())
    let count = loader.transform == .evaluation ? 1 : views ?? 1
    try self.init(of: data.training.images, loader, views: count, shelf, progress: data.progress) {
      encode(Variable($0), pass).value
    }
  }

  /// The features of the images of a set.
  ///
  /// - shelf: known features of the encoder, where it is frozen.
  /// - encode: images [batch, 3, size, size] → features [batch, embedding].
  init(
    of set: ImageSet, _ loader: ImageLoader, views: Int = 1, _ shelf: FeatureShelf?,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }, encode: @escaping (Tensor) -> Tensor
  ) throws {
    var features = Tensor.zeros([0, 0])
    // Views as epochs: the crops of the first are those of the first epoch of a training run.
    let count = views * set.count
    var done = 0
    for view in 0..<views {
      let files = set.items.enumerated().map { (url: $1.url, number: $0) }
      let reader = FeatureReader(files, loader, epoch: view, shelf, encode: encode)
      for (index, batch) in reader.batches.enumerated() {
        let read = try reader.next(index)
        if let error = read.unreadable.first { throw error }
        let found = read.features
        let width = found.shape.width
        if done == 0 { features = .zeros([count, width]) }
        features.write { into in
          Tensor.read(found) { (into + done * width).update(from: $0, count: found.count) }
        }
        done += batch.count
        try progress(done, count)
      }
    }
    let labels = set.items.map { Int32($0.label) }
    self.init(features: features, labels: (0..<views).flatMap { _ in labels }, views: views)
  }
}
