import Foundation
import Tensor

/// What a run finds in the cache and adds to it.
struct RunFeatures: Sendable {
  /// Features of images as they are prepared for the model, by the encoder that the run freezes or tunes.
  let images: FeatureShelf
  /// Features of texts by its text tower.
  let texts: FeatureShelf
  /// The same by the model as it came: the same shelves, unless an earlier run tuned it.
  let frozenImages, frozenTexts: FeatureShelf

  /// The shelves of a run; `nil` without a cache, and where it is not known what decides the features.
  init?(_ run: Run) {
    let settings = run.configuration
    guard let cache = run.featureCache, let files = run.modelFiles,
      let model = EncoderIdentity(settings.model, opened: files)
    else { return nil }
    func shelf(_ name: String, _ kind: String) -> FeatureShelf {
      FeatureShelf(cache, name, kind: kind, model: settings.model.path, data: settings.data.path)
    }
    func shelves(_ encoder: EncoderIdentity) -> (images: FeatureShelf, texts: FeatureShelf) {
      (
        shelf(encoder.shelf(run.pretrained.preprocessing), "images"),
        shelf(encoder.shelf(cleaning: settings.cleaning, truncates: settings.truncates), "texts")
      )
    }
    (frozenImages, frozenTexts) = shelves(model)
    guard run.base?.tunesEncoder ?? false, let earlier = settings.on?.sha256 else {
      (images, texts) = (frozenImages, frozenTexts)
      return
    }
    guard let tuned = EncoderIdentity(settings.model, opened: files, earlier: earlier) else { return nil }
    (images, texts) = shelves(tuned)
  }

  /// The number of images whose features came from the cache.
  var reused: Int { images.reused + (images === frozenImages ? 0 : frozenImages.reused) }

  /// Why nothing could be written, if so.
  var problem: String? { [images, texts, frozenImages, frozenTexts].lazy.compactMap(\.problem).first }
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
