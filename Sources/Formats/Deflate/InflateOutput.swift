#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The growing output of an inflater: memory doubles as bytes appear and stops at the limit.
package struct InflateOutput: ~Copyable {
  let limit: Int
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var capacity: Int
  package internal(set) var count = 0

  /// - expected: the size of the compressed data, for a first guess.
  init(limit: Int, expected: Int) throws(InflateError) {
    self.limit = max(limit, 0)
    // Most streams shrink less than eightfold; the worst, 1032-fold, gets there by doubling.
    let guess = expected > Int.max / 8 ? expected : expected * 8
    capacity = min(self.limit, max(guess, 4096))
    base = try Self.allocate(nil, capacity)
  }

  deinit { free(base) }

  /// The output so far; valid as long as the output lives.
  package var written: UnsafeMutableBufferPointer<UInt8> { UnsafeMutableBufferPointer(start: base, count: count) }

  var array: [UInt8] { Array(written) }

  /// Makes room for `amount` more bytes; false when the limit does not allow it.
  mutating func reserve(_ amount: Int) throws(InflateError) -> Bool {
    if amount <= capacity - count { return true }
    guard amount <= limit - count else { return false }
    let larger = min(limit, max(capacity > limit / 2 ? limit : capacity * 2, count + amount))
    base = try Self.allocate(base, larger)
    capacity = larger
    return true
  }

  /// Appends zeros up to the limit.
  mutating func fill() throws(InflateError) {
    let missing = limit - count
    guard missing > 0, try reserve(missing) else { return }
    (base + count).initialize(repeating: 0, count: missing)
    count = limit
  }

  /// Appends `bytes`, or as many as the limit allows; false in that case.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(InflateError) -> Bool {
    let fitting = min(bytes.count, limit - count)
    if fitting > 0, try reserve(fitting) {
      (base + count).update(from: bytes.baseAddress!, count: fitting)
      count += fitting
    }
    return fitting == bytes.count
  }

  private static func allocate(
    _ old: UnsafeMutablePointer<UInt8>?, _ size: Int
  ) throws(InflateError) -> UnsafeMutablePointer<UInt8> {
    guard let memory = realloc(old, max(size, 1)) else { throw .outOfMemory(bytes: size) }
    return memory.assumingMemoryBound(to: UInt8.self)
  }
}
