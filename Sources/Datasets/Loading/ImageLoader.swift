import Formats
import Foundation
import Tensor

/// Files → batches of preprocessed images, decoded and transformed on all cores.
public struct ImageLoader: Sendable {
  /// The transform between decoding and normalising.
  public enum Transform: Sendable, Equatable {
    /// The deterministic transform of the model: resize and centre crop.
    case evaluation
    /// A random crop and flip for every image and epoch, keyed by the seed of the run.
    case training(RandomResizedCrop, seed: UInt64)
    /// The transform of the model and a random shift for every image and epoch, keyed by the seed of the run.
    case shifted(RandomShift, seed: UInt64)
    /// A view with other colours for every image and epoch, keyed by the seed of the run.
    case contrastive(ContrastiveView, seed: UInt64)

    /// The size that a random crop yields; `nil` where the preprocessing decides.
    fileprivate var cropSize: (height: Int, width: Int)? {
      switch self {
      case .training(let crop, _): (crop.height, crop.width)
      case .contrastive(let view, _): (view.crop.height, view.crop.width)
      case .evaluation, .shifted: nil
      }
    }
  }

  /// A batch, and its unreadable images.
  public struct Batch: Sendable {
    /// [kept.count, 3, height, width]
    public let images: Tensor
    /// The images in the batch, by their index in the requested list.
    public let kept: [Int]
    /// The errors of the missing ones, in the order of the list.
    public let unreadable: [ImageError]
    /// Those in the batch whose files lack a part of them.
    package let incomplete: Set<Int>
  }

  /// The preprocessing.
  public let preprocessing: Preprocessing
  /// The transform before it.
  public let transform: Transform

  /// A loader; a training transform must crop to the size the preprocessing yields.
  public init(preprocessing: Preprocessing, transform: Transform = .evaluation) {
    if let size = transform.cropSize {
      require(
        size == preprocessing.outputSize, "ImageLoader: expected a crop of \(preprocessing.outputSize), found \(size)")
    }
    (self.preprocessing, self.transform) = (preprocessing, transform)
  }

  /// Loads images.
  ///
  /// - files: the requested ones, with an index each that keys its random crop; epoch: keys it too.
  public func load(_ files: [(url: URL, number: Int)], epoch: Int = 0) -> Batch {
    load(files, epoch: epoch) { _, _ in false }
  }

  /// The same without images that are not needed.
  ///
  /// - isKnown: told the index and the bytes of every file that can be read; true leaves the image out of the batch.
  package func load(
    _ files: [(url: URL, number: Int)], epoch: Int, isKnown: (_ index: Int, _ bytes: [UInt8]) -> Bool
  ) -> Batch {
    let (height, width) = preprocessing.outputSize
    let size = 3 * height * width
    var outcomes = [Outcome](repeating: .known, count: files.count)
    let images = outcomes.withUnsafeMutableBufferPointer { outcomes in
      // Each piece writes its own image and its own outcome.
      let outcomes = outcomes.baseAddress
      return Tensor([files.count, 3, height, width]) { output in
        Parallel.forEach(files.count) { index in
          do throws(ImageError) {
            let url = files[index].url
            let bytes = try Image.bytes(of: url)
            if isKnown(index, bytes) { return }
            let image = try Image(bytes, of: url)
            outcomes?[index] = .read(isIncomplete: image.lack != nil)
            apply(
              to: preprocessing.exif.applied(to: image, named: url.path), number: files[index].number, epoch: epoch,
              into: output + index * size)
          } catch {
            outcomes?[index] = .failed(error)
          }
        }
      }
    }
    let kept = files.indices.filter { if case .read = outcomes[$0] { true } else { false } }
    return Batch(
      images: kept.count == files.count ? images : images.rows(kept), kept: kept,
      unreadable: outcomes.compactMap { if case .failed(let error) = $0 { error } else { nil } },
      incomplete: Set(kept.filter { if case .read(isIncomplete: true) = outcomes[$0] { true } else { false } }))
  }

  /// What became of a file.
  private enum Outcome {
    case known
    case read(isIncomplete: Bool)
    case failed(ImageError)
  }

  /// Loads images, all of which must be readable.
  ///
  /// - Throws: the `ImageError` of the first that is not.
  public func loadAll(_ files: [(url: URL, number: Int)], epoch: Int = 0) throws(ImageError) -> Tensor {
    let batch = load(files, epoch: epoch)
    if let error = batch.unreadable.first { throw error }
    return batch.images
  }

  private func apply(to image: Image, number: Int, epoch: Int, into output: UnsafeMutablePointer<Real>) {
    switch transform {
    case .evaluation:
      preprocessing.apply(to: image, into: output)
    case .training(let crop, let seed):
      var stream = Self.draws(seed: seed, number: number, epoch: epoch)
      preprocessing.normalize(crop.applied(to: image, using: &stream), into: output)
    case .shifted(let shift, let seed):
      var stream = Self.draws(seed: seed, number: number, epoch: epoch)
      preprocessing.normalize(
        shift.applied(to: preprocessing.geometryApplied(to: image), using: &stream), into: output)
    case .contrastive(let view, let seed):
      var stream = Self.draws(seed: seed, number: number, epoch: epoch)
      preprocessing.normalize(view.applied(to: image, using: &stream), into: output)
    }
  }

  /// The random numbers of an image in an epoch: a few dozen at most; a stride of 2¹⁶ keeps images apart.
  private static func draws(seed: UInt64, number: Int, epoch: Int) -> RandomStream {
    RandomStream(Random(seed: seed, purpose: .augmentation, step: epoch), position: UInt64(number) << 16)
  }
}

extension Tensor {
  /// Some of the outermost slices, in the given order.
  package func rows(_ indices: [Int]) -> Tensor {
    let size = shape[0] == 0 ? 0 : count / shape[0]
    return Tensor.read(self) { from in
      Tensor(Shape([indices.count] + shape.extents.dropFirst())) { into in
        for (slot, index) in indices.enumerated() {
          (into + slot * size).update(from: from + index * size, count: size)
        }
      }
    }
  }
}
