import Formats
import Foundation
import Tensor

/// The training transform: a random part of the image, resized, and mirrored with probability ½
/// (torchvision's `RandomResizedCrop` and `RandomHorizontalFlip`, whose rules it follows draw by draw).
public struct RandomResizedCrop: Sendable, Equatable {
  /// Rows of the result.
  public var height: Int
  /// Columns of the result.
  public var width: Int
  /// The bounds of the part's share of the area; (0.08, 1) in CoOp and most of its followers, (0.5, 1) in Tip-Adapter
  /// and others.
  public var scale: ClosedRange<Double>
  /// The bounds of width over height.
  public var ratio: ClosedRange<Double>
  /// The probability of mirroring.
  public var flipProbability: Double
  /// The filter of the resizing.
  public var resample: Resample

  /// Traps when a side or a bound is not positive.
  public init(
    height: Int = 224, width: Int = 224, scale: ClosedRange<Double> = 0.08...1,
    ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3, flipProbability: Double = 0.5, resample: Resample = .bicubic
  ) {
    require(height > 0 && width > 0, "random crop: expected a positive size, found \(width) × \(height)")
    require(scale.lowerBound > 0 && ratio.lowerBound > 0, "random crop: expected bounds above 0")
    self.height = height
    self.width = width
    self.scale = scale
    self.ratio = ratio
    self.flipProbability = flipProbability
    self.resample = resample
  }

  /// Samples the crop of an image of the given size.
  ///
  /// Up to ten tries, each with area A = W H U(scale) and ratio ρ = exp U(ln ratio):
  ///
  ///     w = round √(A ρ),   h = round √(A / ρ)      (halves to even)
  ///
  /// accepted if 0 < w ≤ W and 0 < h ≤ H, with top uniform in 0...H − h, then left in 0...W − w. Otherwise the
  /// largest part in the middle whose ratio is within bounds.
  package func box(
    width imageWidth: Int, height imageHeight: Int, using generator: inout some RandomNumberGenerator
  ) -> PixelBox {
    let area = Double(imageWidth) * Double(imageHeight)
    for _ in 0..<10 {
      let target = area * UniformDraw.real(in: scale, using: &generator)
      let aspect = exp(UniformDraw.real(in: log(ratio.lowerBound)...log(ratio.upperBound), using: &generator))
      let w = (target * aspect).squareRoot().rounded(.toNearestOrEven)
      let h = (target / aspect).squareRoot().rounded(.toNearestOrEven)
      guard w > 0, w <= Double(imageWidth), h > 0, h <= Double(imageHeight) else { continue }
      let top = UniformDraw.integer(below: imageHeight - Int(h) + 1, using: &generator)
      let left = UniformDraw.integer(below: imageWidth - Int(w) + 1, using: &generator)
      return PixelBox(left: left, top: top, width: Int(w), height: Int(h))
    }
    return centeredBox(width: imageWidth, height: imageHeight)
  }

  private func centeredBox(width imageWidth: Int, height imageHeight: Int) -> PixelBox {
    let aspect = Double(imageWidth) / Double(imageHeight)
    var (w, h) = (imageWidth, imageHeight)
    // A clamped side may round to 0, or past the image, only at the very edge of the ratios.
    if aspect < ratio.lowerBound {
      let exact = (Double(w) / ratio.lowerBound).rounded(.toNearestOrEven)
      h = max(1, min(imageHeight, Int(exact)))
    } else if aspect > ratio.upperBound {
      let exact = (Double(h) * ratio.upperBound).rounded(.toNearestOrEven)
      w = max(1, min(imageWidth, Int(exact)))
    }
    return PixelBox(left: (imageWidth - w) / 2, top: (imageHeight - h) / 2, width: w, height: h)
  }

  /// Samples a part (`box`), resizes it, and mirrors it if one more random number is below `flipProbability`.
  package func applied(to image: Image, using generator: inout some RandomNumberGenerator) -> Image {
    let box = box(width: image.width, height: image.height, using: &generator)
    let part = image.resized(width: width, height: height, resample, box: box)
    return UniformDraw.real(using: &generator) < flipProbability ? part.mirrored() : part
  }
}

extension Image {
  /// The image with left and right exchanged.
  package func mirrored() -> Image {
    var result = self
    result.pixels.withUnsafeMutableBufferPointer { pixels in
      for row in 0..<height {
        var left = row * width * 3
        var right = left + (width - 1) * 3
        while left < right {
          for channel in 0..<3 { pixels.swapAt(left &+ channel, right &+ channel) }
          left &+= 3
          right &-= 3
        }
      }
    }
    return result
  }
}
