import Datasets
import Foundation
import Models
import Tensor

/// The source of training batches.
public enum TrainingSource: Sendable {
  /// Images, read again for every epoch, as their transform is random or the encoder changes.
  case images(ImageSet, ImageLoader)
  /// Features of a frozen encoder and a fixed transform, prepared for the head, [images, embedding], computed once.
  case features(Tensor, labels: [Int32])

  /// The source for a method: features where encoder and transform allow it.
  ///
  /// - Throws: `ImageError` for a picture that cannot be read; what `progress` throws.
  public init(
    _ set: ImageSet, for method: Method, _ loader: ImageLoader, progress: (_ done: Int) throws -> Void = { _ in }
  ) throws { try self.init(set, for: method, loader, RunClock(), progress: progress) }

  init(
    _ set: ImageSet, for method: Method, _ loader: ImageLoader, _ clock: RunClock,
    progress: (_ done: Int) throws -> Void
  ) throws {
    guard method.hasFrozenEncoder, loader.transform == .evaluation else {
      self = .images(set, loader)
      return
    }
    let features = try clock.measure(.features) {
      try FrozenFeatures(of: set, by: method, loader, clock, progress: progress)
    }
    self = .features(features.values, labels: set.items.map { Int32($0.label) })
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// True if the encoder runs only once per image.
  public var isCached: Bool { if case .features = self { true } else { false } }

  /// The label of every image.
  public var labels: [Int32] {
    switch self {
    case .images(let set, _): set.items.map { Int32($0.label) }
    case .features(_, let labels): labels
    }
  }

  /// The input of the images with these indices, transformed for the epoch.
  func input(_ indices: [Int], epoch: Int) throws -> Method.Input {
    switch self {
    case .images(let set, let loader):
      return .images(try loader.loadAll(indices.map { (set.items[$0].url, $0) }, epoch: epoch))
    case .features(let features, _):
      let table = Variable(features)
      return .prepared(table.embedding(indices.map { Int32($0) }, shape: [indices.count]).value)
    }
  }
}
