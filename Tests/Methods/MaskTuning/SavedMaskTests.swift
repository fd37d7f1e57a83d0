import Formats
import FrugalTestSupport
import Tensor
import Testing

/// The packed masks of the published checkpoints: most significant bit first (R-AMT (h)).
@Suite(.golden(.ramt)) struct SavedMaskTests {
  private let file: SafeTensorsFile

  init() throws { file = try GoldenSet.ramt.golden("saved-mask").file() }

  /// Name of the unpacked mask, of its bytes in either order.
  private var names: [(mask: String, big: String, little: String)] {
    file.names.compactMap { name in
      if name.hasSuffix(".mask") {
        let stem = name.dropLast(".mask".count)
        return (name, "\(stem).bits_big", "\(stem).bits_little")
      }
      guard name.hasPrefix("mask.") else { return nil }
      let rest = name.dropFirst("mask.".count)
      return file.contains("bits_big.\(rest)") ? (name, "bits_big.\(rest)", "bits_little.\(rest)") : nil
    }
  }

  @Test func thereAreMasksOfTensorsAndOfOddSizes() throws {
    #expect(names.count == file.names.count { $0.hasPrefix("mask.") || $0.hasSuffix(".mask") })
    let counts = try names.map { try file.bytes($0.mask).count }
    #expect(counts.contains { $0 % 8 == 0 } && counts.contains { $0 % 8 != 0 })
  }

  @Test func bytesAndBitsAgreeBothWays() throws {
    for names in names {
      let bits = try file.bytes(names.mask)
      for (order, name) in [(BitMask.ByteOrder.big, names.big), (.little, names.little)] {
        let bytes = try file.bytes(name)
        let mask = try BitMask(bytes: bytes, count: bits.count, order: order)
        #expect(mask.real.values == bits.map { Real($0) }, "\(name)")
        #expect(BitMask(thresholding: mask.real, above: 0.5).bytes(order: order) == bytes, "\(name)")
      }
    }
  }
}
