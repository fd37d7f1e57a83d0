import Formats
import Foundation
import Tensor

/// A `preprocessor_config.json` that cannot be followed.
public struct PreprocessorError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found, with the file's name and key.
  public let description: String
}

extension Preprocessing {
  /// The name Hugging Face gives the file.
  package static let fileName = "preprocessor_config.json"

  /// Reads `preprocessor_config.json` as Hugging Face's image processors write it, in its older form (`"size": 224`)
  /// and its newer ones (`"size": {"shortest_edge": 224}`; with `height` and `width`, the aspect ratio is not kept).
  ///
  /// Images are cropped as torchvision and OpenAI's CLIP crop them; Hugging Face's processor takes the pixel
  /// before when the margin is odd and its half rounds up.
  ///
  /// - Throws: `PreprocessorError` naming the file, the key, what was expected and what was found.
  public init(contentsOf url: URL) throws(PreprocessorError) {
    let file = ProcessorFile(name: url.lastPathComponent, values: try ProcessorFile.object(url))
    try file.requireTrue("do_resize", "do_center_crop", "do_normalize", "do_rescale", "do_convert_rgb")
    let size = try file.extent("size", keys: ["shortest_edge", "height", "width"], standard: 224)
    let crop = try file.extent("crop_size", keys: ["height", "width"], standard: size)
    guard crop <= size else { throw file.error("crop_size", "at most size \(size)", "\(crop)") }
    // With both sides given, Hugging Face's processor does not keep the aspect ratio.
    let isDirect = (file.values["size"] as? [String: Any]).map { $0["shortest_edge"] == nil } ?? false
    guard !isDirect || crop == size else { throw file.error("crop_size", "that of size, \(size)", "\(crop)") }
    let code = try file.number("resample", in: 0...5) ?? 3
    // Pillow's codes for its filters.
    guard let resample = [2: Resample.bilinear, 3: Resample.bicubic][Int(code)], code == code.rounded() else {
      throw file.error("resample", "2 (bilinear) or 3 (bicubic)", "\(code)")
    }
    let mean = try file.channels("image_mean", -10...10) ?? [0.48145466, 0.4578275, 0.40821073]
    let std = try file.channels("image_std", 1e-3...10) ?? [0.26862954, 0.26130258, 0.27577711]
    let rescale = try file.number("rescale_factor", in: 1e-6...1) ?? 1 / 255
    do {
      try self.init(
        geometry: isDirect ? .direct(height: size, width: size) : .shortestEdge(size, crop: crop), resample: resample,
        mean: mean, std: std, rescale: rescale)
    } catch {
      throw PreprocessorError(description: "\(file.name): \(error)")
    }
  }
}

/// The values of the file, and messages about them.
private struct ProcessorFile {
  let name: String
  let values: [String: Any]

  static func object(_ url: URL) throws(PreprocessorError) -> [String: Any] {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try MappedFile.bytes(of: url) } catch {
      throw PreprocessorError(description: error.description)
    }
    guard let values = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] else {
      throw PreprocessorError(description: "\(url.path): expected a JSON object, found other contents")
    }
    return values
  }

  func error(_ key: String, _ expected: String, _ found: String) -> PreprocessorError {
    PreprocessorError(description: "\(name): \(key): expected \(expected), found \(found)")
  }

  /// Steps that CLIP always takes.
  func requireTrue(_ keys: String...) throws(PreprocessorError) {
    for key in keys {
      guard let value = values[key] else { continue }
      // Foundation shows a truth value as 0.
      guard value as? Bool == true else { throw error(key, "true", value as? Bool == false ? "false" : "\(value)") }
    }
  }

  /// A size in pixels: a whole number, or an object whose given keys all hold the same one.
  func extent(_ key: String, keys: [String], standard: Int) throws(PreprocessorError) -> Int {
    guard let value = values[key] else { return standard }
    let numbers =
      (value as? [String: Any]).map { object in keys.compactMap { object[$0] as? NSNumber } }
      ?? (value as? NSNumber).map { [$0] } ?? []
    let extents = Set(numbers.map(\.doubleValue))
    guard extents.count == 1, let extent = extents.first.flatMap({ Int(exactly: $0) }), (1...8192).contains(extent)
    else { throw error(key, "one whole number of pixels from 1 to 8192", "\(value)") }
    return extent
  }

  func number(_ key: String, in range: ClosedRange<Double>) throws(PreprocessorError) -> Double? {
    guard let value = values[key] else { return nil }
    guard let number = (value as? NSNumber)?.doubleValue, range.contains(number) else {
      throw error(key, "a number from \(range.lowerBound) to \(range.upperBound)", "\(value)")
    }
    return number
  }

  func channels(_ key: String, _ range: ClosedRange<Double>) throws(PreprocessorError) -> [Double]? {
    guard let value = values[key] else { return nil }
    guard let numbers = value as? [NSNumber], numbers.count == 3, numbers.allSatisfy({ range.contains($0.doubleValue) })
    else { throw error(key, "three numbers from \(range.lowerBound) to \(range.upperBound)", "\(value)") }
    return numbers.map(\.doubleValue)
  }
}
