import Formats
import Foundation
import FrugalTestSupport
import Testing

/// PyTorch files of some kilobytes that describe gigabytes or days: within the budget that `TorchFile` states, each is
/// read or refused.
@Suite struct PickleBombTests {
  /// All in one process, in which nothing else runs, one after another.
  @Test func memoryStaysWithinTheBudget() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      for (name, make) in PickleBombs.all {
        let bytes = make()
        let file = try folder.write(bytes, to: "bomb.pt")
        let start = PeakMemory.processorTime
        let peak = PeakMemory.during { _ = try? TorchFile(contentsOf: file).object() }
        let time = PeakMemory.processorTime - start
        print("\(name): \(bytes.count) bytes, peak \(peak / 1_000_000) MB, \(time) s")
        #expect(peak <= 64_000_000 + 4 * bytes.count, "\(name)")
        // Measured below a second each; ten, as machines and builds differ, where there were minutes.
        #expect(time < 10, "\(name)")
      }
    }
  }

  /// Real checkpoints stay far below: ten thousand tensors of twelve elements, and a list of a hundred thousand
  /// numbers.
  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let tensor = PickleBuilder().tensor("0", count: 12, size: [3, 4], stride: [4, 1]).bytes.dropFirst(2)
    var tensors: [UInt8] = []
    for index in 0..<10_000 { tensors += PickleBuilder().string("layers.\(index).weight").bytes.dropFirst(2) + tensor }
    let many = PickleBuilder().op("}(").raw(tensors).op("u").archive(["0": [UInt8](repeating: 0, count: 48)]).file
    #expect(try TorchFile(contentsOf: folder.write(many, to: "many.pt")).names.count == 10_000)
    let number = [0x47] + bytes((1.5).bitPattern)
    let batch = PickleBuilder().op("(").raw(Array(repeatElement(number, count: 1000).joined())).op("e").bytes
      .dropFirst(2)
    let numbers = PickleBuilder().op("}").string("history").op("]")
      .raw(Array(repeatElement(batch, count: 100).joined())).op("s")
    let list = try folder.write(numbers.archive().file, to: "list.pt")
    #expect(try TorchFile(contentsOf: list).object()["history"]?.items?.count == 100_000)
  }
}
