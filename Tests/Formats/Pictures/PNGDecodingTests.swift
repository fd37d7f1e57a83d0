import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

@Suite("PNG decoding", .goldenCases(.images)) struct PNGDecodingTests {
  @Test(arguments: ImageGoldenFiles.cases("decode_png"))
  func pixelsAreExact(_ entry: ImageGoldenFiles.Case) throws {
    let tensors = try entry.files.tensors("decoded-png.safetensors")
    let image = try entry.files.image(entry.file)
    #expect([image.height, image.width, 3] == tensors.entries[entry.tensor]?.shape)
    #expect(image.pixels == tensors.bytes(entry.tensor))
  }

  @Test(arguments: ImageGoldenFiles.cases("png_samples"))
  func sixteenBitSamplesLoseTheirLowByteAndGrayIsClipped(_ entry: ImageGoldenFiles.Case) throws {
    let file = try #require(ImageGoldenFiles.arguments(entry)["file"] as? String)
    let tensors = try entry.files.tensors(entry.file)
    let shape = try #require(tensors.entries["samples"]?.shape)
    let samples = try #require(tensors.bytes("samples"))
    let image = try Image.decode(entry.files.bytes(file), name: file)
    try #require(shape.count == 3 && Array(shape.prefix(2)) == [image.height, image.width] && shape[2] > 0)
    let channels = shape[2]
    try #require(samples.count == 8 * shape.reduce(1, *))
    for pixel in 0..<image.width * image.height {
      for channel in 0..<3 {
        // 64-bit samples, lowest byte first: the second byte is the high one.
        let sample = 8 * (pixel * channels + (channels < 3 ? 0 : channel))
        let (low, high) = (samples[sample], samples[sample + 1])
        #expect(image.pixels[3 * pixel + channel] == (channels > 1 ? high : high > 0 ? 255 : low))
      }
    }
  }
}
