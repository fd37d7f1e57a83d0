import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// From a folder of photos, as they come from a phone, to a table of answers in two commands.
@Suite struct RehearsalTests {
  @Test func twoCommandsLeadFromPhotosToATable() async throws {
    let folder = try TemporaryFolder()
    try PhonePhotos.write(to: folder, "photos")
    try FileManager.default.createSymbolicLink(atPath: folder.path("clip"), withDestinationPath: Workbench.model)
    // The first attempt meets the file that is no picture, and says what to do.
    // Few epochs, as the test is not about accuracy.
    let words = ["tune", "--model", "clip", "--data", "photos", "--epochs", "2"]
    let refused = try await runFrugal(words, in: folder.url)
    expectRefusal(refused, code: 1, ["photos/oak/IMG_0007.jpg: expected ", "(--skip-unreadable goes on without it)"])
    #expect(!folder.exists("runs/photos-task-res"), "nothing is in the way of the next attempt")
    let tuned = try await runFrugal(words + ["--skip-unreadable"], in: folder.url)
    try #require(tuned.code == 0, "\(tuned.errors)")
    for said in [
      "no splits: 0.6,0.2,0.2", "method task-res, as the model reads texts", "the run is runs/photos-task-res",
      "photos were rotated (EXIF)", "IMG_0007.jpg",
    ] {
      #expect(tuned.errors.contains(said), "\(said) is missing in \(tuned.errors)")
    }
    #expect(tuned.output.contains("test accuracy") && folder.exists("runs/photos-task-res/card.md"))
    let answers = try await runFrugal(
      ["predict", "runs/photos-task-res", "photos", "--skip-unreadable", "--csv", "--top", "1"], in: folder.url)
    try #require(answers.code == 0, "\(answers.errors)")
    let rows = answers.output.split(whereSeparator: \.isNewline).map { $0.split(separator: ",") }
    #expect(rows.count == 1 + 29 && rows[0].map(String.init) == ["picture", "rank", "class", "probability"])
    #expect(Set(rows.dropFirst().map { String($0[0]) }).count == 29)
    #expect(rows.dropFirst().allSatisfy { $0.count == 4 && PhonePhotos.classes.contains(String($0[2])) })
    #expect(answers.errors.contains("IMG_0007.jpg") && answers.errors.contains("15 photos were rotated (EXIF)"))
  }

  /// What a terminal of 80 columns is shown of a run: no line that would wrap, and the time left.
  @Test func progressFitsOn80Columns() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
      .replacingFirst("--epochs", with: "40")
    let terminal = try PseudoTerminal(columns: 80)
    let process = Process()
    process.executableURL = FrugalProcess.executable
    process.arguments = words
    let environment = ["TERM": "xterm", "NO_COLOR": "1", "FRUGAL_CACHE": "off"]
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardError = terminal.end
    process.standardOutput = try FileHandle(forWritingTo: try folder.write("", to: "output"))
    try process.run()
    let shown = String(decoding: terminal.everything(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(shown)")
    let lines = shown.split { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
    let progress = lines.filter { $0.hasPrefix("[") }
    #expect(progress.count > 2 && progress.contains { $0.contains(" left") }, "\(shown)")
    for line in progress { #expect(line.count < 80, "\(line)") }
  }
}

/// A terminal without a screen.
private struct PseudoTerminal {
  /// The end that a program is given.
  let end: FileHandle
  private let other: FileHandle

  init(columns: UInt16) throws {
    // The requests TIOCSPTLCK and TIOCGPTN of ioctl(2): unlock, and the number of the other end.
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (lock, number): (Int32, UInt32) = (0, 0)
    let isUnlocked = ioctl(master, 0x4004_5431 as UInt, &lock) == 0 && ioctl(master, 0x8004_5430 as UInt, &number) == 0
    try #require(isUnlocked)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    let isSized = ioctl(slave, UInt(TIOCSWINSZ), &size) == 0
    try #require(isSized)
    (other, end) = (
      FileHandle(fileDescriptor: master, closeOnDealloc: true), FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    )
  }

  /// All that is written until no program has the terminal open.
  func everything() -> [UInt8] {
    try? end.close()
    var (all, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
    while true {
      let count = read(other.fileDescriptor, &buffer, buffer.count)
      // Linux answers with an error once the last program has closed its end.
      guard count > 0 else { return all }
      all += buffer[..<count]
    }
  }
}
