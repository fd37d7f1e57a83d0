import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

@Suite struct FileClaimTests {
  private static func ages(_ file: URL, by seconds: Double) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: file.path)
  }

  @Test func oneProcessHoldsItUntilItLetsGo() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("a.claim")
    do {
      let claim = try #require(try FileClaim(file))
      #expect(try FileClaim(file) == nil && claim.isHeld)
      #expect(FileClaim.holder(of: file) == "process \(getpid()) on \(ProcessInfo.processInfo.hostName)")
      withExtendedLifetime(claim) {}
    }
    #expect(folder.contents == [] && FileClaim.holder(of: file) == nil)
    #expect(try FileClaim(file) != nil)
  }

  /// Of another machine, whose processes cannot be seen from here.
  @Test func oneThatIsNotRenewedIsTakenOver() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("process 1 on far\nanother machine\nx\n", to: "a.claim")
    #expect(try FileClaim(file) == nil && FileClaim.holder(of: file) == "process 1 on far")
    try Self.ages(file, by: 280)
    #expect(try FileClaim(file) == nil)
    try Self.ages(file, by: 320)
    #expect(FileClaim.holder(of: file) == nil)
    let claim = try #require(try FileClaim(file))
    #expect(try FileClaim(file) == nil && folder.contents == ["a.claim"])
    withExtendedLifetime(claim) {}
  }

  @Test func theHolderRenewsItAndSeesThatItIsLost() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("a.claim")
    let claim = try #require(try FileClaim(file, patience: 0.5))
    try Self.ages(file, by: 100)
    func changed() throws -> Date? {
      try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
    }
    for _ in 0..<500 where try changed().map({ $0.timeIntervalSinceNow < -50 }) ?? true { usleep(10_000) }
    #expect(try #require(try changed()).timeIntervalSinceNow > -50 && claim.isHeld)
    // Somebody else's now, as if this process had stood still.
    try folder.write("process 1 on far\nanother machine\nx\n", to: "a.claim")
    for _ in 0..<500 where claim.isHeld { usleep(10_000) }
    #expect(!claim.isHeld)
  }

  /// And what is not its own is not removed.
  @Test func deathIsSeenAtOnceOnTheSameMachine() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("a.claim")
    let text: String
    do {
      let claim = try #require(try FileClaim(file))
      text = try String(contentsOf: file, encoding: .utf8)
      try folder.write(text + "y", to: "a.claim")
      withExtendedLifetime(claim) {}
    }
    #expect(folder.contents == ["a.claim"])
    let gone = Process()
    gone.executableURL = URL(fileURLWithPath: "/bin/true")
    try gone.run()
    gone.waitUntilExit()
    let own = "process \(getpid()) "
    try folder.write(text.replacing(own, with: "process \(gone.processIdentifier) "), to: "a.claim")
    #expect(FileClaim.holder(of: file) == nil)
    #expect(try FileClaim(file) != nil)
    #expect(folder.contents == [])
  }

  /// Of many threads that find an abandoned claim, one takes it over.
  @Test func oneOfManyTakesOver() async throws {
    for _ in 0..<20 {
      let folder = try TemporaryFolder()
      let file = try folder.write("process 1 on far\nanother machine\nx\n", to: "a.claim")
      try Self.ages(file, by: 1000)
      let claims = await withTaskGroup(of: FileClaim?.self) { group in
        for _ in 0..<8 { group.addTask { try? FileClaim(file) } }
        return await group.reduce(into: [FileClaim]()) { if let claim = $1 { $0.append(claim) } }
      }
      #expect(claims.count == 1)
    }
  }

  @Test func aMissingFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("none/a.claim")
    let error = #expect(throws: FileError.self) { _ = try FileClaim(file) }
    #expect(
      error?.file == folder.url.appendingPathComponent("none").path && error?.expected == "a folder that can be written"
    )
  }
}
