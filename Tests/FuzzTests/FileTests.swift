import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Fuzz

/// Files that are taken apart and put together again: lengths and checksums are right, whatever was changed.
@Suite struct FileTests {
  @Test func picturesStayTheSame() throws {
    for kind in [Kind.png, .jpeg, .webp] {
      for seed in try Seed.all(of: kind) {
        let bytes =
          switch kind {
          case .png: PNGFile(seed.bytes).bytes
          case .jpeg: JPEGFile(seed.bytes).bytes
          default: RIFFFile(seed.bytes).bytes
          }
        let (found, expected) = (try Image.decode(bytes, name: "a"), try Image.decode(seed.bytes, name: "a"))
        #expect(found == expected, "\(seed.name)")
      }
    }
  }

  /// The checksums that the reader looks at are those of headers; those of data, zlib's.
  @Test func aChangedPNGHasRightChecksums() throws {
    let seed = try #require(try Seed.all(of: .png).first { $0.name == "p-c2-d8.png" })
    var file = PNGFile(seed.bytes)
    file.rows = file.rows.map { $0 < 5 ? $0 : 99 }
    var position = 8
    let bytes = file.bytes
    while position < bytes.count {
      let count = bytes.big(position, 4)
      let sum = bytes[position + 4..<position + 8 + count].withUnsafeBufferPointer { Checksum.crc32($0) }
      #expect(bytes.big(position + 8 + count, 4) == Int(sum))
      position += 12 + count
    }
    #expect(try Inflate.decompress(file.compressed, container: .zlib, limit: 1 << 20) == file.rows)
  }

  @Test(arguments: CompressedFile.Container.allCases) func blocksHaveRightChecksums(
    _ container: CompressedFile.Container
  ) throws {
    let plain = Array("some text, some text, some text".utf8)
    let bytes = CompressedFile(container: container, plain: plain).bytes
    #expect(try Inflate.decompress(Array(bytes[1...]), container: container.form, limit: 100) == plain)
    #expect(CompressedFile(bytes)?.plain == plain)
  }

  @Test(arguments: [Kind.torch, .npz]) func archivesStayTheSame(_ kind: Kind) throws {
    let folder = try TemporaryFolder()
    for seed in try Seed.all(of: kind) {
      let file = ZipFile(seed.bytes)
      // Offsets of ZIP64 are beyond it.
      guard !file.entries.isEmpty else { continue }
      // One name for both: a file with a single tensor gives it its own.
      let name = kind == .torch ? "file.pt" : "file.npz"
      let found = try WeightFiles.open(folder.write(file.bytes, to: "found/\(name)"))
      let expected = try WeightFiles.open(folder.write(seed.bytes, to: "expected/\(name)"))
      #expect(found.names == expected.names, "\(seed.name)")
      for name in expected.names { #expect(try found.tensor(name) == expected.tensor(name)) }
    }
  }

  @Test func headersKeepTheirLength() throws {
    for (kind, form) in [(Kind.safetensors, HeadedFile.Form.safetensors), (.numpy, .numpy)] {
      for seed in try Seed.all(of: kind) {
        let file = try #require(HeadedFile(seed.bytes, form))
        let again = try #require(HeadedFile(file.bytes, form))
        #expect(again.data == file.data)
        #expect(form == .numpy || again.text == file.text)
      }
    }
  }

  @Test func tokensAreWholeWords() {
    let text = Array(#"{"a b": -1.5e3, 'x\'y': [true]}"#.utf8)
    let tokens = TextMutation.tokens(of: text).map { String(decoding: text[$0], as: UTF8.self) }
    #expect(tokens == ["{", #""a b""#, ":", "-1.5e3", ",", #"'x\'y'"#, ":", "[", "true", "]", "}"])
  }
}
