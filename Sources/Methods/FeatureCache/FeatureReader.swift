import Datasets
import Formats
import Foundation
import Models
import Synchronization
import Tensor

/// Images in batches, as an encoder sees them: their features, from the cache where they are known.
///
/// Images are read and prepared on another thread, a batch or two ahead; one whose features are known is read, as its
/// contents are its key, but not decoded. Features are the same bits either way, as those of an image do not depend on
/// its batch.
final class FeatureReader {
  /// The readable images of a batch.
  struct Batch {
    /// [kept, width]
    let features: Tensor
    /// The images in the batch, by their index in it.
    let kept: [Int]
    /// The errors of the others.
    let unreadable: [ImageError]
  }

  /// A batch before the encoder: images that are new, and the keys and known rows of all.
  private struct Prepared: Sendable {
    var images: ImageLoader.Batch
    var keys: [FeatureKey?]
    var rows: [[Real]?]
  }

  /// The indices of the images in each batch.
  let batches: [Range<Int>]
  private let prepared: Prefetcher<Prepared>
  private let shelf: FeatureShelf?
  private let clock: RunClock
  private let encode: (Tensor) -> Tensor

  /// - files: images, each with the index that keys its draws, as for `ImageLoader.load`.
  /// - shelf: the known features of the same encoder; `nil` for none.
  /// - encode: [batch, 3, height, width] → [batch, width].
  init(
    _ files: [(url: URL, number: Int)], _ loader: ImageLoader, epoch: Int = 0, _ shelf: FeatureShelf?,
    _ clock: RunClock = RunClock(), encode: @escaping (Tensor) -> Tensor
  ) {
    let batches = files.indices.batches(of: Evaluation.batchSize).map { $0.startIndex..<$0.endIndex }
    (self.batches, self.shelf, self.clock, self.encode) = (batches, shelf, clock, encode)
    prepared = Prefetcher(batches.indices) { index in
      Self.prepare(Array(files[batches[index]]), loader, epoch, shelf)
    }
  }

  deinit { shelf?.flush() }

  private static func prepare(
    _ files: [(url: URL, number: Int)], _ loader: ImageLoader, _ epoch: Int, _ shelf: FeatureShelf?
  ) -> Prepared {
    let none = [Int](0..<files.count)
    guard let shelf else {
      return Prepared(
        images: loader.load(files, epoch: epoch), keys: none.map { _ in nil }, rows: none.map { _ in nil })
    }
    let found = Mutex((keys: [FeatureKey?](none.map { _ in nil }), rows: [[Real]?](none.map { _ in nil })))
    let images = loader.load(files, epoch: epoch) { index, bytes in
      let key = FeatureKey(image: bytes, loader.transform, number: files[index].number, epoch: epoch)
      let row = shelf.row(key)
      found.withLock { ($0.keys[index], $0.rows[index]) = (key, row) }
      return row != nil
    }
    return found.withLock { Prepared(images: images, keys: $0.keys, rows: $0.rows) }
  }

  /// The next batch; indices must be requested in order, each once.
  func next(_ index: Int) throws -> Batch {
    let batch = try clock.measure(.reading) { try prepared.next(index) }
    let (images, rows) = (batch.images, batch.rows)
    let computed = images.kept.isEmpty ? nil : encode(images.images)
    guard let shelf else {
      return Batch(features: computed ?? .zeros([0, 0]), kept: images.kept, unreadable: images.unreadable)
    }
    if let computed {
      // Of an incomplete image a warning tells whenever it is decoded.
      let whole = images.kept.indices.filter { !images.incomplete.contains(images.kept[$0]) }
      shelf.add(
        whole.compactMap { batch.keys[images.kept[$0]] },
        whole.count == images.kept.count ? computed : computed.rows(whole))
    }
    let known = rows.indices.filter { rows[$0] != nil }
    guard let width = computed?.shape.width ?? known.first.flatMap({ rows[$0]?.count }), !known.isEmpty else {
      return Batch(features: computed ?? .zeros([0, 0]), kept: images.kept, unreadable: images.unreadable)
    }
    let kept = (known + images.kept).sorted()
    let position = Dictionary(uniqueKeysWithValues: images.kept.enumerated().map { ($1, $0) })
    let new = computed?.values ?? []
    let features = Tensor([kept.count, width]) { output in
      for (row, image) in kept.enumerated() {
        let values = position[image].map { new[$0 * width..<($0 + 1) * width] } ?? rows[image]?[...] ?? []
        for (column, value) in values.enumerated() { output[row * width + column] = value }
      }
    }
    return Batch(features: features, kept: kept, unreadable: images.unreadable)
  }
}
