import Formats
import FrugalTestSupport

/// Small picture files that ask for much memory or time.
enum PictureBombs {
  /// A black PNG of 16 bits a channel with alpha: 8 bytes a pixel in the data.
  static func png(side: Int, isInterlaced: Bool) -> [UInt8] {
    func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
      let body = Array(type.utf8) + data
      return big(UInt32(data.count)) + body + big(body.withUnsafeBufferPointer { Checksum.crc32($0) })
    }
    let passes = isInterlaced ? [(8, 8), (8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2)] : [(1, 1)]
    let origins = isInterlaced ? [(0, 0), (4, 0), (0, 4), (2, 0), (0, 2), (1, 0), (0, 1)] : [(0, 0)]
    let count = zip(passes, origins).reduce(0) { sum, pass in
      let ((across, down), (left, top)) = pass
      let (width, height) = ((side - left + across - 1) / across, (side - top + down - 1) / down)
      return sum + height * (1 + 8 * width)
    }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", big(UInt32(side)) + big(UInt32(side)) + [16, 6, 0, 0, isInterlaced ? 1 : 0])
      + chunk("IDAT", Deflate.zlib([UInt8](repeating: 0, count: count))) + chunk("IEND", [])
  }

  /// A grey progressive JPEG of three components without subsampling, whose scans of all blocks take a few bytes each.
  ///
  /// - rounds: how often each band is sent.
  static func progressive(side: Int, rounds: Int) -> [UInt8] {
    func segment(_ marker: UInt8, _ data: [UInt8]) -> [UInt8] {
      [0xFF, marker, UInt8((data.count + 2) >> 8), UInt8((data.count + 2) & 255)] + data
    }
    let blocks = (side + 7) / 8 * ((side + 7) / 8)
    let size = [UInt8(side >> 8), UInt8(side & 255)]
    // One code each, a zero bit: a difference of 0, and a run of 2¹⁴ and more empty blocks.
    func table(_ kind: UInt8, _ symbol: UInt8) -> [UInt8] { [kind, 1] + [UInt8](repeating: 0, count: 15) + [symbol] }
    let tables = table(0x00, 0x00) + table(0x10, 0xE0)
    var file: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
    file += segment(0xC2, [8] + size + size + [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    file += segment(0xC4, tables)
    file += segment(0xDA, [3, 1, 0, 2, 0, 3, 0, 0, 0, 0])
    file += [UInt8](repeating: 0, count: (3 * blocks + 7) / 8)
    // A zero and 14 ones, which are 32,767 blocks: 15 bits each, written as bytes with their stuffing.
    var band: [UInt8] = []
    var (bits, count) = (0, 0)
    for _ in 0..<(blocks + 32_766) / 32_767 {
      (bits, count) = (bits << 15 | 0x3FFF, count + 15)
      while count >= 8 {
        let byte = UInt8(bits >> (count - 8) & 255)
        band += byte == 255 ? [255, 0] : [byte]
        count -= 8
      }
      bits &= 255
    }
    let last = UInt8((bits << (8 - count) | 255 >> count) & 255)
    band += last == 255 ? [255, 0] : [last]
    for _ in 0..<rounds {
      for component in 1...3 { file += segment(0xDA, [1, UInt8(component), 0, 1, 63, 0]) + band }
    }
    return file + [0xFF, 0xD9]
  }

  /// A WebP image of one pixel with 65,536 groups of codes, of which that pixel uses one.
  static var codes: [UInt8] {
    var (bytes, held, count) = ([UInt8](), 0, 0)
    func put(_ value: Int, _ bits: Int) {
      held |= value << count
      count += bits
      while count >= 8 {
        bytes.append(UInt8(held & 255))
        (held, count) = (held >> 8, count - 8)
      }
    }
    // One pixel; no transform, no cache, regions of 4 pixels.
    for (value, bits) in [(0, 14), (0, 14), (0, 1), (0, 3), (0, 1), (0, 1), (1, 1), (0, 3), (0, 1)] { put(value, bits) }
    // The map's one pixel: green and red 255, the others 0, each the only symbol of its code.
    for isHigh in [true, true, false, false, false] {
      put(1, 1)
      put(0, 1)
      put(isHigh ? 1 : 0, 1)
      put(isHigh ? 255 : 0, isHigh ? 8 : 1)
    }
    for _ in 0..<5 * 65_536 { for (value, bits) in [(1, 1), (1, 1), (0, 1), (0, 1), (1, 8)] { put(value, bits) } }
    put(0, 16)
    let data = [0x2F] + bytes
    func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
      Array(name.utf8) + FrugalTestSupport.bytes(UInt32(data.count)) + data + (data.count % 2 == 0 ? [] : [0])
    }
    return chunk("RIFF", Array("WEBP".utf8) + chunk("VP8L", data))
  }

  private static func big(_ value: UInt32) -> [UInt8] { Array(FrugalTestSupport.bytes(value).reversed()) }
}
