import Formats

/// A deflate stream in one of three containers, whose first byte says which.
struct CompressedFile {
  enum Container: UInt8, CaseIterable {
    case raw, zlib, gzip

    var form: Inflate.Container {
      switch self {
      case .raw: .raw
      case .zlib: .zlib
      case .gzip: .gzip
      }
    }
  }

  let container: Container
  /// The deflate blocks.
  var blocks: [UInt8]
  private static let limit = 1 << 20

  init(container: Container, plain: [UInt8]) {
    self.container = container
    blocks = Self.deflated(plain)
  }

  /// The file in some bytes; `nil` without room for container and checksum.
  init?(_ bytes: [UInt8]) {
    guard let first = bytes.first, let container = Container(rawValue: first) else { return nil }
    let (head, tail) =
      switch container {
      case .raw: (1, 0)
      case .zlib: (3, 4)
      case .gzip: (11, 8)
      }
    guard bytes.count >= head + tail else { return nil }
    self.container = container
    blocks = Array(bytes[head..<bytes.count - tail])
  }

  /// Bare blocks.
  static func deflated(_ plain: [UInt8]) -> [UInt8] { Array(Deflate.zlib(plain).dropFirst(2).dropLast(4)) }

  /// What the blocks hold; empty for broken ones.
  var plain: [UInt8] {
    (try? Inflate.decompress(blocks, container: .raw, limit: Self.limit, excess: .ignored)) ?? []
  }

  /// The file with right checksums, as far as the blocks can be read.
  var bytes: [UInt8] {
    let plain = plain
    switch container {
    case .raw: return [0] + blocks
    case .zlib:
      let sum = plain.withUnsafeBufferPointer { Checksum.adler32($0) }
      return [1, 0x78, 0x9C] + blocks + big(sum)
    case .gzip:
      let sum = plain.withUnsafeBufferPointer { Checksum.crc32($0) }
      return [2, 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + blocks + little(sum) + little(UInt32(plain.count))
    }
  }
}

/// The bytes of an integer, the lowest first.
func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

/// The bytes of an integer, the highest first.
func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

extension [UInt8] {
  /// An integer of `count` bytes at a position, which must be inside, the lowest first.
  func little(_ position: Int, _ count: Int) -> Int {
    self[position..<position + count].reversed().reduce(0) { ($0 << 8 | Int($1)) & Int.max }
  }

  /// An integer of `count` bytes at a position, which must be inside, the highest first.
  func big(_ position: Int, _ count: Int) -> Int { self[position..<position + count].reduce(0) { $0 << 8 | Int($1) } }
}
