import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct SHA256Tests {
  /// Messages and digests of FIPS 180-4 and its published examples.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
        + "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ]) func publishedMessagesHaveTheirDigests(_ message: String, _ digest: String) {
    #expect(SHA256.digest(of: Array(message.utf8)).description == digest)
  }

  @Test func aMillionLettersHaveTheirDigest() throws {
    let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(SHA256.digest(of: letters).description == digest)
    let folder = try TemporaryFolder()
    #expect(try SHA256.digest(of: folder.write(letters, to: "letters")).description == digest)
  }

  /// Every length around one and two blocks, as digests of digests; computed with Python's hashlib.
  @Test func everyLengthUpToTwoBlocksIsCompletedRightly() {
    var all = SHA256()
    for count in 0...130 { all.update(SHA256.digest(of: (0..<count).map { UInt8($0) }).bytes) }
    #expect(all.digest.description == "e5bbbecd60c3632a3455f465bfd8b079c30ef608d2bcc34227f4e5573029020e")
  }

  @Test(arguments: [1, 3, 63, 64, 65, 127, 128, 200]) func piecesGiveTheSameDigest(_ piece: Int) {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* $0) }
    var hash = SHA256()
    for start in stride(from: 0, to: bytes.count, by: piece) {
      hash.update(Array(bytes[start..<min(start + piece, bytes.count)]))
      hash.update([])
    }
    #expect(hash.digest == SHA256.digest(of: bytes))
  }

  /// The processor's own instructions, where the build has them, and plain Swift.
  @Test(arguments: [0, 1, 2, 7, 100]) func bothFormsHaveTheSameState(_ blocks: Int) {
    let state = SIMD8<UInt32>(1, 2, 3, 5, 7, 11, 13, 17) &* 0x9e37_79b9
    let bytes = (0..<64 * blocks + 63).map { UInt8(truncatingIfNeeded: ($0 &* 0x9e37_79b1) >> 13) }
    for start in [0, 1, 13] {
      bytes.withUnsafeBytes { bytes in
        let bytes = UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64 * blocks])
        #expect(SHA256.compressed(state, bytes) == SHA256.plainlyCompressed(state, bytes))
      }
    }
  }

  @Test func digestDoesNotEndTheHash() {
    var hash = SHA256()
    hash.update(Array("a".utf8))
    _ = hash.digest
    hash.update(Array("bc".utf8))
    #expect(hash.digest == SHA256.digest(of: Array("abc".utf8)))
  }

  @Test func missingFileIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { try SHA256.digest(of: folder.url.appendingPathComponent("none")) }
  }
}
