import Datasets
import Foundation
import Tensor

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
