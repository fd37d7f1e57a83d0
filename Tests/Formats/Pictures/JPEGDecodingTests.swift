import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

@Suite("JPEG decoding", .goldenCases(.images)) struct JPEGDecodingTests {
  /// The files allow a few levels, for decoders with other arithmetic; ours is libjpeg's, so none is needed.
  @Test(arguments: ImageGoldenFiles.cases("decode_jpeg"))
  func pixelsAreThoseOfLibjpeg(_ entry: ImageGoldenFiles.Case) throws {
    let tensors = try entry.files.tensors("decoded-jpeg.safetensors")
    let image = try entry.files.image(entry.file)
    let expected = try #require(tensors.bytes(entry.tensor))
    try #require([image.height, image.width, 3] == tensors.entries[entry.tensor]?.shape)
    let difference = LevelDifference(image.pixels, expected)
    #expect(difference.maximum == 0, "mean difference \(difference.mean), allowed \(entry.maximum), \(entry.mean)")
  }

  @Test func thereArePicturesThatAreNotUpright() {
    #expect(ImageGoldenFiles.cases("decode_jpeg").contains { $0.arguments.contains("exif_orientation") })
  }

  @Test(arguments: ImageGoldenFiles.cases("decode_jpeg").filter { $0.arguments.contains("exif_orientation") })
  func orientationMakesUpright(_ entry: ImageGoldenFiles.Case) throws {
    let tensors = try entry.files.tensors("decoded-jpeg.safetensors")
    let image = try entry.files.image(entry.file)
    let tag = ImageGoldenFiles.arguments(entry)["exif_orientation"] as? Int
    #expect(Int(image.orientation.rawValue) == tag)
    let upright = image.upright()
    #expect([upright.height, upright.width, 3] == tensors.entries[entry.tensor + ".upright"]?.shape)
    #expect(upright.pixels == tensors.bytes(entry.tensor + ".upright"))
    #expect(upright.orientation == .upright)
  }
}
