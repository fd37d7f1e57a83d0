import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

@Suite struct ShortenedFileTests {
  @Test func aFileThatIsShortenedIsNamedAsTheCause() async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      ShortenedFile.explain()
      let folder = try TemporaryFolder()
      let url = try folder.write([UInt8](repeating: 1, count: 1 << 20), to: "weights")
      let file = try MappedFile(contentsOf: url)
      try #require(truncate(url.path, 0) == 0)
      file.withBytes { bytes in print(bytes[bytes.count - 1]) }
    }
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains("found a file that was shortened"), "\(said)")
  }
}
