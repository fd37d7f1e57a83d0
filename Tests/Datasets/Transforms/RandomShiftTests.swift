import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite("Random shifts")
struct RandomShiftTests {
  /// Gives the words of a list, over and over.
  private struct Script: RandomNumberGenerator {
    var words: [UInt64]
    mutating func next() -> UInt64 {
      words.append(words[0])
      return words.removeFirst()
    }
  }

  /// A picture whose pixel (row, column) is (row, column, 9).
  private static func picture(_ width: Int, _ height: Int) -> Image {
    Image(
      width: width, height: height,
      pixels: (0..<height).flatMap { row in (0..<width).flatMap { [UInt8(row), UInt8($0), 9] } })
  }

  @Test("pixels move, and the border is repeated", arguments: [(1, 1), (3, 2), (7, 5)])
  func moves(width: Int, height: Int) {
    let image = Self.picture(width, height)
    for right in -2...2 {
      for down in -2...2 {
        var script = Script(words: [UInt64(right + 2), UInt64(down + 2)])
        let moved = RandomShift(pixels: 2).applied(to: image, using: &script)
        var expected: [UInt8] = []
        for row in 0..<height {
          for column in 0..<width {
            let (above, left) = (min(max(row - down, 0), height - 1), min(max(column - right, 0), width - 1))
            expected += [UInt8(above), UInt8(left), 9]
          }
        }
        #expect(moved.pixels == expected, "\(right), \(down)")
      }
    }
  }

  @Test("every move is drawn about as often")
  func isUniform() {
    let image = Self.picture(9, 9)
    var random = RandomStream(seed: 3, purpose: .check)
    var counts: [UInt8: Int] = [:]
    for _ in 0..<5000 {
      let moved = RandomShift(pixels: 2).applied(to: image, using: &random)
      // The middle pixel shows where it came from: (4 − down, 4 − right).
      counts[moved.pixels[3 * (4 * 9 + 4)] * 16 + moved.pixels[3 * (4 * 9 + 4) + 1], default: 0] += 1
    }
    #expect(counts.count == 25)
    // Of 200 expected, five standard deviations of 14.
    #expect(counts.values.allSatisfy { abs($0 - 200) < 70 })
  }

  @Test("a loader shifts pictures by seed, number and epoch, and normalises as for evaluation")
  func loads() throws {
    let url = Fixtures.embedded.appendingPathComponent("pictures/train/red_circle")
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: url.path).min())
    let preprocessing = try Preprocessing.clip(size: 8)
    func load(seed: UInt64, number: Int, epoch: Int) throws -> [Real] {
      let loader = ImageLoader(
        preprocessing: preprocessing, transform: .shifted(RandomShift(pixels: 2), seed: seed))
      return try loader.loadAll([(url.appendingPathComponent(name), number)], epoch: epoch).values
    }
    let all = try (0..<12).map { try load(seed: 1, number: $0, epoch: 0) }
    #expect(try load(seed: 1, number: 3, epoch: 0) == all[3])
    #expect(Set(all).count > 6)
    #expect(try (0..<12).map { try load(seed: 1, number: 0, epoch: $0) }.contains { $0 != all[0] })
    #expect(try (0..<12).map { try load(seed: $0, number: 0, epoch: 0) }.contains { $0 != all[0] })
  }
}
