/// The segments of a JPEG file, each with the entropy-coded data that follow it.
struct JPEGFile {
  struct Segment {
    var marker: UInt8
    var data: [UInt8]
    /// Coded data, restart markers included.
    var coded: [UInt8] = []
  }

  var segments: [Segment] = []

  /// The whole segments of some bytes.
  init(_ bytes: [UInt8]) {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF, bytes[position + 1] != 0xD9 {
      let count = bytes.big(position + 2, 2)
      guard count >= 2, position + 2 + count <= bytes.count else { break }
      var segment = Segment(marker: bytes[position + 1], data: Array(bytes[position + 4..<position + 2 + count]))
      position += 2 + count
      let start = position
      if segment.marker == 0xDA {
        while position + 1 < bytes.count,
          bytes[position] != 0xFF || bytes[position + 1] == 0 || 0xD0...0xD7 ~= bytes[position + 1]
        {
          position += 1
        }
        segment.coded = Array(bytes[start..<position])
      }
      segments.append(segment)
    }
  }

  /// The file, with right lengths and an end marker.
  var bytes: [UInt8] {
    var file: [UInt8] = [0xFF, 0xD8]
    for segment in segments {
      let data = segment.data.prefix(65_533)
      file += [0xFF, segment.marker] + Fuzz.big(UInt16(data.count + 2))
      file += data
      file += segment.coded
    }
    return file + [0xFF, 0xD9]
  }
}
