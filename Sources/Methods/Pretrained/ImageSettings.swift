import Datasets
import Formats
import Models

/// The preparation of a classifier's images where its files state one, as a run and its delta keep it.
public struct ImageSettings: Sendable, Codable, Equatable {
  /// The mean of each channel.
  public var mean: [Double]
  /// The deviation of each channel.
  public var std: [Double]
  /// The filter of the resizing, by name.
  public var resample: String
  /// The length of the shorter side before the middle is cropped; `nil` if images are brought to the model's size
  /// whatever their proportions.
  public var shortestEdge: Int?
  /// The length of both sides before the middle is cropped, whatever the proportions; `nil` without such a crop.
  public var squareEdge: Int?
  /// The rounding of the crop's offset; `nil` for torchvision's.
  public var cropRounding: Preprocessing.CropRounding?

  /// The preparation for a model of an image size.
  ///
  /// - Throws: `ConfigurationError` or `PreprocessingError` for values that no preparation has.
  func preprocessing(size: Int) throws -> Preprocessing {
    guard let filter = Resample(rawValue: resample) else {
      throw ConfigurationError(
        "images.resample: expected \(Resample.allCases.map(\.rawValue).joined(separator: " or ")), "
          + "found \"\(resample)\"")
    }
    let rounding = cropRounding ?? .halfToEven
    let geometry: Preprocessing.Geometry =
      if let shortestEdge {
        .shortestEdge(shortestEdge, crop: size, rounding: rounding)
      } else if let squareEdge {
        .square(squareEdge, crop: size, rounding: rounding)
      } else {
        .direct(height: size, width: size)
      }
    return try Preprocessing(geometry: geometry, resample: filter, mean: mean, std: std)
  }
}

/// The way a classifier's images are brought to its size.
public enum Resizing: String, Sendable, CaseIterable, Codable {
  /// To its height and width, whatever their own proportions: published runs on VTAB-1k.
  case direct
  /// As the model's files say: usually its shorter side, and a crop of the middle.
  case checkpoint
}

/// What a caller states about a model's images; the rest is read from its files.
public struct ImageRequest: Sendable, Equatable {
  /// The constants; `nil` for those of the model's files, or ImageNet's where they state none.
  public var normalization: Normalization?
  /// The way of resizing; `nil` for `direct`.
  public var resizing: Resizing?
  /// The treatment of photos that do not stand upright, of which no model's files say anything.
  public var exif: EXIFRotation
  /// The settings of a run, which precede those of the files.
  var known: ImageSettings?

  /// A request; by default nothing is stated.
  public init(normalization: Normalization? = nil, resizing: Resizing? = nil, exif: EXIFRotation = .ignore) {
    (self.normalization, self.resizing, self.exif) = (normalization, resizing, exif)
  }

  /// The same with the settings of a run or its delta.
  package func known(_ settings: ImageSettings?, _ normalization: Normalization? = nil) -> ImageRequest {
    var request = self
    request.known = settings
    request.normalization = request.normalization ?? normalization
    return request
  }
}
