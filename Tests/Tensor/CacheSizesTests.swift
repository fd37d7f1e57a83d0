import Foundation
import FrugalTestSupport
import Testing

@testable import Tensor

@Suite struct CacheSizesTests {
  @Test(arguments: [
    ("1024K", 1 << 20), ("32M", 32 << 20), ("1G", 1 << 30), ("512", 512), ("", nil), ("K", nil), ("12X", nil),
    ("-1K", nil), ("9999999999999999999K", nil), ("9223372036854775807G", nil),
  ])
  func sizesHaveUnits(text: String, expected: Int?) { #expect(bytes(cacheSize: text) == expected) }

  @Test func cachesAreReadAsLinuxShowsThem() throws {
    let folder = try TemporaryFolder()
    try add(0, level: "1", type: "Data", size: "48K", to: folder)
    try add(1, level: "1", type: "Instruction", size: "32K", to: folder)
    try add(2, level: "2", type: "Unified", size: "2048K", to: folder)
    try add(3, level: "3", type: "Unified", size: "16M", to: folder)
    #expect(CacheSizes(folder: folder.url) == CacheSizes(secondLevel: 2 << 20, thirdLevel: 16 << 20))
  }

  @Test func cachesOfInstructionsDoNotCount() throws {
    let folder = try TemporaryFolder()
    try add(0, level: "2", type: "Data", size: "256K", to: folder)
    try add(1, level: "2", type: "Instruction", size: "4096K", to: folder)
    #expect(CacheSizes(folder: folder.url).secondLevel == 256 << 10)
  }

  /// A container may hide the folder, and a virtual machine may report nonsense.
  @Test(arguments: ["", "0K", "1K", "lots", "4096G"])
  func unknownSizesAreTheUsualOnes(_ size: String) throws {
    let folder = try TemporaryFolder()
    #expect(CacheSizes(folder: folder.url.appending(path: "none")) == CacheSizes())
    for level in 2...3 { try add(level, level: "\(level)", type: "Unified", size: size, to: folder) }
    #expect(CacheSizes(folder: folder.url) == CacheSizes(secondLevel: 1 << 20, thirdLevel: 32 << 20))
  }

  private func add(_ index: Int, level: String, type: String, size: String, to folder: TemporaryFolder) throws {
    for (name, text) in [("level", level), ("type", type), ("size", size)] {
      try folder.write("\(text)\n", to: "index\(index)/\(name)")
    }
  }
}
