extension Inflate {
  /// Checks a zlib header and returns where the blocks start (RFC 1950, section 2.2).
  static func zlibHeader(_ source: UnsafeBufferPointer<UInt8>) throws(InflateError) -> Int {
    guard source.count >= 2 else { throw .truncated }
    let method = source[0]
    let flags = source[1]
    guard method & 15 == 8, method >> 4 <= 7, (UInt16(method) << 8 | UInt16(flags)) % 31 == 0 else {
      let found = [method, flags].map { String($0, radix: 16) }.joined(separator: " ")
      throw .container(expected: "a zlib header", found: "bytes \(found)")
    }
    guard flags & 0x20 == 0 else { throw .container(expected: "a zlib stream", found: "one with a preset dictionary") }
    return 2
  }

  /// Checks a gzip header and returns where the blocks start (RFC 1952, section 2.3).
  static func gzipHeader(_ source: UnsafeBufferPointer<UInt8>) throws(InflateError) -> Int {
    guard source.count >= 10 else { throw .truncated }
    guard source[0] == 0x1F, source[1] == 0x8B, source[2] == 8 else {
      let found = source[..<3].map { String($0, radix: 16) }.joined(separator: " ")
      throw .container(expected: "a gzip header", found: "bytes \(found)")
    }
    let flags = source[3]
    var position = 10
    if flags & 4 != 0 {
      guard source.count - position >= 2 else { throw .truncated }
      position += 2 + Int(source[position]) + Int(source[position + 1]) << 8
    }
    // The file name and the comment, each ended by a zero.
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while position < source.count, source[position] != 0 { position += 1 }
      position += 1
    }
    if flags & 2 != 0 { position += 2 }
    guard position <= source.count else { throw .truncated }
    return position
  }
}
