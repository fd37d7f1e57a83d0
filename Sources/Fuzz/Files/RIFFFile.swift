/// The chunks of a WebP file.
struct RIFFFile {
  struct Chunk {
    var type: [UInt8]
    var data: [UInt8]
  }

  var chunks: [Chunk] = []

  /// The whole chunks of some bytes.
  init(_ bytes: [UInt8]) {
    var position = 12
    while position + 8 <= bytes.count {
      let count = bytes.little(position + 4, 4)
      guard count <= bytes.count - position - 8 else { break }
      chunks.append(
        Chunk(type: Array(bytes[position..<position + 4]), data: Array(bytes[position + 8..<position + 8 + count])))
      position += 8 + count + count % 2
    }
  }

  /// The file, with right lengths.
  var bytes: [UInt8] {
    var body: [UInt8] = []
    for chunk in chunks {
      body += chunk.type + Fuzz.little(UInt32(chunk.data.count)) + chunk.data
      if chunk.data.count % 2 == 1 { body.append(0) }
    }
    return Array("RIFF".utf8) + Fuzz.little(UInt32(body.count + 4)) + Array("WEBP".utf8) + body
  }
}
