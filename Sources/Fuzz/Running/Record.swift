import Foundation

/// What a worker has done, in a small file that it maps, so that nothing is lost when it ends in the middle.
final class Record {
  private let slots: UnsafeMutablePointer<Int>

  private enum Slot: Int, CaseIterable { case index, inputs, accepted, read, slowest, slowestIndex, peak }

  /// Opens the file; it is made if there is none.
  init(_ url: URL) throws {
    let size = Slot.allCases.count * MemoryLayout<Int>.stride
    let descriptor = open(url.path, O_RDWR | O_CREAT, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, ftruncate(descriptor, size) == 0,
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else { throw CocoaError(.fileWriteUnknown) }
    slots = base.bindMemory(to: Int.self, capacity: Slot.allCases.count)
  }

  deinit { munmap(slots, Slot.allCases.count * MemoryLayout<Int>.stride) }

  private subscript(slot: Slot) -> Int {
    get { slots[slot.rawValue] }
    set { slots[slot.rawValue] = newValue }
  }

  /// The number of the input at hand.
  var index: Int {
    get { self[.index] }
    set { self[.index] = newValue }
  }
  /// The number of inputs that were finished.
  var inputs: Int {
    get { self[.inputs] }
    set { self[.inputs] = newValue }
  }
  /// The number of those that passed the first check.
  var accepted: Int {
    get { self[.accepted] }
    set { self[.accepted] = newValue }
  }
  /// The number of those that were read to the end.
  var read: Int {
    get { self[.read] }
    set { self[.read] = newValue }
  }
  /// The longest time of an input in nanoseconds, and its number.
  var slowest: (time: Int, index: Int) {
    get { (self[.slowest], self[.slowestIndex]) }
    set { (self[.slowest], self[.slowestIndex]) = newValue }
  }
  /// The largest growth of memory in bytes.
  var peak: Int {
    get { self[.peak] }
    set { self[.peak] = newValue }
  }
}
