import Datasets
import Foundation
import Models
import Tensor

/// CLIP's objective (`ContrastiveLoss`) on the images of a folder and their captions.
///
/// An epoch shows every image once, in an order of its own, with one of its captions at random and a random crop of at
/// least nine tenths of its area, as open_clip does; nothing is mirrored, as captions may say left and right. All of it
/// is keyed by seed and epoch. A last batch that is not full is dropped, so that no image is twice in a batch.
package struct FolderPretraining: PretrainingObjective {
  /// The settings of the pairs, keys of `pretraining.json`.
  package struct Settings: Sendable, Codable, Equatable {
    /// The folder, as given.
    package var path: String
    /// The digest of the names of its images and of their captions.
    package var sha256: String
    /// The height and width of the model's images.
    package var imageSize: Int
    /// The height and width of its patches.
    package var patchSize: Int
    /// The longest text in tokens, its start and end included.
    package var contextLength = 77

    /// Settings for the pairs of a folder.
    package init(path: String, sha256: String, imageSize: Int, patchSize: Int) {
      (self.path, self.sha256) = (path, sha256)
      (self.imageSize, self.patchSize) = (imageSize, patchSize)
    }

    /// The first setting out of range: expected and found.
    package var problem: SettingError? {
      if !(8...512).contains(imageSize) {
        return SettingError("image-size", expected: "8 to 512", found: "\(imageSize)")
      }
      if !(2...imageSize).contains(patchSize) || imageSize % patchSize != 0 {
        return SettingError(
          "patch-size", expected: "a divisor of the image size \(imageSize), 2 or more", found: "\(patchSize)")
      }
      if !(2...1024).contains(contextLength) {
        return SettingError("contextLength", expected: "2 to 1024", found: "\(contextLength)")
      }
      return nil
    }
  }

  /// Merges the tokenizer learns at most, and the words it learns them from: the most frequent ones.
  private static let (mostMerges, mostWords) = (4000, 20_000)
  /// Held-out images at most, and one of how many.
  private static let (mostHeld, heldShare) = (256, 20)

  private let base: ContrastiveModel
  private let settings: Settings
  private let items: [CaptionedImages.Item]
  private let loader: ImageLoader
  private let seed: UInt64
  /// The images that are only evaluated, with the first caption of each.
  private let held: (images: Tensor, captions: [String])

  /// The number of images that are trained on, and that are held out for evaluation.
  package var imageCount: Int { items.count }
  /// The number of images that are only evaluated.
  package var heldCount: Int { held.captions.count }
  /// The number of captions of images that are trained on, and of those that are cut to the context.
  package let captionCount: Int, cutCount: Int

  /// The objective on some pairs, with initial weights, order and held-out images of a seed.
  ///
  /// - Throws: `SettingError` for settings out of range, `RunError` for other pairs than those of the settings or fewer
  ///   than a batch, `ImageError` for a held-out image that cannot be read.
  package init(_ pairs: CaptionedImages, _ settings: Settings, batchSize: Int, seed: UInt64) throws {
    if let problem = settings.problem { throw problem }
    guard pairs.sha256 == settings.sha256 else {
      throw RunError(
        "\(pairs.root.shown): expected the images and captions of the pretraining, found others (added, removed or "
          + "changed since)")
    }
    var stream = RandomStream(seed: seed, purpose: .search)
    let order = stream.permutation(of: pairs.items.count)
    let heldOut = min(Self.mostHeld, pairs.items.count / Self.heldShare)
    let held = Set(order.prefix(heldOut < 2 ? 0 : heldOut))
    items = pairs.items.indices.filter { !held.contains($0) }.map { pairs.items[$0] }
    guard items.count >= batchSize else {
      let rest = held.isEmpty ? "" : " besides \(held.count) that are held out"
      throw SettingError(
        "batch", expected: "at most the \(items.count) images of the folder\(rest)", found: "\(batchSize)")
    }
    let captions = items.flatMap(\.captions)
    let words = BytePairTraining.counts(of: captions).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    base = try ContrastiveModel(
      BytePairTraining(
        words: Dictionary(uniqueKeysWithValues: words.prefix(Self.mostWords).map { ($0.key, $0.value) }),
        limit: Self.mostMerges),
      sizes: { vocabulary in
        ContrastivePretraining.configuration(
          vocabulary: vocabulary, imageSize: settings.imageSize, patchSize: settings.patchSize,
          contextLength: settings.contextLength)
      }, seed: seed)
    (self.settings, self.seed) = (settings, seed)
    (captionCount, cutCount) = (captions.count, base.countOfLong(captions))
    let (height, width) = base.preprocessing.outputSize
    let crop = RandomResizedCrop(
      height: height, width: width, scale: 0.9...1, flipProbability: 0, resample: base.preprocessing.resample)
    loader = ImageLoader(preprocessing: base.preprocessing, transform: .training(crop, seed: seed))
    let shown = held.sorted().map { pairs.items[$0] }
    self.held = (
      try ImageLoader(preprocessing: base.preprocessing).loadAll(shown.map { ($0.url, 0) }),
      shown.map { $0.captions[0] }
    )
  }

  /// The initial model.
  package var model: CLIP { base.model }
  /// The tensors of both towers, and log s.
  package var parameters: [Parameter] { base.model.parameters }

  /// What tells the checkpoints of other pairs and sizes apart.
  package var identity: String? {
    "\(settings.sha256) \(settings.imageSize) \(settings.patchSize) \(settings.contextLength)"
  }

  /// The images of a step and a caption of each.
  ///
  /// - Throws: `ImageError` for an image that cannot be read.
  package func batch(_ step: Int, size: Int, isLesson: Bool) throws -> ContrastiveBatch {
    let (epoch, index) = step.quotientAndRemainder(dividingBy: items.count / size)
    var stream = RandomStream(seed: seed, purpose: .shuffle, step: epoch)
    let numbers = stream.permutation(of: items.count)[index * size..<(index + 1) * size]
    let (ids, ends) = base.tokens(numbers.map { caption(of: $0, epoch: epoch) }, keepsEnd: true)
    return ContrastiveBatch(
      images: try loader.loadAll(numbers.map { (items[$0].url, $0) }, epoch: epoch), ids: ids, ends: ends)
  }

  /// One of the captions of an image. Its random number lies behind those of the crop, of which there are a few dozen.
  private func caption(of number: Int, epoch: Int) -> String {
    let captions = items[number].captions
    let random = Random(seed: seed, purpose: .augmentation, step: epoch)
    var stream = RandomStream(random, position: UInt64(number) << 16 + 1 << 15)
    return captions[stream.integer(below: captions.count)]
  }

  /// The contrastive loss, and the number of images most similar to their own caption.
  package func loss(_ batch: ContrastiveBatch, _ pass: Pass) -> (loss: Variable, correct: Int) {
    base.loss(batch, pass)
  }

  /// The share of held-out images that are most similar to their own caption among those of all, and s.
  package func milestones(_ pass: Pass) -> [String: Double] {
    var result = ["scale": base.scale(pass)]
    guard heldCount > 0 else { return result }
    let (ids, ends) = base.tokens(held.captions, keepsEnd: true)
    let batch = ContrastiveBatch(images: held.images, ids: ids, ends: ends)
    result["retrieval"] = percent(base.loss(batch, pass).correct, of: heldCount)
    return result
  }

  /// Writes the directory of a Hugging Face CLIP, weights in half precision.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(_ values: [Tensor], to folder: URL) throws { try base.write(values, to: folder) }
}
