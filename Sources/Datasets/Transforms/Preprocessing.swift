import Formats
import Tensor

/// An invalid preprocessing setting: expected and found.
public struct PreprocessingError: Error, Equatable, CustomStringConvertible {
  /// What was expected.
  public let expected: String
  /// What was found.
  public let found: String

  /// The message: expected and found.
  public var description: String { "preprocessing: expected \(expected), found \(found)" }
}

/// The preprocessing of an image into a model's input: size, crop, scale.
public struct Preprocessing: Sendable, Equatable {
  /// The rounding of a centre crop's offset when the margin is odd.
  public enum CropRounding: String, Sendable, Codable {
    /// round((n − crop) / 2), halves to even: torchvision and OpenAI's CLIP.
    case halfToEven
    /// ⌊(n − crop) / 2⌋: Hugging Face's image processors.
    case down
  }

  /// The way an image is brought to the size of the model.
  public enum Geometry: Sendable, Equatable {
    /// The shorter side becomes `size`, the longer ⌊size · longer / shorter⌋; then the middle `crop` × `crop`.
    case shortestEdge(Int, crop: Int, rounding: CropRounding = .halfToEven)
    /// Both sides are given; the aspect ratio is not kept.
    case direct(height: Int, width: Int)
    /// Both sides become `size`, whatever the aspect ratio; then the middle `crop` × `crop`: DeiT of Hugging Face.
    case square(Int, crop: Int, rounding: CropRounding = .halfToEven)
    /// The longer side becomes `size`, the shorter one in proportion, rounded; then borders of a colour, 0 to 255 in
    /// every channel, up to `size` × `size`: open_clip's `longest`.
    case longestEdge(Int, fill: Int)

    /// The way in words.
    package var words: String {
      switch self {
      case .shortestEdge(let size, let crop, _): "shorter side to \(size), centre crop \(crop)"
      case .direct(let height, let width): "resize to \(height) × \(width)"
      case .square(let size, let crop, _): "resize to \(size) × \(size), centre crop \(crop)"
      case .longestEdge(let size, let fill): "longer side to \(size), borders of \(fill)"
      }
    }
  }

  /// The geometry of the result.
  public let geometry: Geometry
  /// The filter of the resizing.
  public let resample: Resample
  /// The means of the three channels, after rescaling.
  public let mean: [Double]
  /// The divisors of the three channels, after subtracting the mean.
  public let std: [Double]
  /// The factor of 8-bit pixels, applied first.
  public let rescale: Double
  /// The treatment of photos that do not stand upright, before everything else.
  public var exif = EXIFRotation.ignore
  /// The 256 values of each channel, normalised in `Double`.
  private let levels: [Real]

  /// - Throws: `PreprocessingError` if a size is not positive or above 2²⁰, the crop is larger than the shortest
  ///   edge, or mean and std are not three finite numbers each, std above 0.
  public init(
    geometry: Geometry, resample: Resample = .bicubic, mean: [Double], std: [Double], rescale: Double = 1 / 255
  ) throws(PreprocessingError) {
    guard mean.count == 3, mean.allSatisfy(\.isFinite) else {
      throw PreprocessingError(expected: "a mean for each of 3 channels", found: "\(mean)")
    }
    guard std.count == 3, std.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw PreprocessingError(expected: "a std above 0 for each of 3 channels", found: "\(std)")
    }
    let sizes = 1...1 << 20
    switch geometry {
    case .shortestEdge(let size, let crop, _), .square(let size, let crop, _):
      guard sizes ~= size, 1...size ~= crop else {
        throw PreprocessingError(
          expected: "a shortest edge of 1 to 2²⁰ and a crop no larger", found: "\(size) and \(crop)")
      }
    case .longestEdge(let size, let fill):
      guard sizes ~= size, 0...255 ~= fill else {
        throw PreprocessingError(expected: "a side of 1 to 2²⁰ and a colour of 0 to 255", found: "\(size) and \(fill)")
      }
    case .direct(let height, let width):
      guard sizes ~= height, sizes ~= width else {
        throw PreprocessingError(expected: "sides of 1 to 2²⁰", found: "\(width) × \(height)")
      }
    }
    self.geometry = geometry
    self.resample = resample
    self.mean = mean
    self.std = std
    self.rescale = rescale
    levels = (0..<3 * 256).map { index in
      let value = rescale * Double(index & 255)
      return Real((value - mean[index >> 8]) / std[index >> 8])
    }
  }

  /// The name Hugging Face gives the file that states it.
  package static let fileName = "preprocessor_config.json"

  /// The test transform of CLIP and of the methods built on it.
  public static func clip(size: Int = 224) throws(PreprocessingError) -> Preprocessing {
    try Preprocessing(
      geometry: .shortestEdge(size, crop: size), mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711])
  }

  /// Height and width of the result.
  package var outputSize: (height: Int, width: Int) {
    switch geometry {
    case .longestEdge(let size, _): (size, size)
    case .shortestEdge(_, let crop, _), .square(_, let crop, _): (crop, crop)
    case .direct(let height, let width): (height, width)
    }
  }

  /// The image resized and cropped, still 8 bits.
  package func geometryApplied(to image: Image) -> Image {
    switch geometry {
    case .direct(let height, let width): return image.resized(width: width, height: height, resample)
    case .longestEdge(let size, let fill):
      let ratio = Double(max(image.width, image.height)) / Double(size)
      func side(_ old: Int) -> Int { max(1, Int((Double(old) / ratio).rounded(.toNearestOrEven))) }
      let resized = image.resized(width: side(image.width), height: side(image.height), resample)
      return resized.padded(to: size, fill: UInt8(fill))
    case .shortestEdge(let size, let crop, let rounding):
      let (shorter, longer) = (min(image.width, image.height), max(image.width, image.height))
      // A narrow image may become enormous; only the window is ever computed.
      let long = size * longer / shorter
      let (width, height) = image.width <= image.height ? (size, long) : (long, size)
      return cropped(image, width: width, height: height, to: crop, rounding)
    case .square(let size, let crop, let rounding):
      return cropped(image, width: size, height: size, to: crop, rounding)
    }
  }

  /// The middle of the image resized to a width and a height.
  private func cropped(_ image: Image, width: Int, height: Int, to crop: Int, _ rounding: CropRounding) -> Image {
    let (left, top) = (Self.offset(width - crop, rounding), Self.offset(height - crop, rounding))
    let box = PixelBox(left: left, top: top, width: crop, height: crop)
    return image.resized(width: width, height: height, resample, window: box)
  }

  /// Resizes, crops and normalises `image` into `output`, [3, height, width] of `outputSize`.
  ///
  ///     y = (rescale · pixel − mean) / std      for each channel
  package func apply(to image: Image, into output: UnsafeMutablePointer<Real>) {
    normalize(geometryApplied(to: image), into: output)
  }

  /// Normalises the pixels of `image` as they are into `output`, [3, image.height, image.width].
  package func normalize(_ image: Image, into output: UnsafeMutablePointer<Real>) {
    let area = image.width * image.height
    levels.withUnsafeBufferPointer { levels in
      image.pixels.withUnsafeBufferPointer { pixels in
        for index in 0..<area {
          output[index] = levels[Int(pixels[3 &* index])]
          output[area &+ index] = levels[256 &+ Int(pixels[3 &* index &+ 1])]
          output[2 &* area &+ index] = levels[512 &+ Int(pixels[3 &* index &+ 2])]
        }
      }
    }
  }

  private static func offset(_ margin: Int, _ rounding: CropRounding) -> Int {
    let half = margin / 2
    switch rounding {
    case .down: return half
    case .halfToEven: return margin & 1 == 1 && half & 1 == 1 ? half + 1 : half
    }
  }
}
