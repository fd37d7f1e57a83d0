import Foundation
import Tensor

/// What a run finds in the cache and adds to it.
struct RunFeatures: Sendable {
  /// Features of images as they are prepared for the model.
  let images: FeatureShelf
  /// Features of texts.
  let texts: FeatureShelf

  /// The shelves of a run; `nil` without a cache, and where it is not known what decides the features.
  init?(_ run: Run) {
    let settings = run.configuration
    guard let cache = run.featureCache, let files = run.modelFiles,
      let encoder = EncoderIdentity(settings.model, opened: files)
    else { return nil }
    func shelf(_ name: String, _ kind: String) -> FeatureShelf {
      FeatureShelf(cache, name, kind: kind, model: settings.model.path, data: settings.data.path)
    }
    images = shelf(encoder.shelf(run.pretrained.preprocessing), "images")
    texts = shelf(encoder.shelf(cleaning: settings.cleaning, truncates: settings.truncates), "texts")
  }

  /// The number of images whose features came from the cache.
  var reused: Int { images.reused }

  /// Why nothing could be written, if so.
  var problem: String? { images.problem ?? texts.problem }
}

extension FeatureShelf {
  /// Features of texts, [texts, embedding].
  ///
  /// - encode: computes those of all, where one is not known.
  func features(of texts: [String], encode: ([String]) throws -> Tensor) rethrows -> Tensor {
    let keys = FeatureKey.texts(texts)
    let rows = keys.compactMap { row($0) }
    if rows.count == keys.count, let width = rows.first?.count {
      return Tensor([rows.count, width], Array(rows.joined()))
    }
    let found = try encode(texts)
    add(keys, found)
    flush()
    return found
  }
}
