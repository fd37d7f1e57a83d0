import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// All eight orientations of EXIF in JPEG, PNG and WebP files, against Pillow's `ImageOps.exif_transpose`.
@Suite struct OrientationTests {
  private static let folder = Fixtures.embedded.appendingPathComponent("orientation")

  private struct Answer: Decodable {
    let width: Int
    let height: Int
    let sha256: String
  }

  private func answers() throws -> [String: Answer] {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent("expected.json"))
    return try JSONDecoder().decode([String: Answer].self, from: data)
  }

  @Test(arguments: Orientation.allCases, ["jpg", "png", "webp"])
  func uprightPixelsAreThoseOfPillow(_ orientation: Orientation, _ format: String) throws {
    let name = "\(orientation.rawValue).\(format)"
    let image = try Image(contentsOf: Self.folder.appendingPathComponent(name))
    let expected = try #require(try answers()[name])
    #expect(image.orientation == orientation)
    let upright = image.upright()
    #expect(upright.width == expected.width && upright.height == expected.height)
    #expect(SHA256.digest(of: upright.pixels).description == expected.sha256)
    #expect(upright.orientation == .upright)
  }
}
