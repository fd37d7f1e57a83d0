import Datasets
import Foundation
import Models
import Tensor

/// The source of training batches.
public enum TrainingSource: Sendable {
  /// Images, read again for every epoch, as their transform is random or the encoder changes.
  case images(ImageSet, ImageLoader)
  /// Features of a frozen encoder, prepared for the head, computed once: those of one transform, or those of several
  /// views of each image, [views · images, embedding].
  case features(Tensor, labels: [Int32], views: Int = 1)
  /// What the projection reads, computed once: an epoch takes one view, epoch e from 0 the view e + 1 and the last one
  /// the first.
  case trunk(HeadExamples)

  /// The source for a method: features where encoder and transform allow it.
  ///
  /// - Throws: `ImageError` for a picture that cannot be read; what `progress` throws.
  public init(
    _ set: ImageSet, for method: Method, _ loader: ImageLoader, progress: (_ done: Int) throws -> Void = { _ in }
  ) throws { try self.init(set, for: method, loader, nil, RunClock(), progress: progress) }

  /// The same with known features of the frozen encoder, and a clock.
  init(
    _ set: ImageSet, for method: Method, _ loader: ImageLoader, _ shelf: FeatureShelf?, _ clock: RunClock,
    progress: (_ done: Int) throws -> Void
  ) throws {
    if let examples = method.encoder.trunkExamples {
      self = .trunk(examples)
      return
    }
    if method.hasFrozenEncoder, let examples = method.head.trainingExamples {
      self = .features(
        method.head.prepared(Variable(examples.features)).value, labels: examples.labels, views: examples.views)
      return
    }
    guard method.hasFrozenEncoder, loader.transform == .evaluation else {
      self = .images(set, loader)
      return
    }
    let features = try clock.measure(.features) {
      try FrozenFeatures(of: set, by: method, loader, shelf, clock, progress: progress)
    }
    self = .features(features.values, labels: set.items.map { Int32($0.label) })
  }

  /// The number of images; an epoch is as long, whatever the views of each.
  public var count: Int {
    switch self {
    case .images: rows
    case .features(_, let labels, let views): labels.count / views
    case .trunk(let examples): examples.images
    }
  }

  /// The number of inputs to choose batches from: images, or all of their views.
  var rows: Int { labels.count }

  /// True if the encoder runs only once per image.
  public var isCached: Bool { if case .images = self { false } else { true } }

  /// The inputs from which the batches of an epoch are chosen, counted from 0.
  func rows(ofEpoch epoch: Int) -> Range<Int> {
    guard case .trunk(let examples) = self else { return 0..<rows }
    let first = (epoch + 1) % examples.views * examples.images
    return first..<first + examples.images
  }

  /// The label of every input.
  public var labels: [Int32] {
    switch self {
    case .images(let set, _): set.items.map { Int32($0.label) }
    case .features(_, let labels, _): labels
    case .trunk(let examples): examples.labels
    }
  }

  /// The input of the images with these indices, transformed for the epoch.
  func input(_ indices: [Int], epoch: Int) throws -> Method.Input {
    switch self {
    case .images(let set, let loader):
      return .images(try loader.loadAll(indices.map { (set.items[$0].url, $0) }, epoch: epoch))
    case .features(let features, _, _): return .prepared(features.rows(indices))
    case .trunk(let examples): return .trunk(examples.features.rows(indices))
    }
  }
}
