import Foundation

/// Images: [count, channels, height, width], row-major.
public struct Images: Sendable, Equatable {
  /// The extents.
  public let count, channels, height, width: Int
  /// All pixels, the first row of the first channel of the first image first.
  public var values: [Double]

  /// Images by their pixels.
  public init(count: Int, channels: Int, height: Int, width: Int, _ values: [Double]) {
    require(
      values.count == count * channels * height * width,
      "Images: expected \(count) × \(channels) × \(height) × \(width) pixels, found \(values.count)")
    (self.count, self.channels, self.height, self.width) = (count, channels, height, width)
    self.values = values
  }

  /// The pixels that `patches` reads, in the order of its result; pixels that fill no patch are none of them.
  func patchPixels(of size: Int) -> [Int] {
    var pixels: [Int] = []
    for image in 0..<count {
      for row in stride(from: 0, through: height - size, by: size) {
        for column in stride(from: 0, through: width - size, by: size) {
          for channel in 0..<channels {
            for y in row..<row + size {
              for x in column..<column + size { pixels.append(((image * channels + channel) * height + y) * width + x) }
            }
          }
        }
      }
    }
    return pixels
  }
}

/// Images cut into square patches, each flattened to a row (Dosovitskiy et al. 2021, section 3.1).
///
///     y[(b, i, j), (c, u, v)] = x[b, c, i p + u, j p + v]
///
/// - images x: [count, channels, height, width]; size p; y: [count · (height / p) · (width / p), channels · p · p].
public func patches(_ images: Images, of size: Int) -> Matrix {
  let rows = images.count * (images.height / size) * (images.width / size)
  return Matrix(rows, images.channels * size * size, images.patchPixels(of: size).map { images.values[$0] })
}

/// The gradient of patches: every pixel gets that of its copy, those outside of all patches 0.
public func patchesBackward(_ dy: Matrix, images: Images, of size: Int) -> Images {
  var dx = images
  dx.values = [Double](repeating: 0, count: images.values.count)
  for (copy, pixel) in images.patchPixels(of: size).enumerated() { dx.values[pixel] = dy.values[copy] }
  return dx
}

/// The features of a vision transformer, and every value on the way to them that its backward pass reads.
public struct VisionValues: Sendable {
  /// Patches, their embedding with class token and positions, and the result of the first norm, if there is one.
  public let patches, embedded, preNorm: Matrix
  /// The blocks.
  public let blocks: [BlockValues]
  /// The class tokens after the last block, before and after the last norm: [samples, width].
  public let classTokens, postNorm: Matrix
  /// The features, not normalised: [samples, embedding], or [samples, width] without a projection.
  public let features: Matrix
}

extension Network {
  /// A vision transformer (Dosovitskiy et al. 2021, eq. 1 to 4), or CLIP's form of it (Radford et al. 2021, section
  /// 2.4) where there are a first norm and a projection and no bias in the patch embedding.
  ///
  ///     z = [c; E patch_1 + e; …; E patch_N + e] + positions
  ///     z = preNorm(z), if there is one;   z = block_i(z), i = 0 … n − 1
  ///     f = postNorm(z[0]);   f = P f, if there is a projection
  ///
  /// - images: [samples, 3, size, size]; vision.patchEmbedding E: [width, 3 · p · p]; vision.classToken c: [1, width];
  ///   vision.positions: [1 + patches, width]; vision.projection P: [embedding, width].
  public func visionTransformer(_ images: Images) -> VisionValues {
    let samples = images.count
    let cut = patches(images, of: patchSize(images))
    let tokens = tunedLinear(cut, "vision.patchEmbedding", samples: samples)
    let sequences = prepended(tokens, token: self["vision.classToken"], samples: samples)
    let embedded = withPositions(sequences, self["vision.positions"])
    let preNorm = weights["vision.preNorm.scale"] == nil ? embedded : norm(embedded, "vision.preNorm")
    let blocks = stack(preNorm, "vision", samples: samples, isCausal: false)
    let last = blocks.last?.output ?? preNorm
    let classTokens = selectRows(last, classRows(last.rows, samples: samples))
    let postNorm = norm(classTokens, "vision.postNorm")
    let features =
      weights["vision.projection"] == nil ? postNorm : tunedLinear(postNorm, "vision.projection", samples: samples)
    return VisionValues(
      patches: cut, embedded: embedded, preNorm: preNorm, blocks: blocks, classTokens: classTokens,
      postNorm: postNorm, features: features)
  }

  /// The gradients of a vision transformer: of the images, and of every tensor by its name.
  ///
  /// - dFeatures: as `values.features`, `values` being the result of `visionTransformer` for the same images.
  public func visionTransformerBackward(
    _ dFeatures: Matrix, _ values: VisionValues, images: Images
  ) -> (images: Images, weights: Parameters) {
    var gradients: Parameters = [:]
    let samples = images.count
    var d = dFeatures
    if weights["vision.projection"] != nil {
      d = tunedLinearBackward(d, x: values.postNorm, "vision.projection", samples: samples, &gradients)
    }
    d = normBackward(d, x: values.classTokens, "vision.postNorm", &gradients)
    let rows = values.blocks.last?.output.rows ?? values.preNorm.rows
    d = selectRowsBackward(d, classRows(rows, samples: samples), of: rows)
    d = stackBackward(d, values.blocks, "vision", samples: samples, isCausal: false, &gradients)
    if weights["vision.preNorm.scale"] != nil {
      d = normBackward(d, x: values.embedded, "vision.preNorm", &gradients)
    }
    gradients["vision.positions"] = positionsBackward(d, tokens: self["vision.positions"].rows)
    let (dTokens, dClassToken) = prependedBackward(d, samples: samples)
    gradients["vision.classToken"] = dClassToken
    let dCut = tunedLinearBackward(dTokens, x: values.patches, "vision.patchEmbedding", samples: samples, &gradients)
    return (patchesBackward(dCut, images: images, of: patchSize(images)), gradients)
  }

  /// The rows of the class tokens, the first of every image, with any number of tokens behind them (VPT (c)).
  private func classRows(_ rows: Int, samples: Int) -> [Int] { (0..<samples).map { $0 * (rows / samples) } }

  /// p, by the width of the patch embedding's rows, channels · p · p.
  private func patchSize(_ images: Images) -> Int {
    Int(Double(self["vision.patchEmbedding"].columns / images.channels).squareRoot().rounded())
  }
}
