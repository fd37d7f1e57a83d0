import Checks

/// Changes of pictures by their parts, whose lengths and checksums are right again.
enum PictureMutation {
  static func png(_ bytes: [UInt8], donor: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    var file = PNGFile(bytes)
    guard !file.chunks.isEmpty else { return bytes }
    switch numbers.below(8) {
    case 0, 1:
      var rows = file.rows
      ByteMutation.change(&rows, donor: [], &numbers)
      file.rows = rows
    case 2, 3:
      var blocks = Array(file.compressed.dropFirst(2).dropLast(4))
      ByteMutation.change(&blocks, donor: [], &numbers)
      file.setBlocks(blocks)
    case 4:
      // Sides that are near, depth and colour type that fit.
      var header = file.chunks[0].data
      guard header.count >= 13 else { break }
      let forms: [[UInt8]] = [
        [1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [8, 2], [16, 2], [4, 3], [8, 3], [8, 4], [16, 6],
      ]
      if numbers.below(2) == 0 { header.replaceSubrange(8..<10, with: forms[numbers.below(forms.count)]) }
      if numbers.below(2) == 0 { header[numbers.below(2) * 4 + 3] = UInt8(1 + numbers.below(255)) }
      if numbers.below(8) == 0 { header[numbers.below(2) * 4 + 2] = UInt8(numbers.below(64)) }
      if numbers.below(3) == 0 { header[12] ^= 1 }
      file.chunks[0].data = header
    case 5:
      let index = numbers.below(file.chunks.count)
      ByteMutation.change(&file.chunks[index].data, donor: donor, &numbers)
    case 6:
      let (from, to) = (numbers.below(file.chunks.count), numbers.below(file.chunks.count))
      if numbers.below(2) == 0 { file.chunks.swapAt(from, to) } else { file.chunks.insert(file.chunks[from], at: to) }
    default:
      guard let index = file.dataIndices.first, file.chunks[index].data.count > 1 else { break }
      // The data in two chunks, or without its end.
      let data = file.chunks[index].data
      let cut = numbers.below(data.count)
      file.chunks[index].data = Array(data[..<cut])
      if numbers.below(2) == 0 {
        file.chunks.insert(.init(type: Array("IDAT".utf8), data: Array(data[cut...])), at: index + 1)
      }
    }
    return file.bytes
  }

  static func jpeg(_ bytes: [UInt8], donor: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    var file = JPEGFile(bytes)
    guard !file.segments.isEmpty else { return bytes }
    let index = numbers.below(file.segments.count)
    switch numbers.below(8) {
    case 0, 1, 2:
      let scans = file.segments.indices.filter { !file.segments[$0].coded.isEmpty }
      guard !scans.isEmpty else { break }
      ByteMutation.change(&file.segments[scans[numbers.below(scans.count)]].coded, donor: [], &numbers)
    case 3:
      // Sides that are near, or other sampling.
      guard let frame = file.segments.firstIndex(where: { 0xC0...0xC2 ~= $0.marker }) else { break }
      var data = file.segments[frame].data
      // Six bytes, then three per component.
      guard data.count >= 9 else { break }
      switch numbers.below(3) {
      case 0: data[2 * numbers.below(2) + 2] = UInt8(1 + numbers.below(255))
      case 1:
        data[7 + numbers.below((data.count - 6) / 3) * 3] =
          UInt8(1 + numbers.below(4)) << 4 | UInt8(1 + numbers.below(4))
      default: file.segments[frame].marker = UInt8(0xC0 + numbers.below(3))
      }
      file.segments[frame].data = data
    case 4: ByteMutation.change(&file.segments[index].data, donor: [], &numbers)
    case 5: file.segments.remove(at: index)
    case 6:
      for _ in 0...numbers.below(40) { file.segments.insert(file.segments[index], at: index) }
    default:
      var whole = file.bytes
      ByteMutation.change(&whole, from: 3, donor: donor, &numbers)
      return whole
    }
    return file.bytes
  }

  static func webp(_ bytes: [UInt8], donor: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    var file = RIFFFile(bytes)
    guard !file.chunks.isEmpty else { return bytes }
    let index = numbers.below(file.chunks.count)
    switch numbers.below(8) {
    case 0: file.chunks.insert(file.chunks[index], at: numbers.below(file.chunks.count))
    case 1: if file.chunks.count > 1 { file.chunks.remove(at: index) }
    case 2, 3: ByteMutation.change(&file.chunks[index].data, donor: donor, &numbers)
    default:
      // The image, after its signature and sides.
      guard let image = file.chunks.firstIndex(where: { $0.type.starts(with: Array("VP8".utf8)) && $0.type[3] != 0x58 })
      else { break }
      let start = file.chunks[image].type[3] == UInt8(ascii: "L") ? 5 : 10
      ByteMutation.change(&file.chunks[image].data, from: start, donor: [], &numbers)
    }
    return file.bytes
  }

  /// Bytes after a signature, mostly those after a header.
  static func plain(
    _ bytes: [UInt8], signature: Int, header: Int, donor: [UInt8], _ numbers: inout CheckNumbers
  ) -> [UInt8] {
    var changed = bytes
    let start = numbers.below(4) == 0 || bytes.count <= header ? signature : header
    ByteMutation.change(&changed, from: start, donor: numbers.below(4) == 0 ? donor : [], &numbers)
    return changed
  }
}
