/// Decompression of deflate streams (RFC 1951), bare or in a zlib (RFC 1950) or gzip (RFC 1952) container.
///
/// The output never outgrows the caller's limit, and memory is allocated only as output appears, so a small stream
/// that claims (or is) gigabytes costs no more than `limit` bytes.
package enum Inflate {
  /// The container of the compressed blocks.
  package enum Container: Sendable {
    case raw, zlib, gzip
  }

  /// The treatment of output beyond the limit.
  package enum Excess: Sendable {
    /// It is an error.
    case refused
    /// Decompression stops there; what follows, a checksum too, may be missing.
    case ignored
  }

  /// The decompressed bytes of `source`; bytes after the end of the stream are ignored.
  ///
  /// - limit: the maximal number of output bytes.
  /// - Throws: `InflateError` if the stream is truncated, breaks the format, has a wrong checksum, or is too long.
  package static func decompress(
    _ source: [UInt8], container: Container, limit: Int, excess: Excess = .refused
  ) throws(InflateError) -> [UInt8] {
    try source.withUnsafeBufferPointer { (bytes) throws(InflateError) in
      try decompress(bytes, container: container, limit: limit, excess: excess)
    }
  }

  /// The decompressed bytes of `source`, as above, for bytes that are not in an array.
  package static func decompress(
    _ source: UnsafeBufferPointer<UInt8>, container: Container, limit: Int, excess: Excess = .refused
  ) throws(InflateError) -> [UInt8] {
    try output(of: source, container: container, limit: limit, excess: excess).array
  }

  /// The same, without copying it out of the output buffer.
  ///
  /// - isCareful: true to skip the fast loop, whose results are the same.
  package static func output(
    of source: UnsafeBufferPointer<UInt8>, container: Container, limit: Int, excess: Excess, isCareful: Bool = false
  ) throws(InflateError) -> InflateOutput {
    var output = try InflateOutput(limit: limit, expected: source.count)
    try inflate(source, container, into: &output, excess: excess, isCareful: isCareful)
    return output
  }

  /// Decompresses a zlib stream piece by piece, in memory for 32 KiB of what is done, a piece, and what its consumer
  /// leaves. It stops at the limit; what follows is not read then. The last piece is left for `InflateOutput.hand`.
  ///
  /// - room: the bytes that the consumer may need at once.
  /// - consume: takes the bytes that it did not take before and new ones, from their first on; returns how many.
  package static func stream(
    _ source: UnsafeBufferPointer<UInt8>, limit: Int, room: Int,
    _ consume: @escaping (UnsafeBufferPointer<UInt8>) -> Int
  ) throws(InflateError) -> InflateOutput {
    var output = try InflateOutput(limit: limit, room: room, consume: consume)
    try inflate(source, .zlib, into: &output, excess: .ignored, isCareful: false)
    return output
  }

  private static func inflate(
    _ source: UnsafeBufferPointer<UInt8>, _ container: Container, into output: inout InflateOutput, excess: Excess,
    isCareful: Bool
  ) throws(InflateError) {
    let start =
      switch container {
      case .raw: 0
      case .zlib: try zlibHeader(source)
      case .gzip: try gzipHeader(source)
      }
    var reader = InflateReader(source, from: start)
    do throws(InflateError) {
      guard try inflateBlocks(&reader, into: &output, excess: excess, isCareful: isCareful) else { return }
    } catch {
      let isTruncated = reader.isPastEnd || error == .truncated
      if isTruncated, excess == .ignored, output.count == output.limit { return }
      // The zeros after a truncated stream break some rule sooner or later: report the truncation.
      throw reader.isPastEnd ? .truncated : error
    }
    reader.alignToByte()
    let trailer =
      switch container {
      case .raw: 0
      case .zlib: 4
      case .gzip: 8
      }
    guard source.count - reader.position >= trailer else {
      if excess == .ignored, output.count == output.limit { return }
      throw .truncated
    }
    switch container {
    case .raw: break
    case .zlib: try check(word(source, at: reader.position).byteSwapped, against: output.adler32())
    case .gzip:
      try check(word(source, at: reader.position), against: Checksum.crc32(UnsafeBufferPointer(output.written)))
    }
  }

  /// Returns false when it stopped at the limit, true at the end of the last block.
  private static func inflateBlocks(
    _ reader: inout InflateReader, into output: inout InflateOutput, excess: Excess, isCareful: Bool
  ) throws(InflateError) -> Bool {
    while true {
      reader.refill()
      let isLast = reader.take(1) == 1
      let isComplete =
        switch reader.take(2) {
        case 0: try copyStored(&reader, into: &output)
        case 1: try fixedTables.get().inflate(&reader, into: &output, isCareful: isCareful)
        case 2: try InflateBlock(readingFrom: &reader).inflate(&reader, into: &output, isCareful: isCareful)
        default: throw .block(expected: "a block of type 0, 1 or 2", found: "type 3")
        }
      if reader.isPastEnd { throw .truncated }
      guard isComplete else {
        if excess == .ignored { return false }
        throw .tooLong(limit: output.limit)
      }
      if isLast { return true }
    }
  }

  private static let fixedTables = Result { () throws(InflateError) in try InflateBlock.fixed() }

  private static func copyStored(
    _ reader: inout InflateReader, into output: inout InflateOutput
  ) throws(InflateError) -> Bool {
    reader.alignToByte()
    reader.refill()
    let length = reader.take(16)
    let complement = reader.take(16)
    if reader.isPastEnd { throw .truncated }
    guard length ^ complement == 0xFFFF else {
      throw .block(expected: "a stored length and its complement", found: "\(length) and \(complement)")
    }
    reader.alignToByte()
    guard let bytes = reader.takeBytes(length) else { throw .truncated }
    return try output.append(bytes)
  }

  private static func check(_ expected: UInt32, against found: UInt32) throws(InflateError) {
    guard expected == found else { throw .checksum(expected: expected, found: found) }
  }

  private static func word(_ source: UnsafeBufferPointer<UInt8>, at position: Int) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(source.baseAddress! + position).loadUnaligned(as: UInt32.self))
  }
}
