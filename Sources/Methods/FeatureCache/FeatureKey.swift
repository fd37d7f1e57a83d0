import Datasets
import Formats

/// What a row of features was computed from, by content.
struct FeatureKey: Hashable, Sendable {
  /// The bytes of a key in a file.
  static let byteCount = 32

  private let words: SIMD4<UInt64>

  private init(_ digest: SHA256.Digest) { self.init(bytes: digest.bytes[...]) }

  /// A key as it stands in a file; traps on another number of bytes.
  init(bytes: ArraySlice<UInt8>) {
    var words = SIMD4<UInt64>()
    for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << (8 * UInt64(index % 8)) }
    self.words = words
  }

  /// The key as it stands in a file.
  var bytes: [UInt8] { (0..<4).flatMap { withUnsafeBytes(of: words[$0].littleEndian, Array.init) } }

  /// The key of an image: the contents of its file and, where the transform is random, all that decides its draws.
  ///
  /// - number, epoch: what keys the draws of the image.
  init(image bytes: [UInt8], _ transform: ImageLoader.Transform, number: Int, epoch: Int) {
    let digest = SHA256.digest(of: bytes)
    guard transform != .evaluation else {
      self.init(digest)
      return
    }
    self.init(SHA256.digest(of: digest.bytes + Array("\(transform) \(number) \(epoch)".utf8)))
  }

  /// The keys of texts that are encoded together: how far the others of its batch reach decides the last bits of one.
  static func texts(_ texts: [String]) -> [FeatureKey] {
    var hash = SHA256()
    for text in texts { hash.update(Array("\(text.utf8.count) \(text)".utf8)) }
    let all = hash.digest.bytes
    return texts.indices.map { FeatureKey(SHA256.digest(of: all + Array("\($0)".utf8))) }
  }
}
