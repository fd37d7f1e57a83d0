/// The pixels of a GIF frame: blocks of variable-length codes (LZW; GIF89a, appendix F).
struct GIFCodes {
  private static let part = "the pixels"
  /// The largest number of codes.
  private static let capacity = 1 << 12

  private var reader: PictureReader
  private let bits: Int
  /// Bytes left in the block.
  private var block = 0
  private var window: UInt32 = 0
  private var held = 0

  /// - reader: at the first block; bits: of a pixel.
  init(_ reader: PictureReader, bits: Int) { (self.reader, self.bits) = (reader, bits) }

  /// The next `count` pixels, each an index below 2^bits.
  mutating func indices(_ count: Int) throws(ImageError.Problem) -> [UInt8] {
    var failure: ImageError.Problem?
    // Pages are touched as data fills them, so that a large claim costs nothing.
    let indices = [UInt8](unsafeUninitializedCapacity: count) { output, written in
      do throws(ImageError.Problem) { try expand(into: output.baseAddress!, count) } catch { failure = error }
      written = failure == nil ? count : 0
    }
    if let failure { throw failure }
    return indices
  }

  private mutating func expand(into output: UnsafeMutablePointer<UInt8>, _ count: Int) throws(ImageError.Problem) {
    let (clear, end) = (1 << bits, 1 << bits + 1)
    // Codes above `end` stand for runs of pixels that were written already.
    var runs = [(start: Int, count: Int)](repeating: (0, 0), count: Self.capacity)
    var (next, size) = (end + 1, bits + 1)
    var last: (start: Int, count: Int)?
    var position = 0
    while position < count {
      let code = try self.code(size)
      if code == clear {
        (next, size, last) = (end + 1, bits + 1, nil)
        continue
      }
      guard code != end else { throw .truncated(in: Self.part) }
      if let last, next < Self.capacity {
        // What came last and the first pixel of this one, which follow each other in the output.
        runs[next] = (last.start, last.count + 1)
      }
      let start = position
      if code < clear {
        output[position] = UInt8(code)
        position += 1
      } else {
        guard last != nil, code <= next, code < Self.capacity else {
          throw .malformed(expected: "a code of at most \(last == nil ? clear : next)", found: "\(code)")
        }
        let run = runs[code]
        for offset in 0..<min(run.count, count - position) { output[position + offset] = output[run.start + offset] }
        position += run.count
      }
      if last != nil, next < Self.capacity {
        if next == 1 << size - 1, size < 12 { size += 1 }
        next += 1
      }
      last = (start, position - start)
    }
  }

  private mutating func code(_ size: Int) throws(ImageError.Problem) -> Int {
    while held < size {
      if block == 0 {
        block = Int(try reader.byte(of: Self.part))
        guard block > 0 else { throw .truncated(in: Self.part) }
      }
      window |= UInt32(try reader.byte(of: Self.part)) << UInt32(held)
      held += 8
      block -= 1
    }
    defer {
      window >>= UInt32(size)
      held -= size
    }
    return Int(window & (1 << UInt32(size) - 1))
  }
}
