import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct ImageProcessorFileTests {
  private func read(_ json: String) throws -> Preprocessing {
    let folder = try TemporaryFolder()
    return try Preprocessing(contentsOf: try folder.write(json, to: Preprocessing.fileName))
  }

  private func message(_ json: String) throws -> String? {
    do {
      _ = try read(json)
      return nil
    } catch let error as ConfigurationError { return error.description }
  }

  @Test func emptyFilesMeanCLIP() throws {
    let (found, clip) = (try read("{}"), try Preprocessing.clip())
    #expect(found.geometry == .shortestEdge(224, crop: 224, rounding: .down))
    #expect(found.resample == clip.resample && found.mean == clip.mean && found.std == clip.std)
  }

  @Test(arguments: [
    (#"{"size": 30, "crop_size": 24}"#, Preprocessing.Geometry.shortestEdge(30, crop: 24, rounding: .down)),
    (#"{"size": 30}"#, .shortestEdge(30, crop: 30, rounding: .down)),
    (
      #"{"size": {"shortest_edge": 30}, "crop_size": {"height": 24, "width": 24}}"#,
      .shortestEdge(30, crop: 24, rounding: .down)
    ),
    (#"{"size": {"shortest_edge": 30}, "crop_size": 30.0}"#, .shortestEdge(30, crop: 30, rounding: .down)),
    (
      #"{"size": {"height": 30, "width": 30}, "crop_size": {"height": 30, "width": 30}}"#,
      .direct(height: 30, width: 30)
    ),
    (#"{"size": {"height": 30, "width": 30}}"#, .direct(height: 30, width: 30)),
    (#"{"size": {"height": 30, "width": 30}, "crop_size": 24}"#, .square(30, crop: 24, rounding: .down)),
    (#"{"size": [30, 30], "do_center_crop": false}"#, .direct(height: 30, width: 30)),
    (
      #"{"size": {"shortest_edge": 30, "height": null}, "crop_size": null}"#,
      .shortestEdge(30, crop: 30, rounding: .down)
    ),
    (#"{"size": {"shortest_edge": 256}}"#, .shortestEdge(256, crop: 224, rounding: .down)),
    (#"{"size": 30, "crop_size": 30, "default_to_square": true}"#, .direct(height: 30, width: 30)),
    (#"{"size": 30, "crop_size": 24, "default_to_square": false}"#, .shortestEdge(30, crop: 24, rounding: .down)),
    (
      #"{"size": {"shortest_edge": 30}, "crop_size": 24, "default_to_square": true}"#,
      .shortestEdge(30, crop: 24, rounding: .down)
    ),
    (
      #"{"size": null, "crop_size": null, "resample": null, "image_mean": null}"#,
      .shortestEdge(224, crop: 224, rounding: .down)
    ),
  ])
  func sizesHaveSeveralForms(json: String, geometry: Preprocessing.Geometry) throws {
    #expect(try read(json).geometry == geometry)
  }

  @Test func everyOtherKeyIsFollowed() throws {
    let found = try read(
      #"""
      {"size": 32, "resample": 2, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3], "rescale_factor": 0.5,
       "do_resize": true, "do_center_crop": true, "do_normalize": true, "do_convert_rgb": true,
       "feature_extractor_type": "CLIPFeatureExtractor"}
      """#)
    let wanted = try Preprocessing(
      geometry: .shortestEdge(32, crop: 32, rounding: .down), resample: .bilinear, mean: [0.1, 0.2, 0.3],
      std: [1, 2, 3], rescale: 0.5)
    #expect(found == wanted)
    #expect(found.outputSize == (32, 32))
  }

  @Test(arguments: [
    (#"{"size": {"shortest_edge": 30, "height": 20}}"#, "size: expected one whole number of pixels from 1 to 8192"),
    (#"{"size": {"height": 30, "width": 20}}"#, "size: expected one whole number"),
    (#"{"size": {"longest_edge": 30}}"#, "size: expected one whole number"), (#"{"size": 9000}"#, "found 9000"),
    (#"{"size": 30.5}"#, "found 30.5"), (#"{"size": "30"}"#, "size: expected one whole number"),
    (#"{"size": 20, "crop_size": 24}"#, "crop_size: expected at most size 20, found 24"),
    (#"{"resample": 0}"#, "resample: expected 2 (bilinear) or 3 (bicubic), found 0"),
    (#"{"resample": 2.5}"#, "resample: expected 2 (bilinear) or 3 (bicubic), found 2.5"),
    (#"{"resample": "bicubic"}"#, "resample: expected a number from 0.0 to 5.0, found \"bicubic\""),
    (#"{"image_mean": "x"}"#, "image_mean: expected 3 numbers"),
    (
      #"{"image_processor_type": "SiglipImageProcessor"}"#,
      "expected CLIPImageProcessor, found \"SiglipImageProcessor\""
    ),
    (#"{"do_resize": false}"#, "do_resize: expected true"),
    (#"{"do_resize": null}"#, "do_resize: expected true, as nothing else is supported, found null"),
    (#"{"do_center_crop": null}"#, "do_center_crop: expected true, unless size states height and width, found null"),
    (#"{"do_pad": true}"#, "do_pad: expected false"),
    (#"{"image_mean": [0.5, 0.5, 1e300]}"#, "image_mean: expected 3 numbers from -10.0 to 10.0"),
    (#"{"image_std": [1, 1, 0]}"#, "image_std: expected 3 numbers from 0.001 to 10.0"),
    (#"{"rescale_factor": 0}"#, "rescale_factor: expected a number from 1e-06 to 1.0, found 0"),
    (#"{"do_center_crop": false}"#, "do_center_crop: expected true, unless size states height and width, found false"),
    (#"{"do_rescale": "yes"}"#, "do_rescale: expected true or false, found \"yes\""),
  ])
  func whatCannotBeFollowedIsNamed(json: String, text: String) throws {
    let message = try #require(try message(json))
    #expect(message.contains("/preprocessor_config.json: ") && message.contains(text), "\(message)")
  }

  @Test func stepsThatAreLeftOutAreLeftOut() throws {
    let raw = try read(#"{"do_rescale": false}"#)
    #expect(raw.rescale == 1 && raw.mean == [0.48145466, 0.4578275, 0.40821073])
    // In Python null is no.
    for value in ["false", "null"] {
      let plain = try read(#"{"do_normalize": \#(value), "image_mean": [0.5, 0.5, 0.5]}"#)
      #expect(plain.rescale == 1.0 / 255 && plain.mean == [0, 0, 0] && plain.std == [1, 1, 1])
      #expect(try read(#"{"do_rescale": \#(value)}"#).rescale == 1)
    }
  }

  /// Version 5 of transformers nests the image processor, and prefers it to the older file.
  @Test func theNestedProcessorIsPreferred() throws {
    let folder = try TemporaryFolder()
    func read() throws -> StatedImages? {
      try ImageProcessorFile(in: folder.url).map { try StatedImages($0, of: "clip") }
    }
    #expect(try read() == nil)
    try folder.write(#"{"size": 32, "swizzle": 1}"#, to: "preprocessor_config.json")
    let plain = try #require(try read())
    #expect(try plain.preprocessing().outputSize == (32, 32))
    #expect(plain.warnings == ["\(folder.url.path)/preprocessor_config.json: swizzle: unknown key, ignored"])
    try folder.write(#"{"processor_class": "CLIPProcessor"}"#, to: "processor_config.json")
    #expect(try read()?.preprocessing().outputSize.height == 32)
    try folder.write(#"{"image_processor": {"size": 16, "image_mean": 0.5}}"#, to: "processor_config.json")
    let nested = try #require(try read())
    #expect(try nested.preprocessing().outputSize == (16, 16) && nested.preprocessing().mean == [0.5, 0.5, 0.5])
    #expect(nested.file == "processor_config.json" && nested.warnings == [])
    #expect(nested.origins[.mean] == .stated("processor_config.json: image_processor.image_mean"))
    #expect(
      nested.origins[.std]
        == .standard(
          library: "transformers", key: "processor_config.json: image_processor.image_std"))
  }

  @Test(arguments: [
    ("[]", "a JSON object, found other contents"), ("null", "a JSON object, found other contents"),
    ("{", "a string, found the end of the JSON text"), ("\u{FEFF}x", "a JSON value, found \"x\" at byte 0"),
    ("{\"size\": 1", "\"}\", found the end of the JSON text"),
  ])
  func whatIsNoObjectIsRefused(json: String, expected: String) throws {
    #expect(try message(json)?.contains(": expected \(expected)") == true)
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appendingPathComponent("none.json")
    let wanted = ConfigurationError(
      "\(missing.path): expected a readable file, found no such file or directory")
    #expect(throws: wanted) { try Preprocessing(contentsOf: missing) }
    #expect(throws: ConfigurationError.self) { try Preprocessing(contentsOf: folder.url) }
    let pipe = folder.url.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: ConfigurationError.self) { try Preprocessing(contentsOf: pipe) }
  }
}
